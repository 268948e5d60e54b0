import type { QueryClient } from "@tanstack/react-query";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";

import { Refusal, Unreachable } from "../../api/call.ts";
import type { Decision, DecisionAction } from "../../api/decisions.ts";
import { decide } from "../../api/decisions.ts";
import { newIdempotencyKey } from "../../api/idempotency-key.ts";
import { isWithdrawn } from "../../api/proof.ts";
import type { ApprovalRequest } from "../../api/requests.ts";
import { viewOf } from "../../api/views.ts";
import { announce } from "../../parts/announcer.tsx";
import { showsThe } from "../../signing/display-blocks.ts";
import { StatementDiffers } from "../../signing/statement-differs.ts";
import { neededFor } from "./needed-assurance.ts";

interface Deciding {
  readonly isPending: boolean;
  readonly pending: DecisionAction | null;
  /** What is missing from the comment field. */
  readonly fault: string | null;
  readonly refusal: Error | null;
  readonly askForReason: () => void;
  readonly send: (action: DecisionAction, comment: string) => void;
}

/** Refusals that mean somebody else was first: the page shows the outcome, not an error (R-DEC-3). */
const lostRaces: readonly string[] = ["wrong_state", "quorum_conflict", "idempotency_conflict"];
const missingComment: readonly string[] = ["comment_required", "reason_code_required"];

interface Given {
  readonly action: DecisionAction;
  readonly comment: string;
}

/** R-CON-9: nothing is shown as decided before the server committed it. R-DEC-4: one idempotency key per view. */
export function useDecide(
  request: ApprovalRequest,
  taskId: string,
  onRecorded: (decision: Decision) => void,
): Deciding {
  const client = useQueryClient();
  const [idempotencyKey, setIdempotencyKey] = useState(newIdempotencyKey);
  // The second click of a double click comes before the first one is drawn.
  const sending = useRef(false);
  const [fault, setFault] = useState<string | null>(null);
  const readAgain = async (): Promise<void> => {
    await Promise.all([
      client.invalidateQueries({ queryKey: ["request", request.id] }),
      client.invalidateQueries({ queryKey: ["inbox"] }),
      client.invalidateQueries({ queryKey: ["requests"] }),
    ]);
  };
  const mutation = useMutation({
    mutationFn: (given: Given) => decideFromView(client, { request, taskId, idempotencyKey }, given),
    // The same key with the same words is safe to send again when the answer was lost; a signature is made once.
    retry: (failures, failure) => failure instanceof Unreachable && failures < 2,
    onSuccess: async (decision) => {
      onRecorded({ ...decision, task_id: taskId });
      await readAgain();
    },
    onSettled: () => {
      sending.current = false;
    },
    onError: async (failure) => {
      // What was refused was not recorded: another try, with another proof or signature, is another call.
      if (failure instanceof Refusal) setIdempotencyKey(newIdempotencyKey());
      if (failure instanceof Refusal && missingComment.includes(failure.code)) setFault(failure.message);
      if (failure instanceof Refusal && failure.status === 409) {
        client.removeQueries({ queryKey: ["view", taskId] });
        await readAgain();
      }
      if (isLostRace(failure)) announce("Somebody else was first. The page shows the outcome.");
    },
  });
  const { error } = mutation;
  const atField = error instanceof Refusal && missingComment.includes(error.code);
  return {
    isPending: mutation.isPending,
    pending: mutation.isPending ? mutation.variables.action : null,
    fault,
    refusal: error === null || atField || isSilent(error) ? null : error,
    askForReason: () => {
      setFault("Say why you reject: the requester reads it.");
    },
    send: (action, comment) => {
      if (sending.current) return;
      sending.current = true;
      setFault(null);
      mutation.mutate({ action, comment: comment.trim() });
    },
  };
}

interface Decided {
  readonly request: ApprovalRequest;
  readonly taskId: string;
  readonly idempotencyKey: string;
}

/** The view says how strongly the decision must be proven; a passkey signs a statement about that very view. */
async function decideFromView(client: QueryClient, decided: Decided, given: Given): Promise<Decision> {
  const { request, taskId, idempotencyKey } = decided;
  const { action, comment } = given;
  const view = await viewOf(client, { taskId, digest: request.digest });
  if (!showsThe(view, request)) {
    await client.invalidateQueries({ queryKey: ["request", request.id] });
    throw new StatementDiffers("version of the request");
  }
  const needed = neededFor(view, action);
  const draft = { taskId, action, comment, digest: request.digest, view: view.id, idempotencyKey };
  if (needed === "signed") {
    // Loaded when somebody signs: the check of the statement is of no use before.
    const { signView } = await import("../../signing/sign-view.ts");
    const signature = await signView(view, { action, comment, digest: request.digest });
    return decide({ ...draft, signature, proveFirst: null });
  }
  return decide({ ...draft, signature: null, proveFirst: needed === "mfa" ? view.methods : null });
}

function isLostRace(failure: Error): boolean {
  return failure instanceof Refusal && lostRaces.includes(failure.code);
}

/** What is told elsewhere on the page, or what the person stopped themselves. */
function isSilent(failure: Error): boolean {
  return isWithdrawn(failure) || isLostRace(failure);
}
