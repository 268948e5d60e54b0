/**
 * What a proof is good for, as text: the route with its resources, and for decisions what is decided of which revision
 * (docs/spec/identity.md R-STEP-2, R-STEP-5). Two acts are the same when their texts are.
 */
import { canonicalJson } from "../ledger/canonical-json.ts";
import type { Sha256 } from "../ledger/sha256.ts";
import { hex, utf8 } from "./ledger-names.ts";

/** Signing in proves a factor before there is a session. */
export const SIGN_IN_ACT = "POST /auth/password";
export const STEP_UP_ACT = "POST /session/step-up";
export const DECISIONS_ROUTE = "POST /tasks/decisions";
/** Clients of the deploy gate's older kind do not say what they are about to do (deploy R-MFA-3). */
export const FIRST_ACT = "*";

/** Does a challenge that was made for one act serve this one? One for no act in particular serves the first, but no task. */
export function servesAct(made: string, act: string): boolean {
  return made === act || (made === FIRST_ACT && !act.startsWith("POST /tasks/"));
}

export interface DecidedRevision {
  readonly taskId: string;
  readonly decision: string;
  readonly revision: number;
  /** Of the payload, `sha256:` and hex. */
  readonly digest: string;
}

export function decisionAct({ taskId, decision, revision, digest }: DecidedRevision): string {
  return `POST /tasks/${taskId}/decision ${decision} ${String(revision)} ${digest}`;
}

/** One proof for exactly the listed decisions, in their order; nothing can be added later. */
export function decisionsAct(decisions: readonly DecidedRevision[], sha256: Sha256): string {
  const list = decisions.map(({ taskId, decision, revision, digest }) => ({
    task: taskId,
    decision,
    revision,
    digest,
  }));
  return `${DECISIONS_ROUTE} sha256:${hex(sha256(utf8(canonicalJson(list))))}`;
}

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
/** Parts of a path that people choose: an entry of the ledger never repeats them (ledger R-PRIV-1). */
const CHOSEN = /^((?:\/racks\/[^/]+\/api\/v1)?(?:\/policies|\/directory\/[a-z]+|\/users|\/apps))\/[^/]+/;
const ROUTE = /^[A-Z]{3,7} \/[A-Za-z0-9._~:{}*/-]{0,255}$/;

/** The act's route as entries may say it, or null: `POST /people/{id}/suspend`. */
export function actRoute(act: string): string | null {
  const [method = "", path = ""] = act.split(" ");
  const route = `${method} ${path.replaceAll(UUID, "{id}").replace(CHOSEN, "$1/{name}")}`;
  return ROUTE.test(route) ? route : null;
}

const CODE_LENGTH_MAX = 64;

/** The same as one word: `post_people_suspend`. */
export function actCode(act: string): string | null {
  const words = actRoute(act)
    ?.toLowerCase()
    .split(/[^a-z0-9{}]+/)
    .filter((word) => /^[a-z][a-z0-9]*$/.test(word));
  const code = words?.join("_").slice(0, CODE_LENGTH_MAX).replace(/_$/, "");
  return code === undefined || code === "" ? null : code;
}
