/** How far each organization's ledger was told in its chat; of several processes one tells at a time (docs/spec/deploy.md R-SLACK-4). */
import type { Instant } from "../core/person.ts";

export interface ChatTold {
  /** From which entry on nothing was told; null while another process tells. Who is new begins with what comes next. */
  claim(orgId: string, lease: { readonly now: Instant; readonly ms: number }): Promise<number | null>;
  /** Everything before this position is told; gives the claim back. */
  tell(orgId: string, position: number): Promise<void>;
}
