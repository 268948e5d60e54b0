/** A token gets a second secret; the first works on for an overlap. Implements docs/spec/identity.md R-TOK-6. */
import { intersect } from "../core/permission.ts";
import type { Instant } from "../core/person.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { Carried, StoreCommand, World } from "../ports/command-store.ts";
import type { ApiTokenRecord, MachineRecord, TokenSecretRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import type { MadeToken } from "./make-token.ts";
import { NO_CHANGE } from "./no-change.ts";
import { secretHash } from "./session-record.ts";
import { recordToken, tokenNotFound } from "./token-change.ts";
import { makeToken as tokenText, TOKEN_BYTES, TOKEN_PREFIXES } from "./token-format.ts";
import { makerNeeds, makerPermissions, mayKeepTokens, type TokenCaller } from "./token-maker.ts";
import { beyond } from "./token-permissions.ts";
import { keptByProvider, standsForProvider } from "./workload-caller.ts";

const HOUR = 3_600_000;

export interface Rotation {
  readonly tokenId: string;
  readonly overlapHours: number;
}

export async function rotateToken(
  app: Application,
  caller: TokenCaller,
  rotation: Rotation,
): Promise<MadeToken | Refusal> {
  const [known] = await app.reader.records(recordsBy("apiToken", "id", [rotation.tokenId]));
  if (known?.orgId !== app.orgId) return tokenNotFound();
  const prefix = TOKEN_PREFIXES.find((each) => each === known.prefix) ?? "cst_";
  const secret = tokenText(prefix, app.random(TOKEN_BYTES));
  const command: StoreCommand<MadeToken | Refusal> = {
    name: "rotate_token",
    needs: {
      records: [
        ...makerNeeds(caller),
        recordsBy("apiToken", "id", [known.id]),
        recordsBy("tokenSecret", "tokenId", [known.id]),
        recordsBy("machine", "id", [known.machineId]),
      ],
    },
    carryOut: (world) => carryOut(app, world, { caller, rotation, secret }),
  };
  return app.store.submit(command);
}

interface Asked {
  readonly caller: TokenCaller;
  readonly rotation: Rotation;
  readonly secret: string;
}

function carryOut(app: Application, world: World, { caller, rotation, secret }: Asked): Carried<MadeToken | Refusal> {
  const [before] = world.records("apiToken", "id", rotation.tokenId);
  const [machine] = before === undefined ? [] : world.records("machine", "id", before.machineId);
  if (before === undefined || machine === undefined) return { answer: tokenNotFound(), changes: NO_CHANGE };
  const refused = fault(app, world, { caller, token: before, machine });
  if (refused !== null) return { answer: refused, changes: NO_CHANGE };
  const { now } = world;
  const { actor } = caller;
  // A token in the older form that is rotated has the new form from here on.
  const token: ApiTokenRecord = { ...before, lastFour: secret.slice(-4), legacy: false };
  const added: TokenSecretRecord = {
    ...{ tokenHash: secretHash(app, secret), tokenId: token.id, createdAt: now, endsAt: null },
  };
  const ends = now + rotation.overlapHours * HOUR;
  const ended = world.records("tokenSecret", "tokenId", token.id).flatMap((each) => endedSecret(each, now, ends));
  const told = recordToken(app, { kind: "token.rotated", actor, token, machine }, world);
  return {
    answer: { token, secret },
    changes: { ...told, records: { apiToken: [token], tokenSecret: [...ended, added] } },
  };
}

/** The secret there was works until the overlap ends; one that was replaced before ends now: never more than two work. */
function endedSecret(secret: TokenSecretRecord, now: Instant, ends: Instant): readonly TokenSecretRecord[] {
  if (secret.endsAt === null) return [{ ...secret, endsAt: ends }];
  return secret.endsAt > now ? [{ ...secret, endsAt: now }] : [];
}

interface Examined {
  readonly caller: TokenCaller;
  readonly token: ApiTokenRecord;
  readonly machine: MachineRecord;
}

/** Whoever rotates learns a secret that works, and must hold what it allows, as its maker did (R-TOK-4). */
function fault(app: Application, world: World, { caller, token, machine }: Examined): Refusal | null {
  const permissions = makerPermissions(app, world, caller);
  if (isRefusal(permissions)) return permissions;
  if (!mayKeepTokens(caller.actor, permissions, machine)) return tokenNotFound();
  if (standsForProvider(token)) return keptByProvider();
  if (token.revokedAt !== null) return refuse("wrong_state", "This token was revoked");
  if (machine.disabledAt !== null) return refuse("wrong_state", "The machine of this token was retired");
  if (token.expiresAt !== null && token.expiresAt <= world.now) {
    return refuse("wrong_state", "This token has expired: make a new one");
  }
  const wider = beyond(intersect(token.scopes, token.creatorPermissions), permissions);
  if (wider.length === 0) return null;
  return refuse("scope_exceeds_creator", `You do not hold ${wider.join(", ")}`);
}
