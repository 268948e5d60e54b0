/** A token of the deploy gate gets another name or other permissions, or goes away (docs/spec/deploy.md R-TOKEN-2, R-TOKEN-4). */
import type { JsonObject } from "../../core/json.ts";
import { permits, type Permission } from "../../core/permission.ts";
import { isRefusal, refuse, type Refusal } from "../../core/refusal.ts";
import type { Carried, World } from "../../ports/command-store.ts";
import type { ApiTokenRecord, MachineRecord } from "../../ports/identity-records.ts";
import { recordsBy } from "../../ports/records.ts";
import type { Application } from "../application.ts";
import { auditRecord } from "../audit.ts";
import { describe, ledgerTime } from "../entry-writer.ts";
import { ledgerActor, ledgerId } from "../ledger-names.ts";
import { NO_CHANGE } from "../no-change.ts";
import { retireMachine } from "../retire-machine.ts";
import { revokeToken } from "../revoke-token.ts";
import { makerNeeds, makerPermissions, type TokenCaller } from "../token-maker.ts";
import { lendable } from "../token-permissions.ts";
import { keptByProvider, standsForProvider } from "../workload-caller.ts";
import { isKept, isNameTaken } from "./deploy-token-name.ts";
import { nameTaken, permissionFault } from "./make-deploy-token.ts";

const CHANGE: Permission = "gateway:api_token:update";

export interface DeployTokenChange {
  readonly tokenId: string;
  readonly name?: string;
  readonly permissions?: readonly Permission[];
}

export async function changeDeployToken(
  app: Application,
  caller: TokenCaller,
  change: DeployTokenChange,
): Promise<ApiTokenRecord | Refusal> {
  const [known] = await app.reader.records(recordsBy("apiToken", "id", [change.tokenId]));
  if (known?.orgId !== app.orgId) return tokenUnknown();
  return app.store.submit<ApiTokenRecord | Refusal>({
    name: "change_deploy_token",
    needs: {
      records: [
        ...makerNeeds(caller),
        recordsBy("apiToken", "id", [known.id]),
        recordsBy("apiToken", "name", change.name === undefined ? [] : [change.name]),
        recordsBy("machine", "id", [known.machineId]),
      ],
    },
    alone: true,
    carryOut: (world) => carryOut(app, world, { caller, change }),
  });
}

interface Asked {
  readonly caller: TokenCaller;
  readonly change: DeployTokenChange;
}

function carryOut(app: Application, world: World, { caller, change }: Asked): Carried<ApiTokenRecord | Refusal> {
  const refused = (answer: Refusal): Carried<Refusal> => ({ answer, changes: NO_CHANGE });
  const [before] = world.records("apiToken", "id", change.tokenId);
  const [machine] = before === undefined ? [] : world.records("machine", "id", before.machineId);
  if (before !== undefined && standsForProvider(before)) return refused(keptByProvider());
  if (before === undefined || machine === undefined || !isKept(before)) return refused(tokenUnknown());
  const held = makerPermissions(app, world, caller);
  if (isRefusal(held)) return refused(held);
  const after = changedToken(before, change, held);
  const fault = changeFault(app, world, { before, after, held });
  if (fault !== null) return refused(fault);
  if (JSON.stringify(shown(after)) === JSON.stringify(shown(before))) return { answer: before, changes: NO_CHANGE };
  const entries = told(app, world, { caller, before, after, machine });
  return { answer: after, changes: { ...entries, records: { apiToken: [after] } } };
}

function changedToken(
  before: ApiTokenRecord,
  { name = before.name, permissions = before.scopes }: DeployTokenChange,
  held: readonly Permission[],
): ApiTokenRecord {
  // Who gives more vouches for it: what they hold bounds the token from here on.
  const creatorPermissions = isWider(before, permissions) ? lendable(held) : before.creatorPermissions;
  return { ...before, name, scopes: permissions, creatorPermissions };
}

function isWider(before: ApiTokenRecord, permissions: readonly Permission[]): boolean {
  return permissions.some((permission) => !before.scopes.includes(permission));
}

interface Changing {
  readonly before: ApiTokenRecord;
  readonly after: ApiTokenRecord;
  readonly held: readonly Permission[];
}

function changeFault(app: Application, world: World, { before, after, held }: Changing): Refusal | null {
  if (!permits(held, CHANGE)) return refuse("permission_denied", "insufficient permissions");
  const isRenamed = after.name !== before.name;
  if (isRenamed && isNameTaken(app, world, { name: after.name, except: before.id })) return nameTaken();
  return isWider(before, after.scopes) ? permissionFault(after.scopes, held) : null;
}

interface Told {
  readonly caller: TokenCaller;
  readonly before: ApiTokenRecord;
  readonly after: ApiTokenRecord;
  readonly machine: MachineRecord;
}

function told(
  app: Application,
  world: World,
  { caller: { actor }, before, after, machine }: Told,
): Pick<Carried<unknown>["changes"], "entries" | "audit"> {
  const entry = describe(
    {
      ...{ org: ledgerId("org", app.orgId), kind: "machine.changed", actor: ledgerActor(actor, app.sha256) },
      ...{ credential: actor.credential, resource: null, request: null },
      data: {
        ...{ machine: ledgerId("mch", machine.id), owners: machine.owners.map((id) => ledgerId("usr", id)) },
        ...{ token: ledgerId("tok", after.id), scopes: after.scopes, expires_at: ledgerTime(after.expiresAt) },
      },
    },
    app,
  );
  const line = auditRecord(
    actor,
    { entry: 0, world },
    {
      ...{ action: "api_token.update", resourceType: "token", resourceId: after.id },
      summary: `The token ${after.name} was changed`,
      ...{ before: shown(before), after: shown(after), metadata: {} },
    },
  );
  return { entries: [entry], audit: [line] };
}

function shown({ name, scopes }: ApiTokenRecord): JsonObject {
  return { name, permissions: scopes };
}

/** Revoked for ever; a machine that was made for this token alone ends with it, and its name is free again. */
export async function deleteDeployToken(
  app: Application,
  caller: TokenCaller,
  tokenId: string,
): Promise<null | Refusal> {
  const revoked = await revokeToken(app, caller, tokenId);
  if (isRefusal(revoked)) return revoked;
  const [machine] = await app.reader.records(recordsBy("machine", "id", [revoked.machineId]));
  const siblings = await app.reader.records(recordsBy("apiToken", "machineId", [revoked.machineId]));
  const isOwn = machine?.name === revoked.name || machine?.name === `svc:${revoked.name}`;
  if (!isOwn || siblings.length > 1) return null;
  const retired = await retireMachine(app, caller.actor, revoked.machineId);
  return isRefusal(retired) ? retired : null;
}

export function tokenUnknown(): Refusal {
  return refuse("not_found", "token not found");
}
