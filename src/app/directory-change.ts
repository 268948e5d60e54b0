/** How a change of the local directory is told to the ledger and the audit list. */
import type { Actor } from "./admitted-actor.ts";
import type { ChangeSet } from "../ports/change-set.ts";
import type { DirectoryEntry } from "../ports/identity-records.ts";
import type { World } from "../ports/command-store.ts";
import type { Application } from "./application.ts";
import { auditRecord } from "./audit.ts";
import { describe, hidden } from "./entry-writer.ts";
import { ledgerActor, ledgerId } from "./ledger-names.ts";

export interface DirectoryName {
  readonly kind: "role" | "group";
  /** The namespace of a role; empty for none, and for groups. */
  readonly client: string;
  readonly name: string;
}

export type DirectoryEntryChanged = DirectoryEntry & { readonly memberNames: readonly string[] };

export interface DirectoryChange {
  readonly before: DirectoryEntry | null;
  readonly after: DirectoryEntry | null;
  readonly memberNames: readonly string[];
}

export function recordDirectory(
  app: Application,
  actor: Actor,
  change: DirectoryChange,
  world: World,
): Pick<ChangeSet, "entries" | "audit"> {
  const subject = change.after ?? change.before;
  const kind = subject?.kind ?? "role";
  const resourceId = subject === null ? "" : subject.client === "" ? subject.name : `${subject.client}/${subject.name}`;
  const verb = change.after === null ? "deleted" : change.before === null ? "created" : "changed";
  const entry = describe(
    {
      org: ledgerId("org", app.orgId),
      kind: "setting.changed",
      actor: ledgerActor(actor, app.sha256),
      credential: actor.credential,
      resource: null,
      request: null,
      data: {
        key: `directory.${kind}`,
        old: hidden(change.before === null ? null : { name: resourceId, members: change.before.members }),
        new: hidden(change.after === null ? null : { name: resourceId, members: change.after.members }),
      },
    },
    app,
  );
  const audit = auditRecord(
    actor,
    { entry: 0, world },
    {
      action: `directory.${verb}`,
      resourceType: kind,
      resourceId,
      summary: `The ${kind} ${resourceId} was ${verb}`,
      before: change.before === null ? null : { members: change.before.members },
      after: change.after === null ? null : { members: change.memberNames },
      metadata: {},
    },
  );
  return { entries: [entry], audit: [audit] };
}
