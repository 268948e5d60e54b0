/**
 * For whom is an approval asked? The token that will deploy under it, named by its public id, its name or its number, or the one that
 * calls. Implements docs/spec/deploy.md R-REQ-6 and R-REQ-15.
 */
import type { PersonId } from "../../core/ids.ts";
import { mayAct } from "../../core/person-status.ts";
import { permits, type Permission } from "../../core/permission.ts";
import type { Instant } from "../../core/person.ts";
import { permissionsOf } from "../../core/roles.ts";
import { refuseDeploy, type DeployRefusal } from "../../gates/deploy/deploy-refusal.ts";
import type { TargetToken } from "../../gates/deploy/request-members.ts";
import { targetTokenUnknown, targetTokenUnsuitable, invalidPayload } from "../../gates/deploy/request-refusals.ts";
import type { World } from "../../ports/command-store.ts";
import type { ApiTokenRecord, MachineRecord } from "../../ports/identity-records.ts";
import { recordsBy, type RecordQuery } from "../../ports/records.ts";
import type { Application } from "../application.ts";
import { readTokenLimits } from "../token-limits.ts";
import { tokenPermissions } from "../token-permissions.ts";
import { callingToken, coversPlace, mayApprove, type DeployCaller } from "./deploy-caller.ts";

export type DeployTargetFound =
  | { readonly kind: "token"; readonly token: ApiTokenRecord; readonly machine: MachineRecord }
  | { readonly kind: "person"; readonly id: PersonId };

export interface TargetAsk {
  readonly asked: TargetToken | null;
  readonly scope: string;
  readonly app: string;
  /** People ask for themselves too (R-REQ-15). */
  readonly forEveryone: boolean;
}

export async function findTarget(
  app: Application,
  caller: DeployCaller,
  ask: TargetAsk,
): Promise<DeployTargetFound | DeployRefusal> {
  const personId = caller.actor.person?.id;
  if (ask.asked === null && personId !== undefined && ask.forEveryone) return { kind: "person", id: personId };
  const calling = callingToken(caller);
  if (ask.asked === null && calling === null) {
    return invalidPayload("target_api_token_id or target_api_token is required");
  }
  const found = await named(app, ask.asked ?? { id: calling ?? "" });
  if (found === null) return targetTokenUnknown();
  if (!mayAskFor(caller, found, calling)) {
    return refuseDeploy("permission_denied", "not authorized for target token", [
      "Ask with the token itself, as its owner, or as somebody who may approve.",
    ]);
  }
  return (await isSuitable(app, found, ask)) ? { kind: "token", ...found } : targetTokenUnsuitable();
}

/** Owners of the target: none of them decides about it. */
export function ownersOf(target: DeployTargetFound): readonly PersonId[] {
  if (target.kind === "person") return [target.id];
  const { owners, actsForId } = target.machine;
  return actsForId === null ? owners : [...owners, actsForId];
}

/** The part of the live key that says for whom. */
export function targetKey(target: DeployTargetFound): string {
  return target.kind === "token" ? target.token.id : `person:${target.id}`;
}

/** What `targetGone` looks at. */
export function targetNeeds(target: DeployTargetFound): readonly RecordQuery[] {
  if (target.kind === "person") return [];
  return [recordsBy("apiToken", "id", [target.token.id]), recordsBy("machine", "id", [target.machine.id])];
}

/** Revoked, or its machine retired, since it was looked up. */
export function targetGone(target: DeployTargetFound, world: World): boolean {
  if (target.kind === "person") return false;
  const [token] = world.records("apiToken", "id", target.token.id);
  const [machine] = world.records("machine", "id", target.machine.id);
  return token === undefined || machine === undefined || !isLive(token, machine, world.now);
}

type Found = Pick<Extract<DeployTargetFound, { readonly kind: "token" }>, "token" | "machine">;

/** By name only where one token alone is called so. */
async function named(app: Application, asked: TargetToken): Promise<Found | null> {
  const ids = "id" in asked ? [asked.id] : await app.reader.tokensNamed(asked.nameOrNumber);
  const tokens = (await app.reader.records(recordsBy("apiToken", "id", ids))).filter(
    ({ orgId }) => orgId === app.orgId,
  );
  const machines = await app.reader.records(
    recordsBy(
      "machine",
      "id",
      tokens.map(({ machineId }) => machineId),
    ),
  );
  const found = tokens.flatMap((token) => {
    const machine = machines.find(({ id }) => id === token.machineId);
    return machine === undefined ? [] : [{ token, machine }];
  });
  const live = found.filter(({ token, machine }) => isLive(token, machine, app.clock()));
  const [only, second] = live.length === 0 ? found : live;
  return only === undefined || second !== undefined ? null : only;
}

function isLive(token: ApiTokenRecord, machine: MachineRecord, now: Instant): boolean {
  const isOver = token.expiresAt !== null && token.expiresAt <= now;
  return token.revokedAt === null && !isOver && machine.disabledAt === null;
}

function mayAskFor({ actor }: DeployCaller, { token, machine }: Found, calling: string | null): boolean {
  if (token.id === calling || mayApprove(actor)) return true;
  return actor.person !== null && machine.owners.includes(actor.person.id);
}

const WITH_APPROVAL: Permission = "convox:deploy:deploy_with_approval";
const DIRECTLY: Permission = "convox:release:promote";

/** It lives, is for this rack and app, and may deploy at least with an approval. */
async function isSuitable(app: Application, { token, machine }: Found, ask: TargetAsk): Promise<boolean> {
  if (!isLive(token, machine, app.clock()) || !coversPlace(readTokenLimits(token.limits), ask)) return false;
  const members = await Promise.all(machine.owners.map((id) => app.reader.person(id)));
  const active = members.flatMap((member) =>
    member !== undefined && mayAct(member.record.status) ? [permissionsOf(member.roles)] : [],
  );
  if (machine.owners.length > 0 && active.length === 0) return false;
  const { scopes, creatorPermissions } = token;
  const owners = machine.owners.length === 0 ? null : active;
  const permissions = tokenPermissions({ scopes, creatorPermissions, owners });
  return permits(permissions, WITH_APPROVAL) || permits(permissions, DIRECTLY);
}
