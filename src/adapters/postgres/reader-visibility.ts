/**
 * Who may read a request, in SQL (engine R-AUTH-30): readers of everything; the requester; the creator; everyone who holds or
 * held one of its tasks, and their delegators; the owners of the machine that asked (identity R-ROLE-4); never anybody of another
 * organization (identity R-ORG-2). The one place where this rule is written; every list and page asks it.
 *
 * Permitting compares names exactly (R-AUTH-5), and a requester's name is a person's: a machine of that name is somebody else.
 */
import { MACHINE_ISSUER } from "../../ports/machine-issuer.ts";
import type { Viewer } from "../../ports/reader.ts";
import type { Parameters } from "./reader-statement.ts";

/** True of those `requests r` that the viewer may read; for statements that find their rows by another condition. */
export function isVisible(viewer: Viewer, orgId: string, parameters: Parameters): string {
  const inside = `r.org_id = ${parameters.$(orgId)}::uuid`;
  if (viewer.readsAll) return inside;
  const concerns = creatorConcerns(viewer, orgId, parameters);
  if (viewer.personId !== null) {
    const person = `${parameters.$(viewer.personId)}::uuid`;
    const isHeld = `held.person_id = ${person} or held.delegator_id = ${person}`;
    concerns.push(`exists (select from tasks held where held.request_id = r.id and (${isHeld}))`);
  }
  return `${inside} and (${concerns.map((concern) => `(${concern})`).join(" or ")})`;
}

/**
 * The same rule as separate conditions on `requests r`, each answered by an index of its own. A list asks each for its newest
 * rows and unites them, so that its cost does not grow with what others asked for.
 */
export function visibilityConditions(viewer: Viewer, orgId: string, parameters: Parameters): readonly string[] {
  const inside = `r.org_id = ${parameters.$(orgId)}::uuid`;
  if (viewer.readsAll) return [inside];
  const concerns = creatorConcerns(viewer, orgId, parameters);
  if (viewer.personId !== null) {
    const person = `${parameters.$(viewer.personId)}::uuid`;
    for (const column of ["person_id", "delegator_id"]) {
      concerns.push(`r.id in (select held.request_id from tasks held where held.${column} = ${person})`);
    }
  }
  return concerns.map((concern) => `${inside} and (${concern})`);
}

function creatorConcerns(viewer: Viewer, orgId: string, { $ }: Parameters): string[] {
  const issuer = $(viewer.issuer);
  const concerns = [`r.creator_issuer = ${issuer} and r.creator_subject = ${$(viewer.subject)}`];
  if (!viewer.machine) concerns.push(`r.requester = ${$(viewer.assignee)}`);
  if (viewer.personId !== null) {
    const person = `${$(viewer.personId)}::uuid`;
    const owned = `select machine.id::text from machines machine where machine.org_id = ${$(orgId)}::uuid and machine.owners @> array[${person}]`;
    concerns.push(`r.creator_person_id = ${person}`);
    concerns.push(`r.creator_issuer = ${$(MACHINE_ISSUER)} and r.creator_subject in (${owned})`);
  }
  if (viewer.machine && viewer.clientId !== null) {
    const client = $(viewer.clientId);
    concerns.push(`r.creator_machine and r.creator_client_id = ${client} and r.creator_issuer = ${issuer}`);
  }
  return concerns;
}
