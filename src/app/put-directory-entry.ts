/** A role or group of the local directory gets these members; it is made if it did not exist (engine R-RESOLVE-11). */
import type { Actor } from "./admitted-actor.ts";
import type { Refusal } from "../core/refusal.ts";
import type { DirectoryEntry } from "../ports/identity-records.ts";
import type { StoreCommand } from "../ports/command-store.ts";
import type { Application } from "./application.ts";
import { recordDirectory, type DirectoryEntryChanged, type DirectoryName } from "./directory-change.ts";

export interface PutDirectoryEntryInput extends DirectoryName {
  /** Assignee names; they replace the members there were. */
  readonly members: readonly string[];
}

export function putDirectoryEntry(
  app: Application,
  actor: Actor,
  input: PutDirectoryEntryInput,
): Promise<DirectoryEntryChanged | Refusal> {
  const { kind, client, name } = input;
  const command: StoreCommand<DirectoryEntryChanged | Refusal> = {
    name: "put_directory_entry",
    needs: { directory: [{ kind, client, name }] },
    alone: true,
    gather: () => ({ names: input.members, lookups: [] }),
    carryOut(world, facts) {
      const old = world.directoryEntry(kind, client, name);
      const members = input.members.flatMap((member) => facts.people.get(member)?.id ?? []);
      const entry: DirectoryEntry = {
        orgId: app.orgId,
        kind,
        client,
        name,
        members: [...new Set(members)],
        createdAt: old?.createdAt ?? world.now,
        deleted: false,
      };
      const changes = recordDirectory(
        app,
        actor,
        { before: old ?? null, after: entry, memberNames: input.members },
        world,
      );
      return { answer: { ...entry, memberNames: input.members }, changes: { directory: [entry], ...changes } };
    },
  };
  return app.store.submit(command);
}
