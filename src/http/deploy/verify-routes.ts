/** Proving a factor to open the step-up window, in the deploy gate's words (docs/spec/deploy.md 11.2, R-MFA-3). */
import { openStepUp } from "../../app/deploy/open-step-up.ts";
import { offerChallenge } from "../../app/factor-challenge.ts";
import { stepUp } from "../../app/factor-step-up.ts";
import { boundAct } from "../../app/deploy/bound-act.ts";
import { FIRST_ACT, STEP_UP_ACT } from "../../app/proof-act.ts";
import type { Proof } from "../../app/proof.ts";
import { proveFactor } from "../../app/prove-factor.ts";
import {
  assertionStartedSchema,
  startAssertionSchema,
  verifiedSchema,
  verifyAssertionSchema,
  verifyCodeSchema,
} from "../../contract/deploy-mfa.ts";
import { wireTime } from "../../contract/wire-time.ts";
import { isRefusal } from "../../core/refusal.ts";
import { ok } from "../answers.ts";
import type { Authorized } from "../authorized.ts";
import { endpoint, type Endpoint, type Outcome } from "../endpoint.ts";
import { proverOf, UNCACHED } from "../own-prover.ts";
import { problem } from "../problem.ts";
import { assertionProof, typedProof } from "../sent-proof.ts";
import type { ServerOptions } from "../server-options.ts";
import { sessionCookie } from "../session-cookie.ts";
import { deviceFault } from "./trusting-apart.ts";

const tag = "deploy";

export function deployVerifyRoutes(options: ServerOptions): readonly Endpoint[] {
  return [
    endpoint({
      ...{ method: "POST", url: "/auth/mfa/verify", summary: "Prove a code: TOTP or backup code", tag },
      body: verifyCodeSchema,
      answers: { 200: verifiedSchema },
      async handle({ caller, body }) {
        return deviceFault(body) ?? (await verified(caller, typedProof(body.code), options));
      },
    }),
    endpoint({
      ...{ method: "POST", url: "/auth/mfa/webauthn/assertion/start", summary: "A challenge for a passkey", tag },
      body: startAssertionSchema,
      answers: { 200: assertionStartedSchema },
      async handle({ caller, body }) {
        const who = proverOf(caller);
        if (isRefusal(who)) return who;
        if ((body?.resource ?? null) !== null) {
          return problem("invalid_input", "resource is not taken: purpose names the method and path of the call");
        }
        const act = await boundAct(caller.app, caller, body?.purpose ?? FIRST_ACT);
        if (typeof act !== "string") return act;
        const offered = await offerChallenge(caller.app, who, act);
        if (isRefusal(offered)) return offered;
        // As browsers of the older pages read them.
        const asked = { publicKey: offered.options };
        return { ...ok({ options: asked, session_data: offered.id }), headers: UNCACHED };
      },
    }),
    endpoint({
      ...{ method: "POST", url: "/auth/mfa/webauthn/assertion/verify", summary: "Prove a passkey", tag },
      body: verifyAssertionSchema,
      answers: { 200: verifiedSchema },
      async handle({ caller, body }) {
        const asked = deviceFault(body);
        if (asked !== null) return asked;
        const proof = assertionProof(body);
        if (proof === null) return problem("mfa_verification_failed", "This is no answer of a passkey");
        return verified(caller, proof, options);
      },
    }),
  ];
}

async function verified(caller: Authorized, proof: Proof, { browser }: ServerOptions): Promise<Outcome> {
  const { app, session, kind } = caller;
  const who = proverOf(caller);
  if (isRefusal(who)) return who;
  if (session === null) return problem("credential_kind_not_allowed", "Only sessions have a step-up window");
  const proven = await proveFactor(app, who, STEP_UP_ACT, proof);
  if (isRefusal(proven)) return proven;
  const body = {
    mfa_verified_at: wireTime(proven.at),
    recent_step_up_expires_at: wireTime(proven.at + app.identity.stepUpWindowSeconds * 1_000),
    // Browsers are trusted where they sign in; no such cookie is given here (D39).
    trusted_device_cookie: false,
  };
  if (kind === "cli_session") {
    const opened = await openStepUp(app, session, proven);
    return isRefusal(opened) ? opened : ok(body);
  }
  const stepped = await stepUp(app, session, proven);
  if (isRefusal(stepped)) return stepped;
  const cookie = sessionCookie(stepped.token, stepped.session, browser, app.clock());
  return { ...ok(body), headers: { "Set-Cookie": cookie } };
}
