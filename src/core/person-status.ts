/** What may somebody do, by status alone? Implements the table of docs/spec/identity.md section 1. */

export type PersonStatus = "placeholder" | "invited" | "active" | "locked" | "suspended" | "erased";

export function mayAct(status: PersonStatus): boolean {
  return status === "active";
}

/** Whose seat is given up and resolved again: those who left. */
export function hasLeft(status: PersonStatus): boolean {
  return status === "suspended" || status === "erased";
}

/** Nobody new to ask: locked people keep the tasks they hold, and get no others. */
export function isDisabled(status: PersonStatus): boolean {
  return status === "locked" || hasLeft(status);
}
