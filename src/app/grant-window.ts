/** How long an approval lasts, as its gate says at the deciding moment (deploy R-EXPIRY-1). */
import type { Needs, World } from "../ports/command-store.ts";
import type { RecordChanges } from "../ports/records.ts";

export interface GrantWindow {
  readonly needs: Needs;
  /** Read inside the deciding transaction. */
  minutes(world: World): number;
  /** What the gate remembers of the moment in which the approval was complete; written with its entries. */
  approved(world: World): RecordChanges;
}
