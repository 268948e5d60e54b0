/**
 * A workload changes its platform's token for one of ours, for a quarter of an hour at most (RFC 8693). While the first one lives,
 * the same token gets the same answer; what it makes once, the two make once together. Implements docs/spec/identity.md section 4 and
 * R-WID-3, docs/spec/deploy.md R-OIDC-2 and R-OIDC-3.
 */
import { isJsonObject, type JsonValue } from "../core/json.ts";
import type { Instant } from "../core/person.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { Carried, World } from "../ports/command-store.ts";
import type { ApiTokenRecord, TokenSecretRecord, WorkloadProviderRecord } from "../ports/identity-records.ts";
import type { SpentProofRecord } from "../ports/ceremony-records.ts";
import { recordsBy } from "../ports/records.ts";
import { SecretUnreadable, type SealedPlace } from "../ports/sealing.ts";
import type { Application } from "./application.ts";
import { NO_CHANGE } from "./no-change.ts";
import { secretHash } from "./session-record.ts";
import { recordToken } from "./token-change.ts";
import { makeToken, TOKEN_BYTES, type TokenPrefix } from "./token-format.ts";
import { exchangedFor, presentWorkload, type SingleUse, type WorkloadCaller } from "./workload-caller.ts";

export interface ExchangedToken {
  readonly token: string;
  readonly expiresAt: Instant;
  /** Of the token that approvals are for, whichever token a job of this provider comes with (deploy R-OIDC-1). */
  readonly targetTokenId: string;
}

const LIFE_MS = 15 * 60_000;
/** So often one job's token is taken, the repeated answer included (deploy R-OIDC-3). */
const EXCHANGES_MAX = 20;

export async function exchangeToken(app: Application, presented: string): Promise<ExchangedToken | Refusal> {
  const caller = await presentWorkload(app, presented);
  if (caller === null) return refuse("token_invalid", "No workload provider is registered for this token");
  if (isRefusal(caller)) return caller;
  const organization = await app.organizations.find(caller.orgId);
  if (organization?.status !== "active") return refuse("org_suspended", "This organization is suspended");
  const home = app.forOrganization(caller.orgId);
  const token = makeToken(prefixOf(caller.provider), app.random(TOKEN_BYTES));
  const spent: SingleUse = { ...caller.singleUse, scope: `exchange:${caller.provider.id}` };
  if (!(await takeTurn(home, spent))) {
    return refuse("token_invalid", `This workload's token was exchanged ${String(EXCHANGES_MAX)} times`);
  }
  return home.store.submit<ExchangedToken | Refusal>({
    name: "exchange_token",
    needs: {
      records: [
        recordsBy("spentProof", "value", [spent.value]),
        recordsBy("workloadProvider", "id", [caller.provider.id]),
        recordsBy("machine", "id", [caller.machine.id]),
      ],
    },
    carryOut: (world) => carryOut(home, world, { caller, token, spent }),
  });
}

interface Exchanging {
  readonly caller: WorkloadCaller;
  readonly token: string;
  readonly spent: SingleUse;
}

function carryOut(
  app: Application,
  world: World,
  { caller, token, spent }: Exchanging,
): Carried<ExchangedToken | Refusal> {
  const [provider] = world.records("workloadProvider", "id", caller.provider.id);
  const [machine] = world.records("machine", "id", caller.machine.id);
  if (provider?.deletedAt !== null || !provider.enabled || machine?.disabledAt !== null) {
    return { answer: refuse("token_invalid", "This workload provider is switched off"), changes: NO_CHANGE };
  }
  const first = earlier(app, world, { spent, caller });
  if (first !== null) return { answer: first, changes: NO_CHANGE };
  const expiresAt = Math.min(world.now + LIFE_MS, caller.expiresAt);
  if (expiresAt <= world.now) {
    return { answer: refuse("token_expired", "The workload token has expired"), changes: NO_CHANGE };
  }
  const record: ApiTokenRecord = {
    ...{ id: world.newId<"token">(), orgId: app.orgId, machineId: machine.id, name: `exchanged: ${provider.name}` },
    ...{ prefix: prefixOf(provider), lastFour: token.slice(-4), scopes: provider.scopes },
    ...{
      creatorPermissions: provider.scopes,
      limits: provider.limits,
      createdBy: caller.actor.assignee,
      createdAt: world.now,
      expiresAt,
      revokedAt: null,
      legacy: false,
      exchanged: exchangedFor(caller),
      warnedDays: null,
    },
  };
  const secret: TokenSecretRecord = {
    ...{ tokenHash: secretHash(app, token), tokenId: record.id, createdAt: world.now, endsAt: null },
  };
  const proof: SpentProofRecord = {
    ...spent,
    answer: { token: app.seals.seal(token, placeOf(spent)), expires_at: expiresAt },
    spentAt: world.now,
  };
  const told = recordToken(app, { kind: "token.created", actor: caller.actor, token: record, machine }, world);
  return {
    answer: { token, expiresAt, targetTokenId: provider.id },
    changes: { ...told, records: { apiToken: [record], tokenSecret: [secret], spentProof: [proof] } },
  };
}

/** What presents itself as one of the deploy gate's to people who look at a log (deploy R-OIDC-2). */
function prefixOf({ scopes }: WorkloadProviderRecord): TokenPrefix {
  return scopes.some((scope) => scope.startsWith("convox:")) ? "rgw_" : "cst_";
}

/** The first answer, while what it gave can still be used. */
function earlier(
  app: Application,
  world: World,
  { spent, caller }: Pick<Exchanging, "spent" | "caller">,
): ExchangedToken | Refusal | null {
  const proof = world.records("spentProof", "value", spent.value).find(({ scope }) => scope === spent.scope);
  const kept = proof === undefined ? null : read(proof.answer);
  if (kept === null || kept.expiresAt <= world.now) return null;
  try {
    const token = app.seals.open(kept.sealed, placeOf(spent));
    return { token, expiresAt: kept.expiresAt, targetTokenId: caller.provider.id };
  } catch (error) {
    if (error instanceof SecretUnreadable)
      return refuse("secret_unreadable", "The token that was given before cannot be read");
    throw error;
  }
}

function read(answer: JsonValue): { readonly sealed: string; readonly expiresAt: Instant } | null {
  if (!isJsonObject(answer)) return null;
  const { token: sealed, expires_at: expiresAt } = answer;
  return typeof sealed === "string" && typeof expiresAt === "number" ? { sealed, expiresAt } : null;
}

/** Takes the next of so many turns, whichever process asks; false when none is left. Each turn is a row of its own. */
async function takeTurn(app: Application, { scope, value, expiresAt }: SingleUse): Promise<boolean> {
  const turns = Array.from({ length: EXCHANGES_MAX }, (_, turn) => `${value}#${String(turn + 1)}`);
  const taken = await app.reader.records(recordsBy("spentProof", "value", turns));
  const free = turns.filter((turn) => !taken.some((proof) => proof.scope === scope && proof.value === turn));
  for (const turn of free) {
    const spentAt = app.clock();
    if (await app.scratch.add("spentProof", { scope, value: turn, answer: null, spentAt, expiresAt })) return true;
  }
  return false;
}

function placeOf({ scope, value }: SingleUse): SealedPlace {
  return { table: "spent_proofs", column: "answer", row: `${scope}/${value}`, orgId: null };
}
