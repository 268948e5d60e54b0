/** Who decides, and what they sent to prove it. */
import type { DecidingCaller } from "../app/decide-many.ts";
import type { RawExchange } from "./endpoint.ts";
import { familyOf } from "./send-problem.ts";

export function decidingCaller({ caller, url }: Pick<RawExchange, "caller" | "url">): DecidingCaller {
  const { actor, viewer, session, sentProof } = caller;
  // The bodies of the compatible API know neither views nor digests (R-SIGN-8).
  return { actor, viewer, session, sentProof, mustBind: familyOf(url) === "problem" };
}
