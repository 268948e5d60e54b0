import type { ChangeSet } from "../ports/change-set.ts";

/** What refusals, replays and mere looks leave behind: nothing, so that no transaction is committed for them. */
export const NO_CHANGE: ChangeSet = { entries: [] };
