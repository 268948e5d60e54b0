/**
 * The authorization table: every route, who may call it, with what kind of credential, how strongly authenticated.
 * There is no other place that decides this; a route that is missing here stops the start (docs/spec/api.md R-AUTHZ-1).
 */
export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/**
 * Who may call: `public` everybody, `development` everybody but only in development mode, `any` every valid credential,
 * `reader` whoever may read the thing (R-AUTH-30; the read side decides and answers 404), `holder` and `own` whoever it
 * concerns (the use case decides), `viewer` and `admin` the roles of R-AUTH-23.
 */
export type Access = "public" | "development" | "any" | "reader" | "holder" | "own" | "viewer" | "admin";

export type CredentialKind = "person" | "machine" | "session";

/** Where a route stands: once at the root, in the API of both families, or in `/v1` alone. */
export type Mount = "root" | "both" | "v1";

export interface Row {
  readonly method: Method;
  /** Relative to the mount, in Fastify's form. */
  readonly url: string;
  readonly mount: Mount;
  readonly access: Access;
  readonly credentials: readonly CredentialKind[];
  /** How strongly the caller must have authenticated. */
  readonly assurance: "none" | "session";
}

const EVERY: readonly CredentialKind[] = ["person", "machine", "session"];
const PEOPLE: readonly CredentialKind[] = ["person", "session"];
const BROWSER: readonly CredentialKind[] = ["session"];

function open(mount: Mount, url: string, method: Method = "GET"): Row {
  return { method, url, mount, access: "public", credentials: [], assurance: "none" };
}

interface Narrower {
  readonly mount?: Mount;
  readonly credentials?: readonly CredentialKind[];
}

function row(access: Access, method: Method, url: string, narrower: Narrower = {}): Row {
  const { mount = "both", credentials = EVERY } = narrower;
  return { method, url, mount, access, credentials, assurance: "session" };
}

const probesAndPages: readonly Row[] = [
  open("root", "/healthz"),
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
  row("admin", "POST", "/policies"),
  row("viewer", "GET", "/policies"),
  row("admin", "PUT", "/policies/:key"),
  row("viewer", "GET", "/policies/:key/versions"),
  row("viewer", "GET", "/policies/:key/versions/:version"),
  row("admin", "PATCH", "/policies/:key/versions/:version"),
  row("admin", "DELETE", "/policies/:key/versions/:version"),
  row("admin", "POST", "/policies/:key/versions/:version/activate"),
  row("admin", "POST", "/policies/:key/versions/:version/deactivate"),
  row("viewer", "POST", "/policies/:key/versions/:version/simulate"),
];

const requests: readonly Row[] = [
  row("any", "POST", "/requests"),
  row("any", "GET", "/requests"),
  row("reader", "GET", "/requests/:id"),
  row("own", "POST", "/requests/:id/cancel"),
  row("reader", "GET", "/requests/:id/events"),
  row("reader", "GET", "/requests/:id/explain"),
  row("reader", "GET", "/requests/:id/decisions"),
  row("admin", "POST", "/requests/:id/resolve"),
  row("reader", "GET", "/requests/:id/wait", { mount: "v1" }),
];

const tasks: readonly Row[] = [
  row("any", "GET", "/tasks"),
  row("any", "GET", "/tasks/stats"),
  row("reader", "GET", "/tasks/:id"),
  row("holder", "POST", "/tasks/:id/claim", { credentials: PEOPLE }),
  row("holder", "POST", "/tasks/:id/release", { credentials: PEOPLE }),
  row("holder", "POST", "/tasks/:id/decision", { credentials: PEOPLE }),
  row("holder", "POST", "/tasks/:id/reassign"),
];

const people: readonly Row[] = [
  row("own", "GET", "/delegations"),
  row("own", "POST", "/delegations"),
  row("own", "DELETE", "/delegations/:id"),
  row("viewer", "GET", "/directory/users"),
  row("viewer", "GET", "/directory/roles"),
  row("admin", "PUT", "/directory/roles/:name"),
  row("admin", "DELETE", "/directory/roles/:name"),
  row("viewer", "GET", "/directory/groups"),
  row("admin", "PUT", "/directory/groups"),
  row("admin", "DELETE", "/directory/groups"),
  row("viewer", "GET", "/admin/audit"),
];

const acrossGates: readonly Row[] = [
  row("any", "GET", "/inbox", { mount: "v1" }),
  row("any", "GET", "/events", { mount: "v1" }),
  row("viewer", "GET", "/ledger/export", { mount: "v1" }),
  row("viewer", "GET", "/ledger/checkpoint", { mount: "v1" }),
  row("any", "GET", "/me", { mount: "v1" }),
  row("any", "DELETE", "/session", { mount: "v1", credentials: BROWSER }),
  { ...open("v1", "/dev/people"), access: "development" },
  { ...open("v1", "/dev/session", "POST"), access: "development" },
];

export const authorizationTable: readonly Row[] = [
  ...probesAndPages,
  ...policies,
  ...requests,
  ...tasks,
  ...people,
  ...acrossGates,
];

export const mountPrefixes = { awe: "/v1/awe", v1: "/v1" } as const;

/** The addresses at which a row's route stands, with the prefix. */
export function addressesOf(row: Row): readonly string[] {
  switch (row.mount) {
    case "root":
      return [row.url];
    case "v1":
      return [`${mountPrefixes.v1}${row.url}`];
    case "both":
      return [`${mountPrefixes.awe}${row.url}`, `${mountPrefixes.v1}${row.url}`];
  }
}
