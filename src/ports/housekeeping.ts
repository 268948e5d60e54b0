/** What a store forgets and writes down in time: bookkeeping that no page shows and no entry describes. */
import type { Instant } from "../core/person.ts";

export interface Housekeeping {
  /** Forgets the answers of calls made before this instant, some at a time; says how many went (R-IDEMP-4). */
  forgetAnswers(before: Instant): Promise<number>;
  /** Forgets attempts at events made before this instant, some at a time; says how many went (engine R-HOOK-12). */
  forgetAttempts(before: Instant): Promise<number>;
  /** Forgets ceremonies, codes, views and counters whose time is long over, some at a time; says how many went (R-SIGN-3). */
  forgetScratch(now: Instant): Promise<number>;
  /** When each of these sessions was last used, in one statement (R-SESS-4). */
  writeLastSeen(seen: ReadonlyMap<string, Instant>): Promise<void>;
  /** Sessions whose time is over and that nobody has ended; those idle for a while longer than they may be. */
  overdueSessions(now: Instant, limit: number): Promise<readonly OverdueSession[]>;
}

export interface OverdueSession {
  readonly tokenHash: string;
  readonly orgId: string;
}
