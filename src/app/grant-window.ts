/** How long an approval lasts, as its gate says at the deciding moment (deploy R-EXPIRY-1). */
import type { Needs, World } from "../ports/command-store.ts";

export interface GrantWindow {
  readonly needs: Needs;
  /** Read inside the deciding transaction. */
  minutes(world: World): number;
}
