/**
 * The HTTP server: every route of the product, behind the authorization table, in two mounts of one definition.
 * Implements docs/spec/api.md. It does not listen: the caller does, and closes it.
 */
import fastifyCookie from "@fastify/cookie";
import fastifyHelmet from "@fastify/helmet";
import fastifyStatic from "@fastify/static";
import fastifySwagger from "@fastify/swagger";
import Fastify, { LogController, type FastifyInstance } from "fastify";
import { jsonSchemaTransform } from "fastify-type-provider-zod";
import { authorizationTable, mountPrefixes, type Row } from "./authorization.ts";
import { ApiRate, BurstRate, InvalidCredentials } from "./api-rate.ts";
import { answerUnreadable } from "./client-error.ts";
import type { Endpoint, PageEndpoint } from "./endpoint.ts";
import { acceptJsonAndForms } from "./json-body.ts";
import { mountRoute, type Mounting } from "./mount-routes.ts";
import { limitReceiving } from "./receive-limit.ts";
import { requestIdOf } from "./request-id.ts";
import { routeDifferences, RoutesDiffer, type MountedRoute } from "./route-check.ts";
import { deployRoutes } from "./deploy/deploy-routes.ts";
import { acceptBytes, githubHookRoute } from "./deploy/github-hook-routes.ts";
import { RackProxy, routedUrl } from "./deploy/rack-proxy.ts";
import { auditRoutes } from "./routes/audit.ts";
import { authRoutes } from "./routes/auth.ts";
import { cliLoginPage, cliLoginRoutes } from "./routes/cli-login.ts";
import { consoleRoutes } from "./routes/console.ts";
import { deliveryRoutes } from "./routes/deliveries.ts";
import { webhookKeysRoute, webhookSecretRoutes } from "./routes/webhook-secrets.ts";
import { delegationRoutes } from "./routes/delegations.ts";
import { directoryRoutes } from "./routes/directory.ts";
import { docsRoutes } from "./routes/docs.ts";
import { factorRoutes } from "./routes/factors.ts";
import { identityProviderRoutes } from "./routes/identity-providers.ts";
import { evidenceRoutes } from "./routes/evidence.ts";
import { grantRoutes } from "./routes/grants.ts";
import { inboxRoutes } from "./routes/inbox.ts";
import { ledgerRoutes } from "./routes/ledger.ts";
import { liveEventsRoute } from "./routes/live-events.ts";
import { machineRoutes } from "./routes/machines.ts";
import { organizationRoutes } from "./routes/organizations.ts";
import { ownSessionRoutes } from "./routes/own-sessions.ts";
import { oidcPages, oidcRoutes } from "./routes/oidc.ts";
import { peopleRoutes } from "./routes/people.ts";
import { policyRoutes } from "./routes/policies.ts";
import { probeRoutes } from "./routes/probes.ts";
import { proofRoutes } from "./routes/proofs.ts";
import { requestRoutes } from "./routes/requests.ts";
import { ownOrganizationRoutes } from "./routes/own-organizations.ts";
import { roleRoutes } from "./routes/roles.ts";
import { scimRoutes } from "./routes/scim.ts";
import { serviceRoutes } from "./routes/service.ts";
import { sessionRoutes } from "./routes/session.ts";
import { bulkRoutes, signingRoutes } from "./routes/signing.ts";
import { settingRoutes } from "./routes/settings.ts";
import { taskRoutes } from "./routes/tasks.ts";
import { tokenExchangeRoute } from "./routes/token-exchange.ts";
import { tokenRoutes } from "./routes/tokens.ts";
import { workloadProviderRoutes } from "./routes/workload-providers.ts";
import { waitRoutes } from "./routes/wait.ts";
import { RefusalRecorder } from "../app/record-refused-access.ts";
import { problemOf, sendProblem } from "./send-problem.ts";
import { BODY_BYTES_MAX, type ServerOptions } from "./server-options.ts";
import { answerUnknownRoutes } from "./unknown-routes.ts";
import { setCommonHeaders } from "./common-headers.ts";

