/** The real HTTP server on a real database, in this process: `inject` for single calls, `listen` for streams. */
import { createHmac } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { createTokenDesk } from "../../src/app/token-desk.ts";
import { isInRange } from "../../src/http/address-range.ts";
import { buildServer } from "../../src/http/build-server.ts";
import type { CommitSignal, ServerOptions } from "../../src/http/server-options.ts";
import { createDevelopmentVerifier } from "../../src/http/token-verification/development-verifier.ts";
import { workloadCaller } from "../../src/http/token-verification/workload-caller.ts";
import { createSecretsWatch } from "../../src/main/secrets-watch.ts";
import { NO_EVIDENCE, testEvidence } from "./test-evidence.ts";
import { initialize, openApplication, type TestApplication, type TestApplicationOptions } from "./test-application.ts";

export interface TestServer extends TestApplication {
  readonly server: FastifyInstance;
  readonly options: ServerOptions;
}

export interface TestServerOptions {
  readonly server?: Partial<ServerOptions>;
  readonly application?: Partial<TestApplicationOptions>;
}

/** Puts organization and ledger into the database of this URL, and a server before it. */
export async function openServer(
  url: string,
  { server = {}, application = {} }: TestServerOptions = {},
): Promise<TestServer> {
  const orgId = application.orgId ?? (await initialize(url));
  const opened = openApplication(url, { ...application, orgId });
  const { events, signal } = signalling();
  const signalled = (app: ServerOptions["app"]): ServerOptions["app"] => ({
    ...app,
    store: {
      submit: async (command) => {
        const answer = await app.store.submit(command);
        signal();
        return answer;
      },
    },
    forOrganization: (orgId) => signalled(app.forOrganization(orgId)),
  });
  const app = signalled(opened.app);
  const evidence = testEvidence(opened.pool);
  const options: ServerOptions = { ...serverOptions(app), events, evidence, ...server };
  // In place of the database's notifications.
  events.subscribe(() => {
    options.tokens.found.drop();
    app.deploy.settings.drop();
  });
  const built = await buildServer(options);
  const close = async (): Promise<void> => {
    await built.close();
    await opened.close();
  };
  return { ...opened, app, server: built, options, close };
}

export function serverOptions(app: ServerOptions["app"]): ServerOptions {
  return {
    app,
    verifier: createDevelopmentVerifier(app.clock),
    tokens: createTokenDesk(app.clock, isInRange),
    workloadCaller: (token) => workloadCaller(app, token),
    development: true,
    service: {
      serviceId: "openg2p.awe",
      apiVersion: "1.0",
      module: "default",
      serviceVersion: "0.0.0-test",
      buildTime: null,
      gitCommit: null,
      webhook: { maxAttempts: 6, backoffSeconds: [60, 300], timeoutSeconds: 10 },
      sla: { checkIntervalSeconds: 300 },
    },
    ledger: { quarantined: false, finding: null },
    secrets: createSecretsWatch({ missingKeys: () => Promise.resolve([]), seals: app.seals, clock: app.clock }),
    evidence: NO_EVIDENCE,
    events: { subscribe: () => () => undefined },
    access: { roleClients: ["awe-admin-portal"], machineClaims: {} },
    browser: {
      origin: new URL(app.identity.publicUrl).origin,
      csrfToken: (sessionId) => createHmac("sha256", "test key").update(`csrf|${sessionId}`).digest("base64url"),
    },
    cliPolling: "same_address",
    trustedProxies: [],
    limits: { perMinute: 0, streamsPerPerson: 5 },
    developmentPeople: [{ assignee: "ana", name: "Ana", roles: [] }],
    uiDirectory: null,
    log: false,
  };
}

function signalling(): { events: CommitSignal; signal: () => void } {
  const listeners = new Set<() => void>();
  return {
    events: {
      subscribe: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    signal: () => {
      for (const listener of listeners) listener();
    },
  };
}

/** An unsigned token, as development mode reads it. */
export function unsignedToken(claims: Readonly<Record<string, unknown>>): string {
  return `${part({ alg: "none", typ: "JWT" })}.${part(claims)}.`;
}

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** Headers of somebody with these roles. */
export function as(name: string, roles: readonly string[] = []): { authorization: string } {
  const claims = { sub: `sub-${name}`, preferred_username: name, name: `Display ${name}`, realm_access: { roles } };
  return { authorization: `Bearer ${unsignedToken(claims)}` };
}

export const asAdmin = as("admin", ["AWE_ADMIN"]);
