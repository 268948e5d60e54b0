/** A platform's token for one of ours (RFC 8693; docs/spec/identity.md section 7). */
import { exchangeToken } from "../../app/exchange-token.ts";
import { isRefusal } from "../../core/refusal.ts";
import { ACCESS_TOKEN_TYPE, exchangedTokenSchema, exchangeTokenSchema } from "../../contract/workload-providers.ts";
import { ok } from "../answers.ts";
import { endpoint, type Endpoint } from "../endpoint.ts";
import { tooManyQuestions } from "../let-in.ts";
import type { ServerOptions } from "../server-options.ts";

export function tokenExchangeRoute({ app }: ServerOptions): Endpoint {
  return endpoint({
    method: "POST",
    url: "/token",
    summary: "Exchange a workload's token for a short one of this server",
    tag: "machines",
    form: true,
    body: exchangeTokenSchema,
    answers: { 200: exchangedTokenSchema },
    async handle(exchange) {
      const tooMany = await tooManyQuestions(app, exchange);
      if (tooMany !== null) return tooMany;
      const answer = await exchangeToken(app, exchange.body.subject_token);
      if (isRefusal(answer)) return answer;
      return ok({
        access_token: answer.token,
        issued_token_type: ACCESS_TOKEN_TYPE,
        token_type: "Bearer",
        expires_in: Math.max(1, Math.floor((answer.expiresAt - app.clock()) / 1_000)),
        target_api_token_id: answer.targetTokenId,
      });
    },
  });
}
