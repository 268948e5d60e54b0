/**
 * The authorization table: every route, what it needs, with what kind of credential, how strongly proven. There is no other
 * place that decides this; a route that is missing here stops the start (docs/spec/identity.md R-AUTHZ-1).
 */
import type { Permission } from "../core/permission.ts";
import type { Access, Assurance, CredentialKind, Method, Mount, Row } from "./authorization-row.ts";
import { deployAdministration } from "./deploy/administration-rows.ts";
import { approvalRows } from "./deploy/approval-rows.ts";
import { integrationRows } from "./deploy/integration-rows.ts";
import { rackProxyRows } from "./deploy/proxy-rows.ts";

export type { Access, Assurance, CredentialKind, Method, Mount, Row } from "./authorization-row.ts";

const EVERY: readonly CredentialKind[] = ["web_session", "cli_session", "person_jwt", "api_token", "machine_jwt"];
const PEOPLE: readonly CredentialKind[] = ["web_session", "cli_session", "person_jwt"];
/** People on our own surfaces, whose factors we can ask for. */
const OURS: readonly CredentialKind[] = ["web_session", "cli_session"];
const BROWSER: readonly CredentialKind[] = ["web_session"];
/** People, and what acts for a service. */
/** Everybody but the machines of this installation, whose tokens are for what their scopes name. */
const NO_TOKENS: readonly CredentialKind[] = ["web_session", "cli_session", "person_jwt", "machine_jwt"];
const READERS: readonly CredentialKind[] = ["web_session", "cli_session", "person_jwt", "api_token"];

function open(mount: Mount, url: string, method: Method = "GET"): Row {
  return {
    ...{ method, url, mount, access: "public", permission: null, credentials: [], assurance: "none" },
    ...{ scope: null, others: null, enrolment: false },
  };
}

interface Narrower {
  readonly mount?: Mount;
  readonly credentials?: readonly CredentialKind[];
  readonly assurance?: Assurance;
  readonly scope?: Permission;
  readonly others?: Row["others"];
  readonly enrolment?: boolean;
}

function row(access: Access, method: Method, url: string, narrower: Narrower = {}): Row {
  const { mount = "both", credentials = EVERY, assurance = "session", others = null, enrolment = false } = narrower;
  const { scope = null } = narrower;
  return { method, url, mount, access, permission: null, scope, credentials, assurance, others, enrolment };
}

/** Routes of both families that a permission opens. */
function shared(permission: Permission, method: Method, url: string, narrower: Narrower = {}): Row {
  return { ...row("permission", method, url, narrower), permission };
}

/** Routes of our own API that a permission opens: people prove a factor in every call that writes. */
function needs(permission: Permission, method: Method, url: string, narrower: Narrower = {}): Row {
  const writes = method !== "GET";
  const defaults = {
    mount: "v1",
    credentials: writes ? OURS : READERS,
    assurance: writes ? "fresh" : "session",
  } as const;
  return shared(permission, method, url, { ...defaults, ...narrower });
}

/** Routes of our own API that concern the caller alone. */
function own(method: Method, url: string, narrower: Narrower = {}): Row {
  return row("own", method, url, { mount: "v1", credentials: OURS, ...narrower });
}

const probesAndPages: readonly Row[] = [
  open("root", "/healthz"),
  open("v1", "/webhook-keys"),
  open("root", "/readyz"),
  open("root", "/"),
  open("root", "/app"),
  open("root", "/app/*"),
  open("both", "/health"),
  open("both", "/version"),
  open("both", "/config"),
  open("both", "/openapi.json"),
  open("both", "/docs"),
  open("both", "/docs/:file"),
];

const policies: readonly Row[] = [
  shared("approval:policy:write", "POST", "/policies", { assurance: "step_up" }),
  shared("approval:policy:read", "GET", "/policies"),
  shared("approval:policy:write", "PUT", "/policies/:key", { assurance: "step_up" }),
  shared("approval:policy:read", "GET", "/policies/:key/versions"),
  shared("approval:policy:read", "GET", "/policies/:key/versions/:version"),
  shared("approval:policy:write", "PATCH", "/policies/:key/versions/:version", { assurance: "step_up" }),
  shared("approval:policy:write", "DELETE", "/policies/:key/versions/:version", { assurance: "step_up" }),
  shared("approval:policy:activate", "POST", "/policies/:key/versions/:version/activate", {
    ...{ assurance: "fresh", credentials: NO_TOKENS },
  }),
  shared("approval:policy:activate", "POST", "/policies/:key/versions/:version/deactivate", {
    ...{ assurance: "fresh", credentials: NO_TOKENS },
  }),
  shared("approval:policy:simulate", "POST", "/policies/:key/versions/:version/simulate"),
];

