import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";

import { Refusal, Unreachable } from "../../api/call.ts";
import type { Decision, DecisionAction } from "../../api/decisions.ts";
import { decide } from "../../api/decisions.ts";
import { newIdempotencyKey } from "../../api/idempotency-key.ts";
import type { ApprovalRequest } from "../../api/requests.ts";
import { announce } from "../../parts/announcer.tsx";

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

/** R-CON-9: nothing is shown as decided before the server committed it. R-DEC-4: one idempotency key per view. */
export function useDecide(
  request: ApprovalRequest,
  taskId: string,
  onRecorded: (decision: Decision) => void,
): Deciding {
  const client = useQueryClient();
  const [idempotencyKey] = useState(newIdempotencyKey);
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
    mutationFn: ({ action, comment }: { readonly action: DecisionAction; readonly comment: string }) =>
      decide({ taskId, action, comment, digest: request.digest, idempotencyKey }),
    // The same key with the same words is safe to send again when the answer was lost.
    retry: (failures, failure) => failure instanceof Unreachable && failures < 2,
    onSuccess: async (decision) => {
      onRecorded({ ...decision, task_id: taskId });
      await readAgain();
    },
    onSettled: () => {
      sending.current = false;
    },
    onError: async (failure) => {
      if (failure instanceof Refusal && missingComment.includes(failure.code)) setFault(failure.message);
      if (failure instanceof Refusal && failure.status === 409) await readAgain();
      if (isLostRace(failure)) announce("Somebody else was first. The page shows the outcome.");
    },
  });
  const { error } = mutation;
  const atField = error instanceof Refusal && missingComment.includes(error.code);
  return {
    isPending: mutation.isPending,
    pending: mutation.isPending ? mutation.variables.action : null,
    fault,
    refusal: error === null || atField || isLostRace(error) ? null : error,
    askForReason: () => {
      setFault("Say why you reject: the requester reads it.");
    },
    send: (action, comment) => {
      if (sending.current) return;
      sending.current = true;
      setFault(null);
      mutation.mutate({ action, comment });
    },
  };
}

function isLostRace(failure: Error): boolean {
  return failure instanceof Refusal && lostRaces.includes(failure.code);
}
