/**
 * Which rack calls does the gate carry, and what does each need? Routes as data, matched in one pass over a tree made once.
 * Implements docs/spec/deploy.md R-ROUTE-1, R-ROUTE-2 and R-ROUTE-4.
 */
import type { Permission } from "../../core/permission.ts";
import { pathInvalid, unknownRoute } from "./call-refusals.ts";
import type { DeployRefusal } from "./deploy-refusal.ts";
import { mfaLevel, type MfaLevel } from "./mfa-level.ts";
import { rackPathSegments, type PathSegment } from "./rack-path.ts";

export type RackMethod = "GET" | "POST" | "PUT" | "DELETE";

/** What a credential may do through an approval instead of through the permission itself (deploy R-BIND-1). */
export type GatedAction =
  | "object_create"
  | "build_create"
  | "build_read"
  | "build_logs"
  | "release_read"
  | "process_start"
  | "process_exec"
  | "process_terminate"
  | "release_promote";

export interface RackRoute {
  readonly method: RackMethod;
  readonly template: string;
  readonly permission: Permission;
  /** What it needs besides; null for all but the export of a resource's data. */
  readonly permissionToo: Permission | null;
  /** Null where no approval opens it. */
  readonly gated: GatedAction | null;
  /** Whether the call may also be a WebSocket. */
  readonly socket: boolean;
  readonly mfa: MfaLevel;
  /** Whether a token that holds the permission may call it: machines have no factor to prove in the call. */
  readonly tokenMay: boolean;
  /** Needs `allow_destructive_actions` (deploy R-PROXY-3, step 8). */
  readonly destructive: boolean;
}

export interface RackMatch {
  readonly route: RackRoute;
  /** Decoded, by the names in the template. */
  readonly params: Readonly<Record<string, string>>;
  /** Rebuilt from the route's literals and the encoded parameters. */
  readonly upstreamPath: string;
}

/** What clients ask before every WebSocket: 404 at once, no audit, no denial. */
export interface RackProbe {
  readonly probe: true;
}

export function matchRackRoute(
  method: string,
  rawPath: string,
  isSocket: boolean,
): RackMatch | RackProbe | DeployRefusal {
  const segments = rackPathSegments(rawPath);
  if (segments === null) return pathInvalid();
  if (method === "GET" && !isSocket && (rawPath === "/racks" || rawPath === "/machines")) return { probe: true };
  const found = walk(segments);
  // HEAD is GET without the body; it opens no stream and is no handshake.
  const route = found?.byMethod.get(method === "HEAD" ? "GET" : method);
  if (found === null || route === undefined || !carries(route, method, isSocket)) return unknownRoute();
  const { params, upstreamPath, isAcceptable } = found;
  return isAcceptable ? { route, params, upstreamPath } : pathInvalid();
}

function carries(route: RackRoute, method: string, isSocket: boolean): boolean {
  if (isSocket) return method === "GET" && route.socket;
  return method !== "HEAD" || !route.socket;
}

export function isRackMatch(value: RackMatch | RackProbe | DeployRefusal): value is RackMatch {
  return "route" in value;
}

/** A parameter of a template, and what follows it in the same segment. */
interface Edge {
  readonly name: string;
  readonly suffix: string;
  readonly form: RegExp;
  readonly branch: Branch;
}

interface Branch {
  readonly literals: Map<string, Branch>;
  /** The longer suffix first: `{id}.tgz` before `{id}`. */
  readonly edges: Edge[];
  readonly byMethod: Map<string, RackRoute>;
}

interface Walk {
  readonly byMethod: ReadonlyMap<string, RackRoute>;
  readonly params: Readonly<Record<string, string>>;
  readonly upstreamPath: string;
  /** Whether every parameter has its form. */
  readonly isAcceptable: boolean;
}

/**
 * Literals are matched undecoded. A segment that only decodes to a literal (`%69mport`) is nobody's parameter either: rebuilt,
 * it would be another route on the rack.
 */
function walk(segments: readonly PathSegment[]): Walk | null {
  const params: Record<string, string> = {};
  let branch: Branch = TREE;
  let upstreamPath = "";
  let isAcceptable = true;
  for (const { raw, decoded } of segments) {
    const literal = branch.literals.get(decoded);
    const edge = branch.edges.find(({ suffix }) => decoded.endsWith(suffix));
    if (literal !== undefined) {
      if (raw !== decoded) return null;
      upstreamPath += `/${raw}`;
      branch = literal;
    } else if (edge !== undefined) {
      const value = decoded.slice(0, decoded.length - edge.suffix.length);
      isAcceptable &&= edge.form.test(value);
      params[edge.name] = value;
      upstreamPath += `/${encodeURIComponent(value)}${edge.suffix}`;
      branch = edge.branch;
    } else return null;
  }
  return { byMethod: branch.byMethod, params, upstreamPath, isAcceptable };
}

const APP = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const SERVICE = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** A registry is a host, perhaps with a port. */
const SERVER = /^[A-Za-z0-9][A-Za-z0-9.-]{0,252}(?::[0-9]{1,5})?$/;

/** `{app}` is an app, `{service}` a service, `{server}` a registry, all others ids. */
const FORMS: ReadonlyMap<string, RegExp> = new Map([
  ["app", APP],
  ["service", SERVICE],
  ["server", SERVER],
]);

interface Traits {
  readonly gated?: GatedAction;
  readonly socket?: boolean;
  readonly permissionToo?: Permission;
}

