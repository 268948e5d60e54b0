/** Why may this person not approve this deployment, in the gate's words? Implements docs/spec/deploy.md R-REQ-10 and R-REQ-11. */
import { forbiddingPath } from "../../core/forbidden-people.ts";
import type { PersonId } from "../../core/ids.ts";
import type { Person } from "../../core/person.ts";
import type { Exclusion, Request } from "../../core/request.ts";
import { selfApprovals, type ExcludedPerson } from "../../gates/deploy/request-refusals.ts";

export type SelfApproval = keyof typeof selfApprovals;

type Asked = Pick<Request, "context" | "creator">;

/** Their own in one of the three ways; null for everybody else. Owners come first: they are also behind what their token asks for. */
export function selfApprovalOf({ context, creator }: Asked, person: Person): SelfApproval | null {
  if (forbiddingPath(["target_token.owner"], context, person) !== null) return "token_owner";
  if (creator.personId === person.id || creator.standsFor.includes(person.id)) return "requester";
  return forbiddingPath(["commit_authors"], context, person) === null ? null : "commit_author";
}

/** `people` are those whom the rules found. */
export function excludedPeople(
  asked: Asked,
  excluded: readonly Exclusion[],
  people: readonly Person[],
): readonly ExcludedPerson[] {
  return excluded.map(({ user, reason, path }) => {
    const person = people.find(({ assignee }) => assignee === user);
    const own = person === undefined ? null : selfApprovalOf(asked, person);
    return {
      person: person?.displayName ?? user,
      reason: own === null ? reasonText(reason, path) : selfApprovals[own],
    };
  });
}

function reasonText(reason: Exclusion["reason"], path: string | undefined): string {
  switch (reason) {
    case "requester":
      return selfApprovals.requester;
    case "forbidden":
      return `named in ${path ?? "the request"}`;
    case "repeat_approver":
      return "approves another stage";
    case "machine":
      return "machines do not approve";
    case "disabled":
      return "the account is locked or no longer active";
  }
}

/** As contexts name people whose name may change. */
export function personName(id: PersonId): string {
  return `usr_${id.replaceAll("-", "")}`;
}
