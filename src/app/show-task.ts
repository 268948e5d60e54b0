/**
 * A person opens a request in order to decide: what they are shown is fixed by digests, for half an hour. Implements
 * docs/spec/identity.md section 7.1, first record.
 */
import { neededAssurance } from "../core/assurance.ts";
import type { Assurance, ProofMethod } from "../core/assurance-level.ts";
import { tryCompilePolicy } from "../core/compile-policy.ts";
import type { TaskId } from "../core/ids.ts";
import type { JsonObject } from "../core/json.ts";
import type { Actor } from "./admitted-actor.ts";
import { ruleOf } from "../core/progress.ts";
import { Bug, isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { Request } from "../core/request.ts";
import { openTask, type OpenTask } from "../core/task-access.ts";
import { changedSince, displayDocument } from "../gates/generic/display-document.ts";
import { toBase64 } from "../ledger/base64.ts";
import { fromHex } from "../ledger/hex.ts";
import { parseCheckpoint } from "../ledger/note.ts";
import type { ViewRecord } from "../ports/ceremony-records.ts";
import type { Checkpoints } from "../ports/evidence.ts";
import type { SessionRecord } from "../ports/identity-records.ts";
import type { Viewer } from "../ports/reader.ts";
import type { Application } from "./application.ts";
import { decidingMethods } from "./deciding-factors.ts";
import { digestOf } from "./digest.ts";
import { base64url } from "./ledger-names.ts";

export interface Onlooker {
  readonly actor: Actor;
  readonly viewer: Viewer;
  readonly session: SessionRecord;
}

export interface TaskShown {
  readonly view: ViewRecord;
  readonly assurance: { readonly approve: Assurance; readonly reject: Assurance };
  readonly methods: readonly ProofMethod[];
}

const VIEW_SECONDS = 1_800;
const SALT_BYTES = 16;

export async function showTask(
  app: Application,
  checkpoints: Checkpoints,
  onlooker: Onlooker,
  taskId: TaskId,
): Promise<TaskShown | Refusal> {
  const { actor, viewer, session } = onlooker;
  const request = await requestOfTask(app, taskId, viewer);
  if (request === undefined) return refuse("task_not_found", `Task ${taskId} not found`);
  const found = openTask(request, taskId, actor, "decide");
  if (isRefusal(found)) return found;
  const { person } = actor;
  if (person === null) throw new Bug("openTask lets only people through");
  const { document, assurance } = await drawn(app, request, found);
  const now = app.clock();
  const view: ViewRecord = {
    ...{ id: app.newId(), orgId: app.orgId, personId: person.id, sessionId: session.id, requestId: request.id, taskId },
    ...{ revision: request.revision, payloadDigest: request.digest },
    policy: { ...policyRef(request), active_version: document.activeVersion },
    ...{ displayDigest: digestOf(document.display, app.sha256), display: document.display },
    ...{ checkpoint: await checkpointSeen(checkpoints), shownAt: now, expiresAt: now + VIEW_SECONDS * 1_000 },
  };
  await app.scratch.add("view", view);
  return { view, assurance, methods: await decidingMethods(app, person.id, assurance.approve) };
}

export interface SeenPolicy {
  readonly key: string;
  readonly version: number;
  readonly digest: string;
  readonly activeVersion: number | null;
}

/** What a view says about its policy; views are written here and nowhere else. */
export function seenPolicy({ policy }: ViewRecord): SeenPolicy {
  const { key, version, digest, active_version: active } = policy;
  if (typeof key !== "string" || typeof version !== "number" || typeof digest !== "string") throw unreadableView();
  return { key, version, digest, activeVersion: typeof active === "number" ? active : null };
}

export interface SeenCheckpoint {
  readonly origin: string;
  readonly size: number;
  /** base64, as in statements. */
  readonly root: string;
}

export function seenCheckpoint({ checkpoint }: ViewRecord): SeenCheckpoint {
  const { origin, size, root } = checkpoint;
  if (typeof origin !== "string" || typeof size !== "number" || typeof root !== "string") throw unreadableView();
  return { origin, size, root };
}

function unreadableView(): Bug {
  return new Bug("a view cannot be read");
}

/**
 * What is no longer as the view showed it; empty when all is. A version of the policy that was activated meanwhile does not
 * change the request, but who decides must have been told.
 */
export function changedSinceView(view: ViewRecord, request: Request, activeVersion: number | null): string[] {
  const { digest, activeVersion: shownVersion } = seenPolicy(view);
  const isSamePayload = view.payloadDigest === request.digest;
  return [
    ...(view.revision === request.revision ? [] : ["revision"]),
    ...(isSamePayload ? [] : ["payload", ...changedSince(view.display, request)]),
    ...(digest === request.policy.digest ? [] : ["policy"]),
    ...(shownVersion === activeVersion ? [] : ["active_policy"]),
  ];
}

export function viewStale(changed: string[]): Refusal {
  const message = `What you saw has changed (${changed.join(", ")}): look at it again, then decide`;
  return { ...refuse("view_stale", message), members: { changed } };
}

async function requestOfTask(app: Application, taskId: TaskId, viewer: Viewer): Promise<Request | undefined> {
  const task = await app.reader.task(taskId, viewer);
  return task === undefined ? undefined : await app.reader.request(task.request.id, viewer);
}

interface Drawn {
  readonly document: { readonly display: JsonObject; readonly activeVersion: number | null };
  readonly assurance: TaskShown["assurance"];
}

async function drawn(app: Application, request: Request, { stage: run, task }: OpenTask): Promise<Drawn> {
  const versions = await app.reader.policyVersions(request.policy.key);
  const pinned = versions.find(({ id }) => id === request.policy.id);
  const compiled = pinned === undefined ? undefined : tryCompilePolicy(pinned.document);
  if (compiled?.ok !== true) throw new Bug("the policy of a request cannot be read");
  const { policy } = compiled;
  const stage = ruleOf(policy, run);
  const activeVersion = versions.find(({ status }) => status === "active")?.version ?? null;
  const salt = base64url(app.random(SALT_BYTES));
  const needs = (action: "approve" | "reject"): Assurance => neededAssurance(stage, task.kind, action);
  return {
    document: { display: displayDocument({ request, policy, stage, task, activeVersion, salt }), activeVersion },
    assurance: { approve: needs("approve"), reject: needs("reject") },
  };
}

function policyRef({ policy }: Request): JsonObject {
  return { key: policy.key, version: policy.version, digest: policy.digest };
}

/** As statements hold it: the root in base64. */
async function checkpointSeen(checkpoints: Checkpoints): Promise<JsonObject> {
  const checkpoint = parseCheckpoint(await checkpoints.newest());
  if (checkpoint === null) throw new Bug("the newest checkpoint cannot be read");
  const { origin, size, root } = checkpoint;
  return { origin, size, root: toBase64(fromHex(root)) };
}
