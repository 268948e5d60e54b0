import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { claimTask, releaseTask, useOwnTasks } from "../../api/decisions.ts";
import { classNames } from "../../look/class-names.ts";
import { announce } from "../../parts/announcer.tsx";
import controls from "../../parts/controls.module.css";

/** A claim tells the other candidates that somebody is looking; it excludes nobody. */
export function ClaimButton({ requestId, taskId }: { readonly requestId: string; readonly taskId: string }): ReactNode {
  const client = useQueryClient();
  const task = useOwnTasks(requestId).data?.find((each) => each.id === taskId);
  const claimed = task?.status === "claimed";
  const mutation = useMutation({
    mutationFn: () => (claimed ? releaseTask(taskId) : claimTask(taskId)),
    onSuccess: () => {
      announce(claimed ? "Released." : "Claimed: the others see that you are looking.");
    },
    onError: (failure) => {
      announce(failure.message);
    },
    onSettled: () => client.invalidateQueries({ queryKey: ["request", requestId] }),
  });
  if (task === undefined) return null;
  return (
    <button
      type="button"
      className={classNames(controls.button, controls.small, controls.quiet)}
      title={
        claimed ? "You told the others that you are looking at this" : "Tell the others that you are looking at this"
      }
      disabled={mutation.isPending}
      onClick={() => {
        mutation.mutate();
      }}
    >
      {claimed ? "Release" : "Claim"}
    </button>
  );
}