function route(call: `${RackMethod} /${string}`, permission: Permission, traits: Traits = {}): RackRoute {
  const blank = call.indexOf(" ");
  const method = methodOf(call.slice(0, blank));
  const mfa = mfaLevel(permission);
  return {
    method,
    template: call.slice(blank + 1),
    permission,
    permissionToo: traits.permissionToo ?? null,
    gated: traits.gated ?? null,
    socket: traits.socket ?? false,
    mfa,
    tokenMay: mfa !== "always",
    destructive: method === "DELETE" && permission !== "convox:process:terminate",
  };
}

function methodOf(word: string): RackMethod {
  return word === "POST" || word === "PUT" || word === "DELETE" ? word : "GET";
}

export const rackRoutes: readonly RackRoute[] = [
  route("GET /apps", "convox:app:list"),
  route("GET /apps/{app}", "convox:app:read"),
  route("GET /apps/{app}/services", "convox:app:read"),
  route("GET /apps/{app}/metrics", "convox:app:read"),
  route("GET /apps/{app}/balancers", "convox:app:read"),
  route("POST /apps", "convox:app:create"),
  route("PUT /apps/{app}", "convox:app:update"),
  route("PUT /apps/{app}/services/{service}", "convox:app:update"),
  route("POST /apps/{app}/cancel", "convox:app:update"),
  route("POST /apps/{app}/restart", "convox:app:restart"),
  route("DELETE /apps/{app}", "convox:app:delete"),
  route("GET /apps/{app}/builds", "convox:build:list"),
  route("GET /apps/{app}/builds/{id}", "convox:build:read", { gated: "build_read" }),
  route("GET /apps/{app}/builds/{id}.tgz", "convox:build:read"),
  route("POST /apps/{app}/builds", "convox:build:create", { gated: "build_create" }),
  route("POST /apps/{app}/builds/import", "convox:build:import"),
  route("POST /apps/{app}/builds/{id}/image", "convox:build:import"),
  route("PUT /apps/{app}/builds/{id}", "convox:build:update"),
  route("GET /apps/{app}/logs", "convox:log:read", { socket: true }),
  route("GET /apps/{app}/builds/{id}/logs", "convox:log:read", { socket: true, gated: "build_logs" }),
  route("GET /apps/{app}/processes/{pid}/logs", "convox:log:read", { socket: true }),
  route("GET /apps/{app}/services/{service}/logs", "convox:log:read", { socket: true }),
  route("GET /system/logs", "convox:log:read", { socket: true }),
  route("POST /apps/{app}/objects/tmp/{name}", "convox:object:create", { gated: "object_create" }),
  route("GET /apps/{app}/processes", "convox:process:list"),
  route("GET /apps/{app}/processes/{pid}", "convox:process:read"),
  route("DELETE /apps/{app}/processes/{pid}", "convox:process:terminate", { gated: "process_terminate" }),
  route("POST /apps/{app}/services/{service}/processes", "convox:process:start", { gated: "process_start" }),
  route("POST /apps/{app}/services/{service}/restart", "convox:process:start"),
  route("GET /apps/{app}/processes/{pid}/exec", "convox:process:exec", { socket: true, gated: "process_exec" }),
  route("GET /apps/{app}/releases", "convox:release:list"),
  route("GET /apps/{app}/releases/{id}", "convox:release:read", { gated: "release_read" }),
  route("POST /apps/{app}/releases", "convox:release:create"),
  route("POST /apps/{app}/releases/{id}/promote", "convox:release:promote", { gated: "release_promote" }),
  route("GET /instances", "convox:instance:list"),
  route("GET /instances/{id}", "convox:instance:read"),
  route("DELETE /instances/{id}", "convox:instance:terminate"),
  route("POST /instances/keyroll", "convox:instance:keyroll"),
  route("GET /system", "convox:rack:read"),
  route("GET /system/capacity", "convox:rack:read"),
  route("GET /system/metrics", "convox:rack:read"),
  route("GET /system/processes", "convox:rack:read"),
  route("GET /system/releases", "convox:rack:read"),
  route("PUT /system", "convox:rack:update"),
  route("GET /apps/{app}/resources", "convox:resource:list"),
  route("GET /apps/{app}/resources/{name}", "convox:resource:read"),
  route("GET /apps/{app}/resources/{name}/data", "convox:resource:export", { permissionToo: "convox:secret:read" }),
  route("GET /certificates", "convox:cert:list"),
  route("POST /certificates", "convox:cert:create"),
  route("POST /certificates/generate", "convox:cert:generate"),
  route("DELETE /certificates/{id}", "convox:cert:delete"),
  route("GET /registries", "convox:registry:list"),
  route("POST /registries", "convox:registry:add"),
  route("DELETE /registries/{server}", "convox:registry:remove"),
];

const TREE = grow(rackRoutes);

function grow(routes: readonly RackRoute[]): Branch {
  const root = newBranch();
  for (const row of routes) {
    let branch = root;
    for (const part of row.template.slice(1).split("/"))
      branch = part.startsWith("{") ? onEdge(branch, part) : onLiteral(branch, part);
    branch.byMethod.set(row.method, row);
  }
  return root;
}

function newBranch(): Branch {
  return { literals: new Map(), edges: [], byMethod: new Map() };
}

function onLiteral(branch: Branch, literal: string): Branch {
  const next = branch.literals.get(literal) ?? newBranch();
  branch.literals.set(literal, next);
  return next;
}

function onEdge(branch: Branch, part: string): Branch {
  const close = part.indexOf("}");
  const name = part.slice(1, close);
  const suffix = part.slice(close + 1);
  const known = branch.edges.find((edge) => edge.suffix === suffix);
  if (known !== undefined) return known.branch;
  const next = newBranch();
  branch.edges.push({ name, suffix, form: FORMS.get(name) ?? ID, branch: next });
  branch.edges.sort((one, other) => other.suffix.length - one.suffix.length);
  return next;
}
