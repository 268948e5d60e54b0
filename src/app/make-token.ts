/** A machine gets a token: named, bounded in what it may do and for how long. Implements docs/spec/identity.md R-TOK-1 to R-TOK-7. */
import type { JsonObject } from "../core/json.ts";
import { decides, permits, type Permission } from "../core/permission.ts";
import type { Instant } from "../core/person.ts";
import { isRefusal, refuse, type Refusal, type RefusalCode } from "../core/refusal.ts";
import type { Carried, StoreCommand, World } from "../ports/command-store.ts";
import type { ApiTokenRecord, MachineRecord, TokenSecretRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { knownPermission } from "./known-permission.ts";
import { machineNotFound } from "./machine-change.ts";
import { NO_CHANGE } from "./no-change.ts";
import { secretHash } from "./session-record.ts";
import { recordToken } from "./token-change.ts";
import { makeToken as tokenText, TOKEN_BYTES, type TokenPrefix } from "./token-format.ts";
import { makerNeeds, makerPermissions, mayKeepTokens, type TokenCaller } from "./token-maker.ts";
import { beyond, lendable } from "./token-permissions.ts";

export type TokenFamily = "generic" | "deploy" | "certificate" | "connector";

export interface NewToken {
  readonly machineId: string;
  readonly name: string;
  readonly family: TokenFamily;
  readonly scopes: readonly string[];
  readonly limits: JsonObject;
  /** Null: without an end. Undefined: as long as is usual. */
  readonly expiresInDays: number | null | undefined;
}

export interface MadeToken {
  readonly token: ApiTokenRecord;
  /** Shown once, kept nowhere. */
  readonly secret: string;
}

const PREFIXES: Readonly<Record<TokenFamily, TokenPrefix>> = {
  generic: "cst_",
  deploy: "rgw_",
  certificate: "cc_",
  connector: "ct_",
};

const DEFAULT_DAYS = 90;
const DAY = 24 * 3_600_000;
/** Live ones that people made; whoever needs more needs more machines. What workloads get by exchange ends by itself. */
export const TOKENS_PER_MACHINE_MAX = 50;

export async function makeToken(app: Application, caller: TokenCaller, input: NewToken): Promise<MadeToken | Refusal> {
  const scopes = readScopes(input.scopes);
  if (isRefusal(scopes)) return scopes;
  const prefix = PREFIXES[input.family];
  const secret = tokenText(prefix, app.random(TOKEN_BYTES));
  const command: StoreCommand<MadeToken | Refusal> = {
    name: "make_token",
    needs: {
      records: [
        ...makerNeeds(caller),
        recordsBy("machine", "id", [input.machineId]),
        recordsBy("apiToken", "machineId", [input.machineId]),
      ],
    },
    carryOut: (world) => carryOut(app, world, { caller, input, scopes, secret, prefix }),
  };
  return app.store.submit(command);
}

interface Asked {
  readonly caller: TokenCaller;
  readonly input: NewToken;
  readonly scopes: readonly Permission[];
  readonly secret: string;
  readonly prefix: TokenPrefix;
}

function carryOut(app: Application, world: World, asked: Asked): Carried<MadeToken | Refusal> {
  const { caller, input, scopes, secret, prefix } = asked;
  const permissions = makerPermissions(app, world, caller);
  if (isRefusal(permissions)) return { answer: permissions, changes: NO_CHANGE };
  const machine = world.records("machine", "id", input.machineId).find(({ orgId }) => orgId === app.orgId);
  if (machine === undefined) return { answer: machineNotFound(), changes: NO_CHANGE };
  const expiresAt = expiry(app, world.now, { days: input.expiresInDays, permissions });
  const refused = fault(world, { asked, machine, permissions });
  if (refused !== null) return { answer: refused, changes: NO_CHANGE };
  if (typeof expiresAt === "object" && expiresAt !== null) return { answer: expiresAt, changes: NO_CHANGE };
  const { actor } = caller;
  const token: ApiTokenRecord = {
    ...{ id: world.newId<"token">(), orgId: app.orgId, machineId: machine.id, name: input.name, prefix },
    ...{ lastFour: secret.slice(-4), scopes, creatorPermissions: lendable(permissions), limits: input.limits },
    ...{ createdBy: actor.assignee, createdAt: world.now, expiresAt, revokedAt: null, legacy: false },
    ...{ exchanged: null, warnedDays: null },
  };
  const made: TokenSecretRecord = {
    ...{ tokenHash: secretHash(app, secret), tokenId: token.id, createdAt: world.now, endsAt: null },
  };
  const told = recordToken(app, { kind: "token.created", actor, token, machine }, world);
  return {
    answer: { token, secret },
    changes: { ...told, records: { apiToken: [token], tokenSecret: [made] } },
  };
}

interface Examined {
  readonly asked: Asked;
  readonly machine: MachineRecord;
  readonly permissions: readonly Permission[];
}

function fault(world: World, { asked, machine, permissions }: Examined): Refusal | null {
  const { caller, scopes } = asked;
  if (!mayKeepTokens(caller.actor, permissions, machine)) {
    return refuse("permission_denied", "You may make tokens for machines that you own");
  }
  if (machine.disabledAt !== null) return refuse("wrong_state", "This machine was retired");
  const live = world
    .records("apiToken", "machineId", machine.id)
    .filter(({ revokedAt, expiresAt }) => revokedAt === null && (expiresAt === null || expiresAt > world.now))
    .filter(({ exchanged }) => exchanged === null);
  if (live.length >= TOKENS_PER_MACHINE_MAX) {
    const most = `A machine has at most ${String(TOKENS_PER_MACHINE_MAX)} live tokens`;
    return refuse("wrong_state", `${most}: revoke one that is no longer used, or make another machine`);
  }
  const wider = beyond(scopes, permissions);
  return wider.length === 0 ? null : aboutScopes("scope_exceeds_creator", scopes, wider, "You do not hold");
}

/** Every scope in its one spelling, each once. */
function readScopes(given: readonly string[]): readonly Permission[] | Refusal {
  const scopes: Permission[] = [];
  for (const [index, text] of given.entries()) {
    const scope = knownPermission(text);
    if (scope === null) {
      const message = `'${text}' is no known permission, such as approval:request:create`;
      return refuse("invalid_input", `scopes[${String(index)}]: ${message}`, [
        { path: ["body", "scopes", index], message },
      ]);
    }
    if (!scopes.includes(scope)) scopes.push(scope);
  }
  const deciding = scopes.filter(decides);
  if (deciding.length === 0) return scopes;
  return aboutScopes("machine_cannot_decide", scopes, deciding, "No machine may hold");
}

function aboutScopes(
  code: RefusalCode,
  all: readonly Permission[],
  wrong: readonly Permission[],
  says: string,
): Refusal {
  const details = wrong.map((scope) => ({
    path: ["body", "scopes", all.indexOf(scope)],
    message: `${says} ${scope}`,
    code,
  }));
  return refuse(code, `${says} ${wrong.join(", ")}`, details);
}

function expiry(
  app: Application,
  now: Instant,
  { days, permissions }: { readonly days: number | null | undefined; readonly permissions: readonly Permission[] },
): Instant | null | Refusal {
  const most = app.identity.apiTokenMaxDays;
  if (days === null) {
    if (permits(permissions, "org:token:unlimited")) return null;
    return refuse("permission_denied", "A token without an end needs the permission org:token:unlimited");
  }
  if (days !== undefined && days > most) {
    const message = `must be at most ${String(most)}`;
    return refuse("invalid_input", `expires_in_days ${message}`, [{ path: ["body", "expires_in_days"], message }]);
  }
  return now + (days ?? Math.min(DEFAULT_DAYS, most)) * DAY;
}
