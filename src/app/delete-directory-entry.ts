/** A role or group of the local directory goes away; rules that name it fail from then on. */
import type { Actor } from "./admitted-actor.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { DirectoryEntry } from "../ports/identity-records.ts";
import type { StoreCommand } from "../ports/command-store.ts";
import type { Application } from "./application.ts";
import { recordDirectory, type DirectoryEntryChanged, type DirectoryName } from "./directory-change.ts";
import { NO_CHANGE } from "./no-change.ts";

export function deleteDirectoryEntry(
  app: Application,
  actor: Actor,
  { kind, client, name }: DirectoryName,
): Promise<DirectoryEntryChanged | Refusal> {
  const command: StoreCommand<DirectoryEntryChanged | Refusal> = {
    name: "delete_directory_entry",
    needs: { directory: [{ kind, client, name }] },
    alone: true,
    carryOut(world) {
      const old = world.directoryEntry(kind, client, name);
      if (old === undefined) {
        const message = `There is no ${kind} '${name}'`;
        return { answer: refuse("directory_entry_not_found", message), changes: NO_CHANGE };
      }
      const gone: DirectoryEntry = { ...old, members: [], deleted: true };
      const changes = recordDirectory(app, actor, { before: old, after: null, memberNames: [] }, world);
      return { answer: { ...gone, memberNames: [] }, changes: { directory: [gone], ...changes } };
    },
  };
  return app.store.submit(command);
}