const CREATE: Permission = "approval:request:create";
const READ: Permission = "approval:request:read";

const requests: readonly Row[] = [
  row("any", "POST", "/requests", { scope: CREATE }),
  row("any", "GET", "/requests", { scope: READ }),
  row("reader", "GET", "/requests/:id", { scope: READ }),
  row("own", "POST", "/requests/:id/cancel", {
    scope: CREATE,
    others: { permission: "approval:request:cancel_all", assurance: "step_up" },
  }),
  row("reader", "GET", "/requests/:id/events", { scope: READ }),
  row("reader", "GET", "/requests/:id/explain", { scope: READ }),
  row("reader", "GET", "/requests/:id/decisions", { scope: READ }),
  shared("approval:request:resolve", "POST", "/requests/:id/resolve", { assurance: "step_up" }),
  row("own", "GET", "/requests/:id/verdict", { scope: READ }),
  row("own", "POST", "/requests/:id/grant/use", { scope: CREATE }),
  row("own", "POST", "/requests/:id/grant/revoke", {
    scope: CREATE,
    others: { permission: "approval:request:cancel_all", assurance: "step_up" },
  }),
  row("reader", "GET", "/requests/:id/wait", { mount: "v1", scope: READ }),
];

const tasks: readonly Row[] = [
  row("any", "GET", "/tasks", { scope: READ }),
  row("any", "GET", "/tasks/stats", { scope: READ }),
  row("reader", "GET", "/tasks/:id", { scope: READ }),
  row("holder", "POST", "/tasks/:id/claim", { credentials: PEOPLE }),
  row("holder", "POST", "/tasks/:id/release", { credentials: PEOPLE }),
  row("holder", "POST", "/tasks/:id/decision", { credentials: PEOPLE, assurance: "decision" }),
  row("holder", "POST", "/tasks/:id/reassign", {
    credentials: NO_TOKENS,
    others: { permission: "approval:task:reassign", assurance: "step_up" },
  }),
];

const OTHERS_DELEGATIONS = { permission: "approval:delegation:manage", assurance: "fresh" } as const;

const WEBHOOK_ACTS = { assurance: "step_up", credentials: NO_TOKENS } as const;

const delegationsAndDirectory: readonly Row[] = [
  row("own", "GET", "/delegations", { scope: "approval:delegation:read" }),
  row("own", "POST", "/delegations", { credentials: NO_TOKENS, others: OTHERS_DELEGATIONS }),
  row("own", "DELETE", "/delegations/:id", { credentials: NO_TOKENS, others: OTHERS_DELEGATIONS }),
  shared("org:directory:read", "GET", "/directory/users"),
  shared("org:directory:read", "GET", "/directory/roles"),
  shared("org:directory:write", "PUT", "/directory/roles/:name", { assurance: "step_up" }),
  shared("org:directory:write", "DELETE", "/directory/roles/:name", { assurance: "step_up" }),
  shared("org:directory:read", "GET", "/directory/groups"),
  shared("org:directory:write", "PUT", "/directory/groups", { assurance: "step_up" }),
  shared("org:directory:write", "DELETE", "/directory/groups", { assurance: "step_up" }),
  shared("ledger:entry:read", "GET", "/admin/audit"),
  shared("approval:delivery:read", "GET", "/admin/deliveries"),
  shared("approval:delivery:read", "GET", "/admin/deliveries/:id/attempts"),
  shared("approval:delivery:retry", "POST", "/admin/deliveries/:id/retry", WEBHOOK_ACTS),
  shared("approval:delivery:retry", "POST", "/admin/deliveries/redeliver", WEBHOOK_ACTS),
  shared("approval:delivery:read", "GET", "/admin/secrets"),
  shared("org:webhook:write", "POST", "/admin/secrets", WEBHOOK_ACTS),
  shared("org:webhook:write", "POST", "/admin/secrets/:id/rotate", WEBHOOK_ACTS),
  shared("org:webhook:write", "POST", "/admin/secrets/:id/revoke", WEBHOOK_ACTS),
  shared("org:webhook:write", "POST", "/admin/secrets/:id/test", WEBHOOK_ACTS),
];

const acrossGates: readonly Row[] = [
  row("any", "GET", "/inbox", { mount: "v1", scope: READ }),
  row("any", "GET", "/events", { mount: "v1", scope: READ }),
  shared("ledger:export:create", "GET", "/ledger/export", { mount: "v1", assurance: "step_up" }),
  shared("ledger:checkpoint:read", "GET", "/ledger/checkpoint", { mount: "v1" }),
];

