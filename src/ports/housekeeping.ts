/** What a store forgets in time: bookkeeping that no page shows and no entry describes. */
import type { Instant } from "../core/person.ts";

export interface Housekeeping {
  /** Forgets the answers of calls made before this instant, some at a time; says how many went (R-IDEMP-4). */
  forgetAnswers(before: Instant): Promise<number>;
}
