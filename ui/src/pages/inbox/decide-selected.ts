import type { DecisionAction } from "../../api/decisions.ts";
import type { InboxItem } from "../../api/inbox.ts";
import { askPasskey } from "../../api/passkeys.ts";
import type { MintedBatch, ManyItem, View } from "../../api/views.ts";
import { decideMany, mintBatch } from "../../api/views.ts";
import { assertBatchChallenge, checkedStatement } from "../../signing/check-statement.ts";
import { neededFor } from "../request/needed-assurance.ts";

export interface Chosen {
  readonly item: InboxItem;
  readonly view: View;
}

export interface Outcome {
  readonly taskId: string;
  /** Null when it was recorded. */
  readonly refusal: { readonly code: string | null; readonly message: string } | null;
}

export interface SelectedDecision {
  readonly action: DecisionAction;
  readonly comment: string;
}

/**
 * R-INB-6: one reason, one touch for all that are signed, one proof for the rest; never all or nothing. What fails as a
 * whole is told for each item of it, and what was recorded stays recorded.
 */
export async function decideSelected(
  chosen: readonly Chosen[],
  decision: SelectedDecision,
): Promise<readonly Outcome[]> {
  const signed = chosen.filter(({ view }) => neededFor(view, decision.action) === "signed");
  const others = chosen.filter((each) => !signed.includes(each));
  const bySignature = await settled(signed, () => signSelected(signed, decision));
  const byProof = await settled(others, () => proveSelected(others, decision));
  return [...bySignature, ...byProof];
}

async function settled(
  chosen: readonly Chosen[],
  carryOut: () => Promise<readonly Outcome[]>,
): Promise<readonly Outcome[]> {
  if (chosen.length === 0) return [];
  try {
    return await carryOut();
  } catch (failure) {
    const message = failure instanceof Error ? failure.message : "It failed for an unknown reason.";
    return chosen.map(({ item }) => ({ taskId: item.task_id, refusal: { code: codeOf(failure), message } }));
  }
}

function codeOf(failure: unknown): string | null {
  return failure instanceof Error && "code" in failure && typeof failure.code === "string" ? failure.code : null;
}

async function proveSelected(chosen: readonly Chosen[], decision: SelectedDecision): Promise<readonly Outcome[]> {
  const proven = chosen.filter(({ view }) => neededFor(view, decision.action) === "mfa");
  const methods = proven.map(({ view }) => view.methods);
  const common = methods[0]?.filter((method) => methods.every((each) => each.includes(method))) ?? null;
  const items = chosen.map((each) => itemOf(each, decision));
  return outcomesOf(await decideMany(items, { response: null, proveFirst: common }));
}

async function signSelected(chosen: readonly Chosen[], decision: SelectedDecision): Promise<readonly Outcome[]> {
  const { action, comment } = decision;
  const minted = await mintBatch(
    chosen.map(({ item, view }) => ({ task_id: item.task_id, view: view.id, action, ...commentOf(comment) })),
  );
  const texts: string[] = [];
  const items: ManyItem[] = [];
  for (const each of minted.items) {
    const found = chosen.find(({ item }) => item.task_id === each.task_id);
    if (found === undefined || each.statement === null || each.id === null) continue;
    checkedStatement(each.statement, { action, comment, view: found.view, digest: found.item.digest });
    texts.push(each.statement);
    items.push({ ...itemOf(found, decision), statement: each.id });
  }
  const left = leftOut(minted);
  if (texts.length === 0) return left;
  assertBatchChallenge(minted.options, texts);
  const response = await askPasskey(minted.options);
  return [...left, ...outcomesOf(await decideMany(items, { response, proveFirst: null }))];
}

function leftOut(minted: MintedBatch): readonly Outcome[] {
  return minted.items.flatMap(({ task_id: taskId, error }) => (error === null ? [] : [{ taskId, refusal: error }]));
}

function itemOf({ item, view }: Chosen, { action, comment }: SelectedDecision): ManyItem {
  return { task_id: item.task_id, action, digest: view.digest, view: view.id, ...commentOf(comment) };
}

function commentOf(comment: string): { readonly comment?: string } {
  return comment === "" ? {} : { comment };
}

function outcomesOf(results: Awaited<ReturnType<typeof decideMany>>): readonly Outcome[] {
  return results.map(({ task_id: taskId, error }) => ({ taskId, refusal: error }));
}
