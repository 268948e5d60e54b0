/**
 * The browser's last step for a terminal of the older kind: its person proves a factor, and with that lets the terminal sign in. The
 * faults are words that those pages know (docs/spec/deploy.md 11.2, R-LOGIN-2; identity R-TERM-5).
 */
import type { z } from "zod";
import { authorizeWaiting, waitingTerminal } from "../../app/cli-login-polling.ts";
import type { Proof } from "../../app/proof.ts";
import { proveFactor } from "../../app/prove-factor.ts";
import { proveTerminalSchema, provenTerminalSchema } from "../../contract/deploy-mfa.ts";
import { isRefusal } from "../../core/refusal.ts";
import { ok } from "../answers.ts";
import { endpoint, type Endpoint, type Exchange, type Outcome, type Reply } from "../endpoint.ts";
import { proverOf } from "../own-prover.ts";
import { problem } from "../problem.ts";
import { assertionProof, typedProof } from "../sent-proof.ts";
import type { ServerOptions } from "../server-options.ts";

type Proving = z.output<typeof proveTerminalSchema>;
type Fault = "invalid_code" | "session_expired" | "invalid_method" | "state_required" | "code_required";

export function deployTerminalFactor(options: ServerOptions): Endpoint {
  return endpoint({
    ...{
      method: "POST",
      url: "/auth/cli/mfa",
      summary: "Prove a factor, and let the terminal that waits sign in",
      tag: "deploy",
    },
    body: proveTerminalSchema,
    answers: { 200: provenTerminalSchema },
    handle: (exchange) => proven(options, exchange),
  });
}

async function proven(
  { app, cliPolling }: ServerOptions,
  { caller, body, route }: Exchange<unknown, Proving>,
): Promise<Outcome> {
  if (cliPolling === "off") return problem("cli_polling_disabled", "Terminals sign in with `countersign login` here");
  const who = proverOf(caller);
  if (isRefusal(who)) return who;
  const state = (body.state ?? "").trim();
  if (state === "") return fault("state_required");
  // Nothing is spent for a terminal that waits no more.
  if (isRefusal(await waitingTerminal(app, state))) return fault("session_expired");
  const proof = proofOf(body);
  if (typeof proof === "string") return fault(proof);
  const factor = await proveFactor(caller.app, who, route, proof);
  if (isRefusal(factor)) return factor.refusal === "mfa_verification_failed" ? fault("invalid_code") : factor;
  const { personId, sessionId } = who;
  const about = { personId, authorizedBy: sessionId ?? "", state, address: caller.client.address };
  const refused = await authorizeWaiting(app, about);
  if (refused !== null) return refused.refusal === "login_state_invalid" ? fault("session_expired") : refused;
  return ok({ redirect: "/app/security" });
}

function proofOf(body: Proving): Proof | Fault {
  const { method, code, session_data: handle, assertion_response: answer } = body;
  if (method === "webauthn") {
    return assertionProof({ session_data: handle, assertion_response: answer }) ?? "invalid_code";
  }
  if (method !== "totp") return "invalid_method";
  const typed = (code ?? "").trim();
  return typed === "" ? "code_required" : typedProof(typed);
}

function fault(error: Fault): Reply {
  return { status: 400, body: { error } };
}
