/** What did not work outside, in the log: by the name of the system that was called (docs/spec/deploy.md R-CI-4). */
import type { Logger } from "pino";
import type { EffectError, EffectRecord } from "../ports/effects.ts";

/** Put off as planned: messages that go out together (R-MAIL-1). */
const WAITS = "merged";

export function logEffectTrouble(log: Pick<Logger, "warn">): (effect: EffectRecord, error: EffectError) => void {
  return ({ id, kind, requestId, attempts }, { code, message, detail }) => {
    if (code === WAITS) return;
    const provider = detail?.["provider"];
    const system = typeof provider === "string" ? provider : kind;
    log.warn({ effect: id, kind, request: requestId, attempt: attempts, code }, `${system}: ${message}`);
  };
}
