/** What the installation itself does: it starts, stops, is upgraded. */
import type { JsonObject } from "../core/json.ts";
import type { Application } from "./application.ts";
import { describe } from "./entry-writer.ts";

export type SystemEventKind = "system.started" | "system.stopped" | "system.upgraded";

export async function recordSystemEvent(app: Application, kind: SystemEventKind, data: JsonObject): Promise<void> {
  await app.store.submit({
    name: "record_system_event",
    needs: {},
    carryOut: () => {
      const entry = describe(
        { org: null, kind, actor: "sys_server", credential: null, resource: null, request: null, data },
        app,
      );
      return { answer: null, changes: { entries: [entry] } };
    },
  });
}
