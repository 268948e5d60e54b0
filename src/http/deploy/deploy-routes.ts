/** The deploy gate's API: every route that stands in `/api/v1` and below each rack (docs/spec/deploy.md section 2). */
import { z } from "zod";
import { endpoint, type Endpoint, type PageEndpoint } from "../endpoint.ts";
import type { ServerOptions } from "../server-options.ts";
import { deployApprovalRoutes, type ApprovalSurroundings } from "./approval-routes.ts";
import { deployAuditRoutes } from "./audit-routes.ts";
import { belowRack } from "./below-rack.ts";
import { deployCredentialTestRoutes } from "./credential-test-routes.ts";
import { deployEnvironmentRoutes } from "./environment-routes.ts";
import { deployFactorRoutes } from "./factors-routes.ts";
import { deployInfoRoutes } from "./info-routes.ts";
import { deployJobRoutes } from "./jobs-routes.ts";
import { deployLoginRoutes } from "./login-routes.ts";
import { deployRackRoutes } from "./rack-routes.ts";
import { deploySettingRoutes } from "./settings-routes.ts";
import { deploySlackRoutes } from "./slack-routes.ts";
import { deployTokenExchange } from "./token-exchange-route.ts";
import { deployTokenRoutes } from "./tokens-routes.ts";
import { deployUserSessionRoutes } from "./user-sessions-routes.ts";
import { deployUserRoutes } from "./users-routes.ts";
import { deployVerifyRoutes } from "./verify-routes.ts";

const tag = "deploy";

export function deployRoutes(
  options: ServerOptions,
  surroundings: ApprovalSurroundings,
): readonly (Endpoint | PageEndpoint)[] {
  const routes = [
    ...[health(), deployTokenExchange(options, surroundings.refusals)],
    ...[...deployApprovalRoutes(options, surroundings), ...administrationRoutes(options)],
  ];
  return routes.map(belowRack);
}

function administrationRoutes(options: ServerOptions): readonly (Endpoint | PageEndpoint)[] {
  return [
    ...deploySettingRoutes(),
    ...deployInfoRoutes(options),
    ...deployUserRoutes(),
    ...deployUserSessionRoutes(),
    ...deployTokenRoutes(),
    ...deployLoginRoutes(options),
    ...deployFactorRoutes(options),
    ...deployVerifyRoutes(options),
    ...deployRackRoutes(),
    ...deployEnvironmentRoutes(),
    ...deployAuditRoutes(options),
    ...deployJobRoutes(),
    ...deploySlackRoutes(),
    ...deployCredentialTestRoutes(),
  ];
}

function health(): Endpoint {
  return endpoint({
    ...{ method: "GET", url: "/health", summary: "Is the server up?", tag },
    answers: { 200: z.object({ status: z.literal("ok"), service: z.literal("countersign") }) },
    handle: () => Promise.resolve({ status: 200, body: { status: "ok", service: "countersign" } }),
  });
}