/** A token may have 16 KiB (R-AUTH-21); the other headers come on top. */
const HEADER_BYTES_MAX = 32 * 1024;
/** Headers must have arrived by then; bodies have times of their own (deploy R-PROXY-8). */
const HEADERS_TIMEOUT_MS = 15_000;
const KEEP_ALIVE_MS = 75_000;
const CONNECTIONS_CHECKED_MS = 5_000;

export async function buildServer(options: ServerOptions): Promise<FastifyInstance> {
  const server = Fastify({
    ...(options.log === false ? { logger: false } : { loggerInstance: options.log }),
    bodyLimit: BODY_BYTES_MAX,
    trustProxy: options.trustedProxies.length === 0 ? false : [...options.trustedProxies],
    logController: new LogController({ disableRequestLogging: true }),
    exposeHeadRoutes: false,
    forceCloseConnections: "idle",
    genReqId: requestIdOf,
    requestIdHeader: false,
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    rewriteUrl: routedUrl,
    http: {
      ...{ maxHeaderSize: HEADER_BYTES_MAX, headersTimeout: HEADERS_TIMEOUT_MS },
      connectionsCheckingInterval: CONNECTIONS_CHECKED_MS,
    },
    routerOptions: { maxParamLength: 1024 },
    clientErrorHandler: (error, socket) => {
      answerUnreadable(error, socket, options);
    },
    frameworkErrors: (error, request, reply) => {
      sendProblem(problemOf(error, request), request, reply, options);
    },
  });
  const mounted: MountedRoute[] = [];
  server.addHook("onRoute", ({ method, url }) => {
    for (const each of Array.isArray(method) ? method : [method]) mounted.push({ method: each, url });
  });
  const table = authorizationTable.filter((row) => options.development || row.access !== "development");
  await prepare(server, options);
  answerUnknownRoutes(server, table, options);
  const writeRate = new ApiRate(options.limits.perMinute, options.app.clock);
  const invalid = new InvalidCredentials(options.app.clock);
  const { deploy } = options.limits;
  const deployRate = deploy === undefined ? null : new BurstRate(deploy, options.app.clock);
  await mountAll(server, { options, table, writeRate, deployRate, invalid, refusals: new RefusalRecorder() });
  await server.ready();
  const differences = routeDifferences(table, mounted);
  if (differences.length > 0) {
    await server.close();
    throw new RoutesDiffer(differences);
  }
  return server;
}

function isTls({ browser }: ServerOptions): boolean {
  return browser.origin.startsWith("https:");
}

async function prepare(server: FastifyInstance, options: ServerOptions): Promise<void> {
  // Input is read by the endpoints themselves, and answers are sent as text: the schemas describe.
  server.setValidatorCompiler(() => () => true);
  server.setSerializerCompiler(() => (data) => JSON.stringify(data));
  server.setErrorHandler((error, request, reply) => sendProblem(problemOf(error, request), request, reply, options));
  limitReceiving(server);
  acceptJsonAndForms(server);
  setCommonHeaders(server, options);
  await server.register(fastifyCookie);
  await server.register(fastifyHelmet, {
    global: true,
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
      },
    },
    xFrameOptions: { action: "deny" },
    strictTransportSecurity: isTls(options) && { maxAge: 63_072_000, includeSubDomains: true },
  });
  await server.register(fastifyStatic, { root: options.uiDirectory ?? import.meta.dirname, serve: false });
}

/** Routes that both families have. */
function sharedRoutes(options: ServerOptions): readonly Endpoint[] {
  return [
    ...serviceRoutes(options),
    ...policyRoutes(),
    ...requestRoutes(),
    ...grantRoutes(),
    ...taskRoutes(),
    ...bulkRoutes(),
    ...delegationRoutes(),
    ...directoryRoutes(),
    ...auditRoutes(),
    ...deliveryRoutes(),
    ...webhookSecretRoutes(options),
  ];
}

