/** What the service says about itself, in AWE's envelope (docs/spec/api.md section 6.1). */
import type { JsonValue } from "../../core/json.ts";
import { configSchema, healthSchema, versionSchema } from "../../contract/service.ts";
import { Unavailable } from "../../ports/unavailable.ts";
import { ok } from "../answers.ts";
import { endpoint, type Endpoint, type Reply } from "../endpoint.ts";
import { problem, type Problem } from "../problem.ts";
import type { ServerOptions } from "../server-options.ts";

const tag = "service";

export function serviceRoutes(options: ServerOptions): readonly Endpoint[] {
  const { service } = options;
  return [
    endpoint({
      method: "GET",
      url: "/health",
      summary: "Whether the service can work",
      tag,
      answers: { 200: healthSchema },
      handle: () => health(options),
    }),
    endpoint({
      method: "GET",
      url: "/version",
      summary: "Which build this is",
      tag,
      answers: { 200: versionSchema },
      handle: () =>
        enveloped(options, {
          service_version: service.serviceVersion,
          build_time: service.buildTime,
          git_commit: service.gitCommit,
        }),
    }),
    endpoint({
      method: "GET",
      url: "/config",
      summary: "The settings that callers may want to know",
      tag,
      answers: { 200: configSchema },
      handle: () => enveloped(options, publicSettings(options)),
    }),
  ];
}

async function health(options: ServerOptions): Promise<Reply | Problem> {
  try {
    await options.app.reader.position();
    return await enveloped(options, { status: "UP" });
  } catch (cause) {
    if (!(cause instanceof Unavailable)) throw cause;
    return problem("database_down", "The database does not answer", {
      awe: "AWE-006",
      headers: { "Retry-After": "1" },
    });
  }
}

function enveloped({ service, app }: ServerOptions, response: JsonValue): Promise<Reply> {
  return Promise.resolve(
    ok({
      id: service.serviceId,
      version: service.apiVersion,
      responsetime: new Date(app.clock()).toISOString(),
      response,
      errors: [],
    }),
  );
}

function publicSettings({ service }: ServerOptions): JsonValue {
  return {
    service_id: service.serviceId,
    api_version: service.apiVersion,
    module: service.module,
    webhook: {
      max_attempts: service.webhook.maxAttempts,
      backoff_seconds: [...service.webhook.backoffSeconds],
      timeout_seconds: service.webhook.timeoutSeconds,
    },
    sla: { check_interval_seconds: service.sla.checkIntervalSeconds },
  };
}
