/** Who made these apps, builds or releases of a rack, as far as the ledger knows (docs/spec/deploy.md 11.3 `/created-by`, R-RACK-2). */
import type { MadeKind } from "../../ports/ledger-line-reader.ts";
import type { Application } from "../application.ts";
import { auditEvent } from "./audit-event.ts";
import { namedEvents, type AuditActor } from "./audit-events.ts";

/** By name; those that nobody made through the gate, or whose maker was erased, are missing. */
export async function makersOf(
  app: Application,
  asked: { readonly kind: MadeKind; readonly names: readonly string[]; readonly scope: string },
): Promise<ReadonlyMap<string, AuditActor>> {
  const made = await app.reader.ledgerLinesOfMaking(asked);
  const names = new Map(made.map(({ name, line }) => [line.seq, name]));
  const events = await namedEvents(
    app,
    made.flatMap(({ line }) => auditEvent(line) ?? []),
  );
  return new Map(events.map(({ seq, by }) => [names.get(seq) ?? "", by]));
}
