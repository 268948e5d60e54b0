import type { QueryClient } from "@tanstack/react-query";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

import { rememberOutcome } from "./recent-outcomes.ts";
import { followLiveStream } from "./live-stream.ts";

/** R-FAST-3: however many events arrive in a burst, the screen is read again at most four times a second. */
const settleMilliseconds = 250;

export function useLiveUpdates(): void {
  const client = useQueryClient();
  useEffect(() => {
    const refresh = refresher(client);
    const stop = followLiveStream({
      onEvent: (event) => {
        rememberOutcome(event);
        refresh.changed(event.request_id);
      },
      onGap: () => {
        void client.invalidateQueries();
      },
    });
    return () => {
      refresh.stop();
      stop();
    };
  }, [client]);
}

interface Refresher {
  readonly changed: (requestId: string | null) => void;
  readonly stop: () => void;
}

function refresher(client: QueryClient): Refresher {
  const changedRequests = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | null = null;
  let lastFlush = 0;
  const flush = (): void => {
    timer = null;
    lastFlush = Date.now();
    void client.invalidateQueries({ queryKey: ["inbox"] });
    void client.invalidateQueries({ queryKey: ["requests"] });
    void client.invalidateQueries({ queryKey: ["deploy-approvals"] });
    for (const id of changedRequests) void client.invalidateQueries({ queryKey: ["request", id] });
    changedRequests.clear();
  };
  return {
    changed: (requestId) => {
      if (requestId !== null) changedRequests.add(requestId);
      timer ??= setTimeout(flush, Math.max(0, settleMilliseconds - (Date.now() - lastFlush)));
    },
    stop: () => {
      if (timer !== null) clearTimeout(timer);
    },
  };
}
