/** One line of the audit list, tied to the ledger entry that it shows (ledger R-KIND-2, api section 6.6). */
import type { Actor } from "../core/person.ts";
import type { AuditRecord } from "../ports/change-set.ts";
import type { World } from "../ports/command-store.ts";

type Content = Omit<AuditRecord, "id" | "entry" | "actor" | "actorEmail">;

export function auditRecord(
  actor: Actor,
  at: { readonly entry: number; readonly world: World },
  content: Content,
): AuditRecord {
  return { id: at.world.newId(), entry: at.entry, actor: actor.assignee, actorEmail: actor.email, ...content };
}
