/**
 * Several decisions in one call: each is decided as if alone, in the order of the list, and answers for itself. They share
 * one proof that is bound to exactly this list, or one touch that signed their statements. Implements docs/spec/engine.md
 * R-DECIDE-9, docs/spec/identity.md R-STEP-5 and R-SIGN-5.
 */
import type { JsonValue } from "../core/json.ts";
import type { Actor } from "./admitted-actor.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { SessionRecord } from "../ports/identity-records.ts";
import type { Viewer } from "../ports/reader.ts";
import type { Application } from "./application.ts";
import { decidedRevisions } from "./decision-act.ts";
import { decideTask, type BoundFactor, type DecideTaskInput, type DecisionMade } from "./decide-task.ts";
import { earlierAnswer, type Once, type Replay } from "./idempotency.ts";
import { decisionAct, decisionsAct, type DecidedRevision } from "./proof-act.ts";
import type { Proof, ProvenFactor } from "./proof.ts";
import { proveFactor } from "./prove-factor.ts";

/** Who decides, and the factor they sent with the call. */
export interface DecidingCaller {
  readonly actor: Actor;
  readonly viewer: Viewer;
  readonly session: SessionRecord | null;
  readonly sentProof: Proof | null;
  /** Our own API: a decision says what it is about, by view or digest (R-SIGN-8). */
  readonly mustBind: boolean;
}

export interface IntendedItem extends DecideTaskInput {
  /** Id of the statement that was signed for it. */
  readonly statement: string | null;
}

export type ItemAnswer = DecisionMade | Refusal | Replay;

export async function decideOne(
  app: Application,
  caller: DecidingCaller,
  given: { readonly item: IntendedItem; readonly response: JsonValue },
  call: Once<DecisionMade> | null,
): Promise<ItemAnswer> {
  const { item, response } = given;
  if (isUnbound(caller, item)) return unbound();
  const isProven = caller.sentProof !== null || item.statement !== null;
  // What proved the first call is spent: a repetition of it must not be asked for a proof again (R-DECIDE-4).
  const earlier = call === null || !isProven ? null : await earlierAnswer(app, call);
  if (earlier !== null) return earlier;
  const factor = await provenFor(app, caller, [item], ([revision]) => decisionAct(revision));
  return factor !== null && isRefusal(factor) ? factor : decide(app, caller, { item, response, factor }, call);
}

export async function decideMany(
  app: Application,
  caller: DecidingCaller,
  given: { readonly items: readonly IntendedItem[]; readonly response: JsonValue },
  callOf: (index: number) => Once<DecisionMade> | null,
): Promise<readonly ItemAnswer[] | Refusal> {
  const { items, response } = given;
  const earlier = await earlierAnswers(
    app,
    items.map((_, index) => callOf(index)),
  );
  const done = earlier.flatMap((answer) => answer ?? []);
  if (done.length === items.length) return done;
  const proven = await provenFor(app, caller, items, (revisions) => decisionsAct(revisions, app.sha256));
  if (proven !== null && isRefusal(proven)) {
    return done.length === 0 ? proven : earlier.map((answer) => answer ?? proven);
  }
  const answers: ItemAnswer[] = [];
  for (const [index, item] of items.entries()) {
    const factor = proven;
    const answer = isUnbound(caller, item)
      ? unbound()
      : await decide(app, caller, { item, response, factor }, callOf(index));
    answers.push(answer);
  }
  return answers;
}

/** What a repeated call decided the first time, item by item. */
async function earlierAnswers(
  app: Application,
  calls: readonly (Once<DecisionMade> | null)[],
): Promise<readonly (Replay | Refusal | null)[]> {
  const found: (Replay | Refusal | null)[] = [];
  for (const call of calls) found.push(call === null ? null : await earlierAnswer(app, call));
  return found;
}

/** A factor proven for these decisions, with what the proof says of each. */
interface ListedFactor extends ProvenFactor {
  readonly revisions: readonly DecidedRevision[];
}

async function provenFor(
  app: Application,
  { actor, viewer, session, sentProof }: DecidingCaller,
  items: readonly IntendedItem[],
  actOf: (revisions: NonEmpty<DecidedRevision>) => string,
): Promise<ListedFactor | Refusal | null> {
  const personId = actor.person?.id;
  if (sentProof === null || personId === undefined) return null;
  const revisions = await decidedRevisions(app, viewer, items);
  // Nothing that could be decided: each item says why, and the proof is not looked at.
  if (!isNonEmpty(revisions)) return null;
  const proven = await proveFactor(app, { personId, sessionId: session?.id ?? null }, actOf(revisions), sentProof);
  return isRefusal(proven) ? proven : { ...proven, revisions };
}

type NonEmpty<Item> = readonly [Item, ...Item[]];

function isNonEmpty<Item>(items: readonly Item[]): items is NonEmpty<Item> {
  return items.length > 0;
}

function decide(
  app: Application,
  { actor, session }: DecidingCaller,
  about: { readonly item: IntendedItem; readonly response: JsonValue; readonly factor: ListedFactor | null },
  call: Once<DecisionMade> | null,
): Promise<ItemAnswer> {
  const { item, response, factor } = about;
  const signature = item.statement === null ? null : { statement: item.statement, response };
  return decideTask(app, actor, { ...item, session, factor: boundTo(factor, item), signature }, call);
}

function boundTo(factor: ListedFactor | null, { taskId, action }: IntendedItem): BoundFactor | null {
  const of = factor?.revisions.find((each) => each.taskId === taskId && each.decision === action);
  if (factor === null || of === undefined) return null;
  const { factorId, method, at, usableAt } = factor;
  return { factorId, method, at, usableAt, revision: of.revision, digest: of.digest };
}

function isUnbound({ mustBind }: DecidingCaller, { digest, view = null, statement }: IntendedItem): boolean {
  return mustBind && digest === null && view === null && statement === null;
}

function unbound(): Refusal {
  return refuse("view_required", "Say what you decide on: send the view, or the digest of the request as you saw it");
}
