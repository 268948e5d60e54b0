/**
 * GitHub's webhook: signed over the bytes as they came, each delivery counted once (docs/spec/deploy.md R-CI-9). It stands in a scope of
 * its own, where bodies are not read as JSON before they were judged.
 */
import type { FastifyInstance } from "fastify";
import { requestFromGithub } from "../../app/deploy/github-request.ts";
import { githubHookAnswerSchema } from "../../contract/github-hook.ts";
import { endpoint, type Endpoint, type Outcome } from "../endpoint.ts";
import { problem } from "../problem.ts";

const BODY_BYTES_MAX = 1024 * 1024;

/** Every body of this scope is its bytes. */
export function acceptBytes(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser<Buffer>("*", { parseAs: "buffer", bodyLimit: BODY_BYTES_MAX }, (_request, body, done) => {
    done(null, body);
  });
}

export function githubHookRoute(): Endpoint {
  return endpoint({
    ...{ method: "POST", url: "/hooks/github", summary: "GitHub tells of a run that waits", tag: "deploy" },
    answers: { 200: githubHookAnswerSchema, 202: githubHookAnswerSchema, 503: githubHookAnswerSchema },
    async handle({ caller, body, header }): Promise<Outcome> {
      const { app } = caller;
      const read = app.deploy.githubWebhook;
      if (read === null) return problem("route_not_found", "not found");
      const webhook = read({
        signature: header("x-hub-signature-256"),
        event: header("x-github-event"),
        delivery: header("x-github-delivery"),
        body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
      });
      if (webhook.kind === "ignored") return { status: 200, body: { status: "ignored" } };
      if (webhook.kind === "refused") return problem(REFUSALS[webhook.status], webhook.why);
      const outcome = await requestFromGithub(app, webhook.request);
      switch (outcome.status) {
        case "created":
        case "joined":
          return { status: 202, body: { status: outcome.status, public_id: outcome.id } };
        case "repeated":
          return { status: 200, body: { status: "repeated" } };
        case "refused":
          return { status: 202, body: { status: "refused", why: outcome.why } };
        case "unavailable":
          return { status: 503, body: { status: "unavailable", why: outcome.why }, headers: { "Retry-After": "60" } };
      }
    },
  });
}

const REFUSALS = { 400: "invalid_input", 401: "unauthenticated", 413: "too_large" } as const;
