/** Whom the deploy gate's older clients mean: people go by their address there, and by their login where they have none. */
import { isId, type PersonId } from "../../core/ids.ts";
import type { MemberSummary } from "../../ports/member-reader.ts";
import { recordsBy } from "../../ports/records.ts";
import type { Application } from "../application.ts";

export async function memberOfEmail(app: Application, email: string): Promise<MemberSummary | undefined> {
  const spelled = [...new Set([email, email.toLowerCase()])];
  const [people, aliases] = await Promise.all([
    app.reader.records(recordsBy("person", "email", spelled)),
    app.reader.records(recordsBy("alias", "name", spelled)),
  ]);
  const living = people.filter(({ status }) => status !== "erased").map(({ id }) => id);
  const named = aliases.filter(({ orgId }) => orgId === app.orgId).map(({ personId }) => personId);
  for (const id of [...living, ...named]) {
    const member = await memberOf(app, id);
    if (member !== undefined && member.record.status !== "erased") return member;
  }
  return undefined;
}

async function memberOf(app: Application, id: PersonId): Promise<MemberSummary | undefined> {
  return isId<"person">(id) ? app.reader.member(id) : undefined;
}

/** How older clients are told who somebody is. */
export function emailOf({ email, assignee }: { readonly email: string | null; readonly assignee: string }): string {
  return email ?? assignee;
}
