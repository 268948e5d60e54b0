/** Who may not approve this request, whatever the rules found. Implements docs/spec/engine.md R-SOD-1 to R-SOD-5. */
import { forbiddingPath } from "./forbidden-people.ts";
import { foldName, type Person } from "./person.ts";
import type { Policy } from "./policy.ts";
import type { Exclusion, Request } from "./request.ts";

/** What barring looks at; a request that is only being simulated has no more than this. */
export type Petition = Pick<Request, "requester" | "creator" | "stages" | "context">;

/** Why somebody may not approve. */
export type Bar = Pick<Exclusion, "reason" | "path">;

/** A stage and the orders of all stages that run beside it, its own included. */
export interface StagePlace {
  readonly order: number;
  readonly group: readonly number[];
}

/**
 * Why this person may not act as approver in the stage with this order, or null. The same function judges candidates,
 * delegates, reassignment targets and the actor of a decision (R-SOD-3).
 */
export function barredBecause(policy: Policy, petition: Petition, person: Person, place: StagePlace): Bar | null {
  const barred = barredThroughout(policy, petition, person);
  if (barred !== null) return barred;
  const isUsedUp = policy.forbidRepeatApprovers && approvedElsewhere(petition, person, place);
  return isUsedUp ? { reason: "repeat_approver" } : null;
}

/** The same, but for what depends on the stage. */
export function barredThroughout(policy: Policy, petition: Omit<Petition, "stages">, person: Person): Bar | null {
  if (person.machine) return { reason: "machine" };
  if (policy.forbidSelfApproval && isRequester(petition, person)) return { reason: "requester" };
  const path = forbiddingPath(policy.forbiddenApprovers, petition.context, person);
  return path === null ? null : { reason: "forbidden", path };
}

function isRequester(petition: Omit<Petition, "stages">, person: Person): boolean {
  const { creator, requester } = petition;
  if (creator.personId === person.id || creator.standsFor.includes(person.id)) return true;
  return person.foldedNames.includes(foldName(requester));
}

/** R-SOD-2: a live approval that counts in an earlier group, or in a sibling stage of this one, uses the person up. */
function approvedElsewhere(petition: Petition, person: Person, place: StagePlace): boolean {
  const first = Math.min(...place.group);
  return petition.stages
    .filter((stage) => stage.order < first || (stage.order !== place.order && place.group.includes(stage.order)))
    .some((stage) =>
      stage.decisions.some(
        (decision) => decision.personId === person.id && decision.action === "approve" && decision.seatId !== null,
      ),
    );
}

export function exclusionSentence({ reason, path }: Bar): string {
  switch (reason) {
    case "requester":
      return "the requester may not approve this request";
    case "forbidden":
      return `who is named in '${path ?? ""}' may not approve this request`;
    case "repeat_approver":
      return "you have already approved another stage of this request";
    case "machine":
      return "machines do not approve";
    case "disabled":
      return "the account is disabled";
  }
}
