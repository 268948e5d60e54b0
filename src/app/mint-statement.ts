/**
 * A person asks to sign: the statement says what was shown to them, word for word, and is dead after two minutes. One
 * statement alone, or up to 50 under one touch. Implements docs/spec/identity.md section 7.1, second record, 7.2 and R-SIGN-5.
 */
import type { TaskId } from "../core/ids.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { Instant, Person } from "../core/person.ts";
import type { Stage } from "../core/policy.ts";
import { ruleOf } from "../core/progress.ts";
import { Bug, isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { DecisionAction, Request, StageRun, Task } from "../core/request.ts";
import { openTask } from "../core/task-access.ts";
import { tryCompilePolicy } from "../core/compile-policy.ts";
import { batchChallenge, batchPath, batchRoot } from "../evidence/batch.ts";
import { encodeStatement, statementChallenge, STATEMENT_TTL_SECONDS_MAX } from "../evidence/statement.ts";
import { commit, SALT_BYTES } from "../ledger/commitment.ts";
import type { StatementRecord, ViewRecord } from "../ports/ceremony-records.ts";
import type { PolicyVersion } from "../ports/change-set.ts";
import type { FactorRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { signingFactors } from "./deciding-factors.ts";
import { ledgerTime } from "./entry-writer.ts";
import { factorRules } from "./factor-rules.ts";
import { base64url, ledgerId } from "./ledger-names.ts";
import { changedSinceView, seenCheckpoint, seenPolicy, viewStale, type Onlooker } from "./show-task.ts";

export interface Intention {
  readonly taskId: TaskId;
  readonly view: string;
  readonly action: DecisionAction;
  readonly comment: string | null;
  readonly reasonCode: string | null;
}

export interface Minted {
  readonly id: string;
  readonly text: string;
}

/** What the browser is to ask a passkey for. */
export interface SigningCeremony {
  readonly options: JsonObject;
  readonly notAfter: Instant;
}

export interface MintedBatch extends SigningCeremony {
  /** Root over the statements, hex; null when none could be minted. */
  readonly root: string;
  /** In the order asked for. */
  readonly items: readonly (Minted | Refusal)[];
}

const NONCE_BYTES = 32;

export async function mintStatement(
  app: Application,
  onlooker: Onlooker,
  intention: Intention,
): Promise<(Minted & SigningCeremony) | Refusal> {
  const factors = await ownSigningFactors(app, onlooker);
  if (isRefusal(factors)) return factors;
  const draft = await draftStatement(app, onlooker, intention);
  if (isRefusal(draft)) return draft;
  const challenge = statementChallenge(draft.text, app.sha256);
  const record = recordOf(app, draft, { onlooker, factors, challenge, batch: null });
  await app.scratch.add("statement", record);
  const options = app.passkeys.assertionOptions({ challenge, allow: factors });
  return { id: record.id, text: record.text, options, notAfter: record.expiresAt };
}

/** Each statement stands for itself; what one touch signs is the root over their texts, in the order shown. */
export async function mintStatements(
  app: Application,
  onlooker: Onlooker,
  intentions: readonly Intention[],
): Promise<MintedBatch | Refusal> {
  const factors = await ownSigningFactors(app, onlooker);
  if (isRefusal(factors)) return factors;
  const drafts: (Draft | Refusal)[] = [];
  for (const intention of intentions) drafts.push(await draftForBatch(app, onlooker, intention, drafts));
  const minted = drafts.flatMap((draft) => (isRefusal(draft) ? [] : [draft]));
  const [first] = minted;
  if (first === undefined) {
    const reason = drafts.find(isRefusal);
    return reason ?? refuse("invalid_input", "A batch holds at least one statement");
  }
  const texts = minted.map(({ text }) => text);
  const root = batchRoot(texts, app.sha256);
  const challenge = batchChallenge(root, app.sha256);
  const items: (Minted | Refusal)[] = [];
  for (const draft of drafts) {
    if (isRefusal(draft)) {
      items.push(draft);
      continue;
    }
    const index = minted.indexOf(draft);
    const batch = { root, index, size: texts.length, path: [...batchPath(texts, index, app.sha256)] };
    const record = recordOf(app, draft, { onlooker, factors, challenge, batch });
    await app.scratch.add("statement", record);
    items.push({ id: record.id, text: record.text });
  }
  const options = app.passkeys.assertionOptions({ challenge, allow: factors });
  return { root, items, options, notAfter: Math.min(...minted.map(({ expiresAt }) => expiresAt)) };
}

async function ownSigningFactors(
  app: Application,
  { session: { personId } }: Onlooker,
): Promise<readonly FactorRecord[] | Refusal> {
  const [factors, rules] = await Promise.all([
    app.reader.records(recordsBy("factor", "personId", [personId])),
    factorRules(app),
  ]);
  return signingFactors(factors, rules, app.clock());
}

interface Draft {
  readonly intention: Intention;
  readonly text: string;
  readonly reason: JsonValue;
  readonly createdAt: Instant;
  readonly expiresAt: Instant;
  readonly rule: Stage;
}

async function draftForBatch(
  app: Application,
  onlooker: Onlooker,
  intention: Intention,
  before: readonly (Draft | Refusal)[],
): Promise<Draft | Refusal> {
  const isRepeated = before.some((draft) => !isRefusal(draft) && draft.intention.taskId === intention.taskId);
  if (isRepeated) return refuse("invalid_input", "This task stands in the batch already");
  const draft = await draftStatement(app, onlooker, intention);
  if (isRefusal(draft) || draft.rule.batch) return draft;
  return refuse("not_available", "This stage takes no batch signatures: open the request and sign it alone");
}

async function draftStatement(app: Application, onlooker: Onlooker, intention: Intention): Promise<Draft | Refusal> {
  const { actor, viewer } = onlooker;
  const task = await app.reader.task(intention.taskId, viewer);
  const request = task === undefined ? undefined : await app.reader.request(task.request.id, viewer);
  if (request === undefined) return refuse("task_not_found", `Task ${intention.taskId} not found`);
  // Nobody signs in the place of somebody else (R-ROLE-2).
  const found = openTask(request, intention.taskId, { ...actor, admin: false }, "decide");
  if (isRefusal(found)) return found;
  if (actor.person === null) throw new Bug("openTask lets only people through");
  const versions = await app.reader.policyVersions(request.policy.key);
  const view = await viewInForce(app, onlooker, intention, { request, versions });
  if (isRefusal(view)) return view;
  const { stage } = found;
  const rule = ruleIn(versions, request, stage);
  return written(app, { intention, request, stage, task: found.task, view, person: actor.person }, rule);
}

async function viewInForce(
  app: Application,
  onlooker: Onlooker,
  intention: Intention,
  { request, versions }: { readonly request: Request; readonly versions: readonly PolicyVersion[] },
): Promise<ViewRecord | Refusal> {
  const [view] = await app.reader.records(recordsBy("view", "id", [intention.view]));
  if (!isOwnView(view, onlooker, intention.taskId, app.clock())) {
    return refuse("view_required", "Open the request again: what you sign must be what was shown to you");
  }
  const activeVersion = versions.find(({ status }) => status === "active")?.version ?? null;
  const changed = changedSinceView(view, request, activeVersion);
  return changed.length === 0 ? view : viewStale(changed);
}

/** The stage as the request's own version of the policy has it. */
function ruleIn(versions: readonly PolicyVersion[], request: Request, stage: StageRun): Stage {
  const pinned = versions.find(({ id }) => id === request.policy.id);
  const compiled = pinned === undefined ? undefined : tryCompilePolicy(pinned.document);
  if (compiled?.ok !== true) throw new Bug("the policy of a request cannot be read");
  return ruleOf(compiled.policy, stage);
}

/** A view is good for the person, the session and the task that it was made for, while it lasts. */
export function isOwnView(
  view: ViewRecord | undefined,
  { session }: Pick<Onlooker, "session">,
  taskId: TaskId,
  now: Instant,
): view is ViewRecord {
  return (
    view?.taskId === taskId &&
    view.personId === session.personId &&
    view.sessionId === session.id &&
    view.expiresAt > now
  );
}

interface Seen {
  readonly intention: Intention;
  readonly request: Request;
  readonly stage: StageRun;
  readonly task: Task;
  readonly view: ViewRecord;
  readonly person: Person;
}

function written(app: Application, seen: Seen, rule: Stage): Draft {
  const { intention, request, stage, task, view, person } = seen;
  const createdAt = app.clock();
  const expiresAt = createdAt + STATEMENT_TTL_SECONDS_MAX * 1_000;
  const salt = app.random(SALT_BYTES);
  const { comment, reasonCode } = intention;
  const { key, version, digest } = seenPolicy(view);
  const text = encodeStatement({
    ...{
      v: 1,
      type: "countersign/decision",
      org: ledgerId("org", request.orgId),
      request: ledgerId("req", request.id),
    },
    ...{ revision: view.revision, stage: stage.order, task: ledgerId("task", task.id), gate: request.gate },
    ...{ decision: intention.action, approver: ledgerId("usr", person.id) },
    on_behalf_of: task.delegatorId === null ? null : ledgerId("usr", task.delegatorId),
    policy: { key, version, digest },
    ...{ payload: view.payloadDigest, display: view.displayDigest },
    reason: comment === null ? null : commit(comment, salt, app.sha256),
    checkpoint: seenCheckpoint(view),
    ...{ shown_at: ledgerTime(view.shownAt), not_after: ledgerTime(expiresAt) },
    nonce: base64url(app.random(NONCE_BYTES)),
  });
  const reason = { salt: base64url(salt), value: comment, code: reasonCode };
  return { intention, text, reason, createdAt, expiresAt, rule };
}

function recordOf(
  app: Application,
  draft: Draft,
  about: {
    readonly onlooker: Onlooker;
    readonly factors: readonly FactorRecord[];
    readonly challenge: Uint8Array;
    readonly batch: JsonValue;
  },
): StatementRecord {
  const { session } = about.onlooker;
  return {
    ...{ id: app.newId(), viewId: draft.intention.view, personId: session.personId, sessionId: session.id },
    ...{ taskId: draft.intention.taskId, text: draft.text, challenge: base64url(about.challenge) },
    ...{ reason: draft.reason, batch: about.batch },
    credentials: about.factors.flatMap(({ credentialId }) => credentialId ?? []),
    ...{ createdAt: draft.createdAt, expiresAt: draft.expiresAt, usedAt: null },
  };
}
