/** People as the deploy gate's clients read them (docs/spec/deploy.md 11.3). */
import type { Application } from "../../app/application.ts";
import { emailOf } from "../../app/deploy/member-of-email.ts";
import type { DeployUserOut } from "../../contract/deploy-users.ts";
import { wireTime } from "../../contract/wire-time.ts";
import type { FactorPreferenceRecord } from "../../ports/identity-records.ts";
import type { MemberSummary } from "../../ports/member-reader.ts";
import { recordsBy } from "../../ports/records.ts";
import { deployRole } from "./deploy-roles.ts";

export async function deployUsersOut(
  app: Application,
  members: readonly MemberSummary[],
): Promise<readonly DeployUserOut[]> {
  const ids = members.map(({ record }) => record.id);
  const [numbers, preferences] = await Promise.all([
    app.reader.numbersOf("person", ids),
    app.reader.records(recordsBy("factorPreference", "personId", ids)),
  ]);
  const preferred = new Map<string, Preferred>(preferences.map(({ personId, method }) => [personId, method]));
  return Promise.all(
    members.map(async (member) => ({
      ...userOut(member, numbers, await lockOf(app, member)),
      ...preferredOut(preferred.get(member.record.id)),
    })),
  );
}

type Preferred = FactorPreferenceRecord["method"];

function preferredOut(method: Preferred | undefined): Pick<DeployUserOut, "preferred_mfa_method"> {
  return method === undefined ? {} : { preferred_mfa_method: method };
}

function userOut(
  { record, roles, enrolled }: MemberSummary,
  numbers: ReadonlyMap<string, number>,
  lock: Lock,
): DeployUserOut {
  const { id, displayName, assignee, status, createdAt } = record;
  return {
    ...{ id: numbers.get(id) ?? 0, email: emailOf(record), name: displayName ?? assignee },
    roles: shownRoles(roles.map(({ role }) => role)),
    ...{ created_at: wireTime(createdAt), updated_at: wireTime(createdAt) },
    ...{ suspended: status === "suspended", mfa_enrolled: enrolled },
    ...lock,
  };
}

/** Those that these clients know come first; roles of other families are shown as they are. */
function shownRoles(roles: readonly string[]): string[] {
  const all = [...new Set(roles)];
  return [
    ...all.filter((role) => deployRole(role) !== undefined),
    ...all.filter((role) => deployRole(role) === undefined),
  ];
}

type Lock = Pick<DeployUserOut, "locked_at" | "locked_reason" | "locked_by_email">;

/** The newest lock, of those who are locked now. */
async function lockOf(app: Application, { record: { id, status } }: MemberSummary): Promise<Lock> {
  if (status !== "locked") return {};
  const { items } = await app.reader.audit({ action: "person.locked", resourceId: id, limit: 1 });
  const [line] = items;
  if (line === undefined) return {};
  const reason = line.metadata["reason"];
  return {
    locked_at: wireTime(line.occurredAt),
    ...(typeof reason === "string" ? { locked_reason: reason } : {}),
    locked_by_email: line.actorEmail ?? line.actor,
  };
}
