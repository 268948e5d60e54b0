/** A job's token for one of ours, as `/v1/token`, with the errors that OAuth clients read (docs/spec/deploy.md R-OIDC-2; RFC 6749 5.2). */
import type { ErrorCode } from "../../contract/error-codes.ts";
import type { RefusalRecorder } from "../../app/record-refused-access.ts";
import { isReply, type Endpoint, type RawExchange, type Reply } from "../endpoint.ts";
import { UNCACHED } from "../own-prover.ts";
import type { Problem } from "../problem.ts";
import { tokenExchangeRoute } from "../routes/token-exchange.ts";
import type { ServerOptions } from "../server-options.ts";

const tag = "deploy";

export function deployTokenExchange(options: ServerOptions, refusals: RefusalRecorder): Endpoint {
  const given = tokenExchangeRoute(options);
  return {
    ...{ ...given, url: "/auth/oidc/token", tag },
    async answer(raw) {
      const answer = await given.answer(raw);
      if (isReply(answer)) return { ...answer, headers: { ...answer.headers, ...UNCACHED } };
      const error = oauthError(answer.code);
      if (error === null) return answer;
      await told(refusals, raw, answer);
      return refused(error);
    },
  };
}

type OAuthError = "invalid_request" | "invalid_grant" | "unauthorized_client";

const ERRORS: Partial<Readonly<Record<ErrorCode, OAuthError>>> = {
  invalid_input: "invalid_request",
  token_invalid: "invalid_grant",
  token_expired: "invalid_grant",
  token_revoked: "unauthorized_client",
  audience_not_allowed: "invalid_grant",
  subject_not_allowed: "unauthorized_client",
  owner_inactive: "unauthorized_client",
  org_suspended: "unauthorized_client",
};

/** Null for what is no fault of the token: too many calls, a platform that does not answer. */
function oauthError(code: ErrorCode): OAuthError | null {
  return ERRORS[code] ?? null;
}

const SENTENCES: Readonly<Record<OAuthError, string>> = {
  invalid_request: "The request is not that of a token exchange (RFC 8693)",
  invalid_grant: "The subject token is not accepted",
  unauthorized_client: "This workload is not let in here",
};

/** Which check failed is for those who read the ledger, not for whoever tries. */
function refused(error: OAuthError): Reply {
  return { status: 400, body: { error, error_description: SENTENCES[error] }, headers: UNCACHED };
}

async function told(refusals: RefusalRecorder, { caller }: RawExchange, { code }: Problem): Promise<void> {
  const route = "POST /auth/oidc/token";
  await refusals.record(caller.app, null, { code, route, address: caller.client.address });
}
