/** What a running server does about sessions besides answering (docs/spec/identity.md R-SESS-3, R-SESS-4). */
import type { Application } from "../app/application.ts";
import { endOverdueSessions } from "../app/end-overdue-sessions.ts";
import { summarizeRefusals } from "../app/refused-sign-ins.ts";
import type { Housekeeping } from "../ports/housekeeping.ts";
import { startSessionLoop } from "../worker/session-loop.ts";

export interface KeepSessionsOptions {
  readonly app: Application;
  readonly housekeeping: Housekeeping;
  readonly isPaused: () => boolean;
  readonly onError: (error: unknown) => void;
}

/** Answers how to end it. */
export function keepSessions({ app, housekeeping, isPaused, onError }: KeepSessionsOptions): () => Promise<void> {
  const loop = startSessionLoop({
    writeLastSeen: () => housekeeping.writeLastSeen(app.lastSeen.drain(app.clock())),
    endOverdue: () => endOverdueSessions(app, housekeeping),
    summarize: () => summarizeRefusals(app),
    settled: () => app.refusals.settled(),
    ...{ isPaused, onError },
  });
  return () => loop.stop();
}