/** Who I am, and the end of it. */
const sessions: readonly Row[] = [
  row("any", "GET", "/me", { mount: "v1", enrolment: true }),
  row("any", "DELETE", "/session", { mount: "v1", credentials: OURS, enrolment: true }),
  { ...open("v1", "/dev/people"), access: "development" },
  { ...open("v1", "/dev/session", "POST"), access: "development" },
];

/** Signing in without an identity provider, one's own sessions and devices, terminals. */
const signIn: readonly Row[] = [
  open("v1", "/auth/options"),
  open("v1", "/setup", "POST"),
  open("v1", "/auth/invitations/accept", "POST"),
  open("v1", "/auth/recover", "POST"),
  open("v1", "/auth/passkey/options", "POST"),
  open("v1", "/auth/passkey", "POST"),
  open("v1", "/auth/password", "POST"),
  own("GET", "/me/sessions"),
  own("DELETE", "/me/sessions/:id", { assurance: "fresh" }),
  own("POST", "/me/sessions/end-others", { assurance: "fresh" }),
  own("GET", "/me/devices"),
  own("DELETE", "/me/devices/:id", { assurance: "fresh" }),
  open("root", "/auth/cli"),
  own("POST", "/auth/cli/authorize", { credentials: BROWSER }),
  open("v1", "/auth/cli/token", "POST"),
  open("v1", "/auth/cli/start", "POST"),
  open("v1", "/auth/cli/complete", "POST"),
  own("GET", "/auth/cli/waiting/:state", { credentials: BROWSER }),
  own("POST", "/auth/cli/waiting/:state", { credentials: BROWSER }),
];

/** One's own factors, challenges and step-up. */
const factors: readonly Row[] = [
  own("GET", "/me/factors", { enrolment: true }),
  own("POST", "/me/factors/passkey/options", { assurance: "enrolment", enrolment: true }),
  own("POST", "/me/factors/passkey", { enrolment: true }),
  own("POST", "/me/factors/totp/options", { assurance: "enrolment", enrolment: true }),
  own("POST", "/me/factors/totp", { enrolment: true }),
  own("PATCH", "/me/factors/:id", { assurance: "fresh" }),
  own("DELETE", "/me/factors/:id", { assurance: "fresh" }),
  own("POST", "/me/backup-codes", { assurance: "enrolment", enrolment: true }),
  own("POST", "/me/backup-codes/confirm", { enrolment: true }),
  own("PUT", "/me/password", { assurance: "enrolment", enrolment: true }),
  own("POST", "/me/challenges", { credentials: PEOPLE, enrolment: true }),
  own("POST", "/session/step-up", { credentials: BROWSER, assurance: "fresh" }),
];

/** OpenID Connect, identity providers, workload providers, token exchange. */
const providers: readonly Row[] = [
  open("v1", "/auth/oidc/:provider/start", "POST"),
  own("POST", "/me/identities/:provider/start", { credentials: BROWSER, assurance: "fresh" }),
  open("root", "/auth/oidc/:provider/callback"),
  open("root", "/oidc/callback"),
  open("root", "/auth/web/callback"),
  open("root", "/auth/oidc/:provider/backchannel-logout", "POST"),
  needs("org:identity_provider:read", "GET", "/identity-providers"),
  needs("org:identity_provider:write", "POST", "/identity-providers"),
  needs("org:identity_provider:write", "PATCH", "/identity-providers/:id"),
  needs("org:identity_provider:write", "DELETE", "/identity-providers/:id"),
  needs("org:identity_provider:write", "POST", "/identity-providers/:id/test"),
  needs("org:workload:read", "GET", "/workload-providers"),
  needs("org:workload:write", "POST", "/workload-providers"),
  needs("org:workload:write", "PATCH", "/workload-providers/:id"),
  needs("org:workload:write", "DELETE", "/workload-providers/:id"),
  needs("org:workload:read", "POST", "/workload-providers/:id/test", { assurance: "session", credentials: PEOPLE }),
  open("v1", "/token", "POST"),
];

/** Machines and their tokens. */
const machines: readonly Row[] = [
  own("GET", "/machines", { credentials: READERS, scope: "org:machine:read" }),
  needs("org:machine:write", "POST", "/machines"),
  needs("org:machine:write", "PATCH", "/machines/:id"),
  needs("org:machine:write", "DELETE", "/machines/:id"),
  own("GET", "/tokens", { credentials: READERS, scope: "org:token:read" }),
  own("POST", "/tokens", { assurance: "fresh" }),
  own("POST", "/tokens/:id/rotate", { assurance: "fresh" }),
  own("DELETE", "/tokens/:id", { assurance: "fresh" }),
];