/** Routes of our own API alone. */
function ownRoutes(options: ServerOptions, closing: AbortSignal): readonly (Endpoint | PageEndpoint)[] {
  return [
    ...inboxRoutes(),
    webhookKeysRoute(options),
    ...waitRoutes(options, closing),
    ...sessionRoutes(options),
    ...authRoutes(options),
    ...ownSessionRoutes(),
    ...factorRoutes(options),
    ...proofRoutes(options),
    ...cliLoginRoutes(options),
    ...organizationRoutes(),
    ...oidcRoutes(options),
    ...identityProviderRoutes(),
    ...workloadProviderRoutes(),
    tokenExchangeRoute(options),
    ...machineRoutes(),
    ...peopleRoutes(),
    ...roleRoutes(),
    ...ownOrganizationRoutes(),
    ...settingRoutes(),
    ...tokenRoutes(),
    liveEventsRoute(options, closing),
    ...ledgerRoutes(options),
    ...signingRoutes(options),
    ...evidenceRoutes(options),
  ];
}

async function mountAll(server: FastifyInstance, mounting: Mounting): Promise<void> {
  const { options } = mounting;
  const closing = new AbortController();
  server.addHook("preClose", async () => {
    closing.abort();
    await Promise.resolve();
  });
  const families = sharedRoutes(options);
  const acrossGates = ownRoutes(options, closing.signal);
  mountGroup(
    server,
    [
      ...probeRoutes(options),
      ...consoleRoutes(options.uiDirectory),
      ...scimRoutes(),
      ...oidcPages(options),
      cliLoginPage(),
    ],
    withMount(mounting, ["root"]),
  );
  await mountFamily(server, mountPrefixes.awe, families, withMount(mounting, ["both"]));
  const proxy = new RackProxy(server, mounting);
  const surroundings = { closing: closing.signal, refusals: mounting.refusals };
  for (const prefix of [mountPrefixes.deploy, mountPrefixes.deployOfRack]) {
    await server.register(
      async (mount) => {
        proxy.mount(mount);
        mountGroup(mount, deployRoutes(options, surroundings), withMount(mounting, ["deploy"]));
        await mount.register(async (hooks) => {
          acceptBytes(hooks);
          mountRoute(hooks, githubHookRoute(), withMount(mounting, ["deploy"]));
          await Promise.resolve();
        });
      },
      { prefix },
    );
  }
  await mountFamily(server, mountPrefixes.v1, [...families, ...acrossGates], withMount(mounting, ["both", "v1"]));
}

function withMount(mounting: Mounting, mounts: readonly Row["mount"][]): Mounting {
  return { ...mounting, table: mounting.table.filter((row) => mounts.includes(row.mount)) };
}

function mountGroup(
  server: FastifyInstance,
  endpoints: readonly (Endpoint | PageEndpoint)[],
  mounting: Mounting,
): void {
  for (const each of endpoints) mountRoute(server, each, mounting);
}

async function mountFamily(
  server: FastifyInstance,
  prefix: string,
  endpoints: readonly (Endpoint | PageEndpoint)[],
  mounting: Mounting,
): Promise<void> {
  await server.register(
    async (mount) => {
      await mount.register(fastifySwagger, {
        openapi: {
          openapi: "3.1.0",
          info: {
            title: "Countersign",
            description: "Approvals: who asked for what, who must say yes, and who did.",
            version: mounting.options.service.serviceVersion,
          },
          components: {
            securitySchemes: {
              bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
              session: { type: "apiKey", in: "cookie", name: "countersign_session" },
            },
          },
        },
        transform: jsonSchemaTransform,
      });
      mountGroup(mount, [...endpoints, ...docsRoutes(mount)], mounting);
    },
    { prefix },
  );
}
