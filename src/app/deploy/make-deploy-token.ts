/**
 * A token of the deploy gate is made together with the machine that holds it: a person's, or a service account when it may deploy
 * with approval and nobody was named (docs/spec/deploy.md R-TOKEN-1 to R-TOKEN-4).
 */
import type { PersonId } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import { decides, permits, type Permission } from "../../core/permission.ts";
import type { Instant } from "../../core/person.ts";
import { isRefusal, refuse, type Refusal } from "../../core/refusal.ts";
import type { ChangeSet } from "../../ports/change-set.ts";
import type { Carried, World } from "../../ports/command-store.ts";
import type { ApiTokenRecord, MachineRecord, TokenSecretRecord } from "../../ports/identity-records.ts";
import { recordsBy } from "../../ports/records.ts";
import type { Application } from "../application.ts";
import { machineFault, machineNeeds, recordMachine } from "../machine-change.ts";
import type { MadeToken } from "../make-token.ts";
import { NO_CHANGE } from "../no-change.ts";
import { joinedChanges } from "../person-changes.ts";
import { secretHash } from "../session-record.ts";
import { recordToken } from "../token-change.ts";
import { makeToken as tokenText, TOKEN_BYTES } from "../token-format.ts";
import { makerNeeds, makerPermissions, type TokenCaller } from "../token-maker.ts";
import { beyond, lendable } from "../token-permissions.ts";
import { isNameTaken } from "./deploy-token-name.ts";

const DEPLOY_WITH_APPROVAL: Permission = "convox:deploy:deploy_with_approval";
const MAKE: Permission = "gateway:api_token:create";

const PREFIX = "rgw_";
const DEFAULT_DAYS = 90;
const DAY_MS = 24 * 3_600_000;

export interface NewDeployToken {
  readonly name: string;
  /** Null: nobody was named. */
  readonly ownerId: PersonId | null;
  readonly permissions: readonly Permission[];
  /** Null: as long as is usual. */
  readonly expiresAt: Instant | null;
  /** `{racks?, apps?}`. */
  readonly limits: JsonObject;
  /** The setting `api_token_max_days` of the rack. */
  readonly daysMax: number;
}

export function makeDeployToken(
  app: Application,
  caller: TokenCaller,
  input: NewDeployToken,
): Promise<MadeToken | Refusal> {
  const creatorId = caller.actor.person?.id ?? null;
  const people = [input.ownerId, creatorId].flatMap((id) => id ?? []);
  const secret = tokenText(PREFIX, app.random(TOKEN_BYTES));
  return app.store.submit<MadeToken | Refusal>({
    name: "make_deploy_token",
    needs: {
      records: [...makerNeeds(caller), ...machineNeeds(app, people), recordsBy("apiToken", "name", [input.name])],
    },
    alone: true,
    carryOut: (world) => carryOut(app, world, { caller, input, secret }),
  });
}

interface Asked {
  readonly caller: TokenCaller;
  readonly input: NewDeployToken;
  readonly secret: string;
}

function carryOut(app: Application, world: World, asked: Asked): Carried<MadeToken | Refusal> {
  const refused = (answer: Refusal): Carried<Refusal> => ({ answer, changes: NO_CHANGE });
  const { caller, input, secret } = asked;
  const { actor } = caller;
  const held = makerPermissions(app, world, caller);
  if (isRefusal(held)) return refused(held);
  const expiresAt = expiry(app, world.now, input);
  if (typeof expiresAt !== "number") return refused(expiresAt);
  const machine = machineOf(app, world, asked);
  const fault = tokenFault(app, world, { input, held }) ?? machineFault(app, world, { after: machine, before: null });
  if (fault !== null) return refused(fault.refusal === "already_exists" ? nameTaken() : fault);
  const token: ApiTokenRecord = {
    ...{ id: world.newId<"token">(), orgId: app.orgId, machineId: machine.id, name: input.name, prefix: PREFIX },
    ...{ lastFour: secret.slice(-4), scopes: input.permissions, creatorPermissions: lendable(held) },
    ...{ limits: input.limits, createdBy: actor.assignee, createdAt: world.now, expiresAt, revokedAt: null },
    ...{ legacy: false, exchanged: null, warnedDays: null },
  };
  const kept: TokenSecretRecord = {
    ...{ tokenHash: secretHash(app, secret), tokenId: token.id, createdAt: world.now, endsAt: null },
  };
  const made: ChangeSet = {
    ...recordToken(app, { kind: "token.created", actor, token, machine }, world),
    records: { apiToken: [token], tokenSecret: [kept] },
  };
  const changes = joinedChanges([recordMachine(app, actor, { before: null, after: machine }, world), made]);
  return { answer: { token, secret }, changes };
}

/** Whose token it is. Nobody's own code is approved by its owner, so what CI holds belongs to no person (R-TOKEN-3). */
function machineOf(app: Application, world: World, { caller: { actor }, input }: Asked): MachineRecord {
  const creatorId = actor.person?.id ?? null;
  const deploys = permits(input.permissions, DEPLOY_WITH_APPROVAL);
  const ownerId = input.ownerId ?? (deploys ? null : creatorId);
  return {
    ...{ id: world.newId<"machine">(), orgId: app.orgId, kind: deploys ? "ci" : "service" },
    ...{ name: ownerId === null ? `svc:${input.name}` : input.name, owners: ownerId === null ? [] : [ownerId] },
    ...{ contactId: creatorId, actsForId: null, createdBy: actor.assignee, createdAt: world.now, disabledAt: null },
  };
}

interface Examined {
  readonly input: Pick<NewDeployToken, "name" | "permissions">;
  readonly held: readonly Permission[];
}

function tokenFault(app: Application, world: World, { input, held }: Examined): Refusal | null {
  if (!permits(held, MAKE)) return refuse("permission_denied", "insufficient permissions");
  const { name, permissions } = input;
  return isNameTaken(app, world, { name, except: null }) ? nameTaken() : permissionFault(permissions, held);
}

/** What no machine may hold, and what the maker cannot give (R-TOKEN-2, R-TOKEN-4). */
export function permissionFault(asked: readonly Permission[], held: readonly Permission[]): Refusal | null {
  const deciding = asked.find((permission) => decides(permission) && !permission.endsWith("*"));
  if (deciding !== undefined) return refuse("machine_cannot_decide", `no machine may hold ${deciding}`);
  const wider = beyond(asked, held);
  if (wider.length === 0) return null;
  return refuse("scope_exceeds_creator", `you do not hold ${wider.join(", ")}`);
}

export function nameTaken(): Refusal {
  return refuse("already_exists", "token name already exists");
}

function expiry(app: Application, now: Instant, { expiresAt, daysMax }: NewDeployToken): Instant | Refusal {
  const most = Math.min(daysMax, app.identity.apiTokenMaxDays);
  if (expiresAt === null) return now + Math.min(DEFAULT_DAYS, most) * DAY_MS;
  const message =
    expiresAt <= now ? "expires_at must lie in the future" : `expires_at must be at most ${String(most)} days from now`;
  const isFine = expiresAt > now && expiresAt <= now + most * DAY_MS;
  return isFine ? expiresAt : refuse("invalid_input", message);
}