/** A directory speaks as a machine, which proves no factor. */
function scim(method: Method, url: string): Row {
  return needs("org:directory:write", method, url, { mount: "root", credentials: ["api_token"], assurance: "session" });
}

/** People, roles, settings, SCIM. */
const people: readonly Row[] = [
  needs("org:user:read", "GET", "/people"),
  needs("org:user:invite", "POST", "/people"),
  needs("org:user:read", "GET", "/people/:id"),
  needs("org:user:write", "PATCH", "/people/:id"),
  needs("org:role:assign", "PUT", "/people/:id/roles"),
  needs("org:user:suspend", "POST", "/people/:id/lock"),
  needs("org:user:suspend", "POST", "/people/:id/unlock"),
  needs("org:user:suspend", "POST", "/people/:id/suspend"),
  needs("org:user:suspend", "POST", "/people/:id/reactivate"),
  needs("org:user:suspend", "POST", "/people/:id/erase"),
  needs("org:user:recover", "POST", "/people/:id/recovery"),
  needs("org:user:suspend", "POST", "/people/:id/end-sessions"),
  needs("org:user:merge", "POST", "/people/:id/merge"),
  needs("org:user:write", "POST", "/people/:id/names"),
  needs("org:factor:vouch", "POST", "/people/:id/factors/:factor/vouch"),
  row("any", "GET", "/roles", { mount: "v1", credentials: READERS }),
  needs("org:setting:read", "GET", "/settings"),
  needs("org:setting:write", "PUT", "/settings"),
  ...["ServiceProviderConfig", "ResourceTypes", "Schemas"].map((about) => scim("GET", `/scim/v2/${about}`)),
  ...["Users", "Groups"].flatMap((kind) => [
    scim("GET", `/scim/v2/${kind}`),
    scim("POST", `/scim/v2/${kind}`),
    scim("GET", `/scim/v2/${kind}/:id`),
    scim("PUT", `/scim/v2/${kind}/:id`),
    scim("PATCH", `/scim/v2/${kind}/:id`),
    scim("DELETE", `/scim/v2/${kind}/:id`),
  ]),
  own("GET", "/me/identities"),
  own("DELETE", "/me/identities/:id", { assurance: "fresh" }),
  own("POST", "/me/organizations", { assurance: "fresh" }),
];

/** Views, statements, bulk decisions, evidence. */
const signing: readonly Row[] = [
  row("holder", "POST", "/tasks/:id/view", { mount: "v1", credentials: BROWSER }),
  row("holder", "POST", "/tasks/:id/statement", { mount: "v1", credentials: BROWSER }),
  row("holder", "POST", "/tasks/statements", { mount: "v1", credentials: BROWSER }),
  row("holder", "POST", "/tasks/decisions", { credentials: PEOPLE, assurance: "decision" }),
  row("reader", "GET", "/requests/:id/bundle", { mount: "v1" }),
];

/** Organizations of the platform. */
const organizations: readonly Row[] = [
  needs("platform:org:read", "GET", "/orgs"),
  needs("platform:org:create", "POST", "/orgs"),
  needs("platform:org:write", "PATCH", "/orgs/:id"),
  needs("platform:org:suspend", "POST", "/orgs/:id/suspend"),
  needs("platform:org:suspend", "POST", "/orgs/:id/reactivate"),
];

/** The deploy gate's own API (docs/spec/deploy.md section 2). */
const deployGate: readonly Row[] = [
  open("deploy", "/health"),
  ...approvalRows,
  ...deployAdministration,
  ...integrationRows,
];

export const authorizationTable: readonly Row[] = [
  ...probesAndPages,
  ...policies,
  ...requests,
  ...tasks,
  ...delegationsAndDirectory,
  ...acrossGates,
  ...sessions,
  ...signIn,
  ...factors,
  ...providers,
  ...machines,
  ...people,
  ...signing,
  ...organizations,
  ...deployGate,
  ...rackProxyRows,
];

export const mountPrefixes = {
  awe: "/v1/awe",
  v1: "/v1",
  deploy: "/api/v1",
  deployOfRack: "/racks/:rack/api/v1",
} as const;

/** The addresses at which a row's route stands, with the prefix. */
export function addressesOf(row: Row): readonly string[] {
  switch (row.mount) {
    case "root":
      return [row.url];
    case "v1":
      return [`${mountPrefixes.v1}${row.url}`];
    case "both":
      return [`${mountPrefixes.awe}${row.url}`, `${mountPrefixes.v1}${row.url}`];
    case "deploy":
      return [`${mountPrefixes.deploy}${row.url}`, `${mountPrefixes.deployOfRack}${row.url}`];
  }
}
