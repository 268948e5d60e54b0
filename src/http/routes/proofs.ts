/** Challenges for passkeys, and opening the step-up window (docs/spec/identity.md section 2). */
import { z } from "zod";
import { decidedRevisions } from "../../app/decision-act.ts";
import { boundAct } from "../../app/deploy/bound-act.ts";
import { offerChallenge } from "../../app/factor-challenge.ts";
import { stepUp } from "../../app/factor-step-up.ts";
import { decisionAct, decisionsAct, DECISIONS_ROUTE } from "../../app/proof-act.ts";
import { isId, type TaskId } from "../../core/ids.ts";
import { isRefusal, refuse, type Refusal } from "../../core/refusal.ts";
import { challengeOutSchema, challengeSchema } from "../../contract/factors.ts";
import { wireTime } from "../../contract/wire-time.ts";
import { NO_CONTENT, taskNotFound } from "../answers.ts";
import { assuranceProblem, type Authorized } from "../authorized.ts";
import { endpoint, type Endpoint } from "../endpoint.ts";
import { proverOf, UNCACHED } from "../own-prover.ts";
import type { ServerOptions } from "../server-options.ts";
import { sessionCookie } from "../session-cookie.ts";

const tag = "self";

export function proofRoutes({ browser }: ServerOptions): readonly Endpoint[] {
  return [
    endpoint({
      method: "POST",
      url: "/me/challenges",
      summary: "A challenge that a passkey answers, for one act",
      tag,
      body: challengeSchema,
      answers: { 201: challengeOutSchema },
      async handle({ caller, body }) {
        const who = proverOf(caller);
        if (isRefusal(who)) return who;
        const act = await actOf(caller, body);
        if (typeof act !== "string") return act;
        const offered = await offerChallenge(caller.app, who, act);
        if (isRefusal(offered)) return offered;
        const { id, options, expiresAt } = offered;
        return { status: 201, body: { id, options, expires_at: wireTime(expiresAt) }, headers: UNCACHED };
      },
    }),
    endpoint({
      method: "POST",
      url: "/session/step-up",
      summary: "Prove a factor: acts that need a recent one do not ask again for some minutes",
      tag,
      answers: { 204: z.null() },
      async handle({ caller }) {
        const { app, session, proof } = caller;
        if (session === null || proof === null) return assuranceProblem("fresh");
        const stepped = await stepUp(app, session, proof);
        if (isRefusal(stepped)) return stepped;
        const cookie = sessionCookie(stepped.token, stepped.session, browser, app.clock());
        return { ...NO_CONTENT, headers: { "Set-Cookie": cookie } };
      },
    }),
  ];
}

const DECISION = /^POST \/tasks\/([0-9A-Fa-f-]{36})\/decision$/;

/** For decisions the server adds what is decided: the revision and the payload as they are now (R-STEP-2, R-STEP-5). */
async function actOf(
  { app, viewer, actor, workload }: Authorized,
  { act, decision, items }: z.output<typeof challengeSchema>,
): Promise<string | Refusal> {
  const taskId = DECISION.exec(act)?.[1]?.toLowerCase();
  if (taskId !== undefined) {
    if (decision === undefined) return missing("decision");
    const [decided] = isId<"task">(taskId) ? await decidedRevisions(app, viewer, [{ taskId, action: decision }]) : [];
    return decided === undefined ? taskNotFound(taskId) : decisionAct(decided);
  }
  if (act !== DECISIONS_ROUTE) return boundAct(app, { actor, workload }, act);
  if (items === undefined) return missing("items");
  const intended = items.map(({ task_id: id, action }) => ({ taskId: id.toLowerCase(), action }));
  const known = intended.filter((each): each is typeof each & { taskId: TaskId } => isId<"task">(each.taskId));
  return decisionsAct(await decidedRevisions(app, viewer, known), app.sha256);
}

function missing(member: string): Refusal {
  const message = "is needed for this act";
  return refuse("invalid_input", message, [{ path: ["body", member], message, code: "missing" }]);
}
