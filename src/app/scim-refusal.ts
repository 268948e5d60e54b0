/** What SCIM refuses, by its own words (RFC 7644 section 3.12). */
import { refuse, type Refusal } from "../core/refusal.ts";

export type ScimFault = "invalidValue" | "invalidPath" | "invalidFilter" | "noTarget";

export function scimRefusal(fault: ScimFault, message: string): Refusal {
  return refuse("invalid_input", message, [{ path: ["body"], message, code: fault }]);
}

export function scimTaken(message: string): Refusal {
  return refuse("already_exists", message);
}

export function scimUnknown(id: string): Refusal {
  return refuse("not_found", `There is no resource ${id.slice(0, 64)}`);
}

export function scimChanged(): Refusal {
  return refuse("precondition_failed", "The resource has changed since this version: read it again");
}
