/** A step of the engine as a change set: rows, events and the ledger entries that describe them, in the same order. */
import type { EngineEvent } from "../core/event.ts";
import type { NewId } from "../core/ids.ts";
import type { Actor } from "../core/person.ts";
import type { Request, StageRun } from "../core/request.ts";
import type { ChangeSet, DescribedEntry, RecordedEvent } from "../ports/change-set.ts";
import type { NotifierSettings } from "./application.ts";
import { deployEffects } from "./deploy/deploy-reactions.ts";
import { effectsOfRequest } from "./effects/effects-of-request.ts";
import { describe, type EntryTools } from "./entry-writer.ts";
import { entryData, entryKind, issuedMembers, type SignedEvidence } from "./event-entry.ts";
import { eventPayload } from "./event-payload.ts";
import { ledgerActor, ledgerId } from "./ledger-names.ts";

export interface Recording {
  readonly before: Request | null;
  readonly after: Request;
  readonly events: readonly EngineEvent[];
  /** Who gave the command; null when the clock did. */
  readonly actor: Actor | null;
  readonly newId: NewId;
  /** Where the command is a decision that was signed. */
  readonly signed?: SignedEvidence | null;
}

/** Many tasks need more bytes than one entry may have (ledger R-LED-3): their list is spread over several. */
const TASKS_PER_ENTRY = 200;

export interface RecordingTools extends EntryTools {
  readonly settings?: { readonly notifier?: NotifierSettings };
}

export function recordRequest(recording: Recording, tools: RecordingTools): ChangeSet {
  const { before, after } = recording;
  const entries: DescribedEntry[] = [];
  const events: RecordedEvent[] = [];
  for (const event of recording.events) {
    if (event.type === "stage_started") entries.push(...resolvedEntries(recording, event.stage, tools));
    events.push({
      id: recording.newId(),
      event,
      payload: eventPayload(event, after),
      entry: entries.length,
    });
    const background = { requester: requesterName(after), signed: recording.signed ?? null };
    const data = entryData(event, after, background);
    entries.push(describe({ ...frame(recording, event, tools), kind: entryKind(event), data }, tools));
    if (event.type === "request_approved") {
      const issued = issuedMembers(event.grant);
      entries.push(describe({ ...frame(recording, event, tools), kind: "grant.issued", data: issued }, tools));
    }
  }
  const { newId } = recording;
  const notifier = tools.settings?.notifier ?? null;
  const effect = [
    ...effectsOfRequest({ before, after, events }, { newId, at: after.updatedAt, notifier }),
    ...(after.gate === "deploy" ? deployEffects(recording) : []),
  ];
  return { entries, requests: [{ before, after, events }], ...(effect.length === 0 ? {} : { records: { effect } }) };
}

/** What somebody did; everything else follows from it and is the engine's. */
const OWN_ACTS: ReadonlySet<EngineEvent["type"]> = new Set([
  "request_created",
  "task_claimed",
  "task_released",
  "task_decided",
  "task_reassigned",
  "request_cancelled",
  "grant_used",
  "grant_extended",
  "grant_revoked",
]);

function frame(
  { after, actor }: Recording,
  event: EngineEvent,
  tools: EntryTools,
): Omit<Parameters<typeof describe>[0], "kind" | "data"> {
  const isCommand = actor !== null && OWN_ACTS.has(event.type);
  return {
    org: ledgerId("org", after.orgId),
    actor: isCommand ? ledgerActor(actor, tools.sha256) : "sys_engine",
    credential: isCommand ? actor.credential : null,
    resource: { digest: after.digest, gate: after.gate },
    request: ledgerId("req", after.id),
  };
}

/** Who was found for a stage, before its start is told (ledger R-APP-7). */
function resolvedEntries(recording: Recording, run: StageRun, tools: EntryTools): readonly DescribedEntry[] {
  const tasks = run.tasks.map((task) => ({
    task: ledgerId("task", task.id),
    person: ledgerId("usr", task.personId),
    seat: task.seatId === null ? null : ledgerId("seat", task.seatId),
    // An offline check counts as the engine does: whose approval the policy demands is part of it (ledger R-OFF-5).
    kind: task.required ? "required" : task.kind,
  }));
  const chunks: (typeof tasks)[] = [];
  for (let start = 0; start < tasks.length; start += TASKS_PER_ENTRY) {
    chunks.push(tasks.slice(start, start + TASKS_PER_ENTRY));
  }
  const { after } = recording;
  return chunks.map((chunk) =>
    describe(
      {
        org: ledgerId("org", after.orgId),
        kind: "request.resolved",
        actor: "sys_engine",
        credential: null,
        resource: { digest: after.digest, gate: after.gate },
        request: ledgerId("req", after.id),
        data: { stage: run.order, tasks: chunk, excluded: [] },
      },
      tools,
    ),
  );
}

/** Only a requester who is also the person that made the request is known by id; names are committed to. */
function requesterName(request: Request): string | null {
  const { creator } = request;
  if (creator.personId === null || creator.assignee !== request.requester) return null;
  return ledgerId("usr", creator.personId);
}
