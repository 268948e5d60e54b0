/**
 * May this call be made at all? Path, route, rack, permission, factor and policy, in this order; the first refusal answers. Implements
 * docs/spec/deploy.md R-PROXY-3 steps 2 to 8, R-MFA-1 to R-MFA-4 on the proxy, R-REQ-14 and R-REQ-15.
 */
import { callCircumstances, type CallAbout } from "../../app/deploy/call-entry.ts";
import type { DeployAppSettings } from "../../app/deploy/settings-desk.ts";
import { tokenOf } from "../../app/grant-act.ts";
import type { Proof } from "../../app/proof.ts";
import { proveFactor } from "../../app/prove-factor.ts";
import type { RefusalRecorder } from "../../app/record-refused-access.ts";
import { permits, type Permission } from "../../core/permission.ts";
import { isRefusal } from "../../core/refusal.ts";
import { denials, destructiveDisabled, permissionDenied, unknownRoute } from "../../gates/deploy/call-refusals.ts";
import type { DeployRefusal } from "../../gates/deploy/deploy-refusal.ts";
import type { GatedCaller } from "../../gates/deploy/gated-facts.ts";
import { readRackHeaders, type RackHeaders } from "../../gates/deploy/rack-headers.ts";
import { isQuery, rackQuery } from "../../gates/deploy/rack-query.ts";
import { isRackMatch, matchRackRoute, type GatedAction, type RackMatch } from "../../gates/deploy/rack-routes.ts";
import type { Rack } from "../../ports/rack.ts";
import type { Row } from "../authorization.ts";
import { admissionFault, assuranceProblem, missingAssurance, type Caller } from "../authorized.ts";
import type { Authenticated } from "../credentials.ts";
import { problemOfRefusal, type Problem } from "../problem.ts";
import { sentProof } from "../sent-proof.ts";
import { consoleRow, rackProxyRow } from "./proxy-rows.ts";
import type { ProxyCall } from "./proxy-call.ts";
import type { ProxyExchange } from "./proxy-exchange.ts";
import { notAuthenticated, proxyRefusal, ProxyRefused, refusalOfProblem, type ProxyRefusal } from "./proxy-refusal.ts";
import type { RackActors } from "./proxy-actors.ts";

export interface StepParts {
  readonly refusals: RefusalRecorder;
  readonly actors: RackActors;
}

/** The call, or `probe`: what clients ask before every WebSocket, answered 404 at once and told nobody (R-ROUTE-1). */
export async function judgeSteps(
  exchange: ProxyExchange,
  { caller, proof }: Authenticated,
  parts: StepParts,
): Promise<ProxyCall | "probe"> {
  const place = placeOf(exchange, caller);
  if (place === "probe") return "probe";
  if ("refusal" in place) return refuseTold(parts.refusals, caller, place.refusal, aboutOf(exchange, caller, place));
  const { rack, match, appName, headers, query } = place;
  const { app } = caller;
  const settings = await app.deploy.settings.ofApp(app, rack.info.name, appName);
  const about = aboutOf(exchange, caller, place);
  const told = (refusal: ProxyRefusal): Promise<never> => refuseTold(parts.refusals, caller, refusal, about);
  if (!rack.info.enabled) await told(proxyRefusal(403, "rack_disabled", "rack disabled"));
  const reach = reachOf(caller, { match, appName, settings, isConsole: exchange.isConsole });
  if ("status" in reach) return told(reach);
  await checkFactor(exchange, caller, { match, proof }, told);
  if (match.route.destructive && !settings.global.allowDestructiveActions.value) await told(destructiveDisabled());
  const actor = await parts.actors.of(caller);
  const approval = reach.isDisabled ? "disabled" : null;
  return {
    ...{ exchange, caller, app, rack, actor, match, appName, headers, query, settings },
    ...{ gated: reach.gated, target: reach.target, about: { ...about, approval } },
  };
}

interface Place {
  readonly rack: Rack;
  readonly match: RackMatch;
  /** Empty where the call is about no app. */
  readonly appName: string;
  readonly headers: RackHeaders;
  readonly query: string;
}

/** A call that leads nowhere, as far as it could be read. */
interface NoPlace {
  readonly refusal: ProxyRefusal;
  /** Undefined: no rack has the name. */
  readonly rack: Rack | undefined;
  /** Null: no route is like this. */
  readonly match: RackMatch | null;
  readonly appName: string;
}

/** Unknown names are 404; a credential that does not cover the rack is none there (R-RACK-2, R-PROXY-3 step 2). */
function placeOf(exchange: ProxyExchange, { app, limits }: Caller): Place | NoPlace | "probe" {
  const rack = app.deploy.racks.find(exchange.rackName);
  const nowhere = { rack, match: null, appName: "" };
  if (rack === undefined) {
    return { ...nowhere, refusal: { ...unknownRoute(), message: "rack not found", hint: [] } };
  }
  if (limits !== null && limits.racks?.includes(rack.info.name) === false) {
    const refusal = notAuthenticated("this credential does not cover this rack", "token_scope_limit");
    return { ...nowhere, refusal };
  }
  const match = routeOf(exchange);
  if (match === "probe") return "probe";
  if (!isRackMatch(match)) return { ...nowhere, refusal: match };
  const found = { rack, match, appName: match.params["app"] ?? "" };
  const headers = readRackHeaders(exchange.pairs);
  if ("code" in headers) return { ...found, refusal: headers };
  const query = rackQuery(match.route, exchange.query);
  return isQuery(query) ? { ...found, headers, query } : { ...found, refusal: query };
}

function routeOf({ method, path, isSocket, isConsole }: ProxyExchange): RackMatch | DeployRefusal | "probe" {
  const match = matchRackRoute(method, path, isSocket);
  if ("probe" in match) return "probe";
  if (!isRackMatch(match) || !isConsole) return match;
  const isOfConsole = CONSOLE_CALLS.has(`${match.route.method} ${match.route.template}`) || isConsoleRead(match);
  return isOfConsole ? match : unknownRoute();
}

/** R-PROXY-2. */
const CONSOLE_CALLS: ReadonlySet<string> = new Set([
  "GET /apps",
  "GET /instances",
  "GET /system/processes",
  "PUT /apps/{app}/services/{service}",
  "DELETE /apps/{app}/processes/{pid}",
]);

function isConsoleRead({ route }: RackMatch): boolean {
  return route.method === "GET" && (route.template === "/apps/{app}" || route.template.startsWith("/apps/{app}/"));
}

/** What was asked for in vain is no name of anything: of a call without a route only its method is kept. */
function aboutOf(
  exchange: ProxyExchange,
  caller: Caller,
  { rack, match, appName }: Pick<NoPlace, "rack" | "match" | "appName">,
): CallAbout {
  const names = Object.fromEntries(Object.entries(match?.params ?? {}).filter(([name]) => name !== "app"));
  const { actor } = caller;
  const { permission, template } = match?.route ?? NO_ROUTE;
  const [, resource = "", verb = ""] = permission.split(":");
  return {
    ...{ orgId: caller.app.orgId, actor, credentialKind: actor.machine ? "api_token" : caller.kind },
    ...{ scope: rack?.info.name ?? "", app: appName === "" ? null : appName, action: `${resource}.${verb}` },
    ...{ method: exchange.method, route: template, names },
    ...{ address: exchange.address, userAgent: exchange.userAgent, requestId: exchange.id, approval: null },
  };
}

const NO_ROUTE = { permission: "convox:rack:call", template: "/*" } as const;

/** Refused, and told: every refusal of somebody known is an entry (R-REFUSE-1, R-AUDIT-2). */
async function refuseTold(
  refusals: RefusalRecorder,
  caller: Caller,
  refusal: ProxyRefusal,
  about: CallAbout,
): Promise<never> {
  await recordRefusal(refusals, caller, { refusal, about });
  throw new ProxyRefused(refusal);
}

export async function recordRefusal(
  refusals: RefusalRecorder,
  { app, actor }: Pick<Caller, "app" | "actor">,
  { refusal, about }: { readonly refusal: ProxyRefusal; readonly about: CallAbout },
): Promise<void> {
  const { approval } = about;
  await refusals.record(app, actor, {
    ...{ code: refusal.code, route: `${about.method} ${about.route}`, address: about.address },
    about: { ...callCircumstances(about), status: refusal.status },
    ...(approval !== null && approval !== "disabled"
      ? { request: { id: approval.requestId, digest: approval.digest, gate: "deploy" } }
      : {}),
  });
}

interface Reach {
  readonly gated: GatedAction | null;
  readonly target: GatedCaller | null;
  readonly isDisabled: boolean;
}

const WITH_APPROVAL: Permission = "convox:deploy:deploy_with_approval";
/** Looking is not deploying: whoever holds the permission looks without an approval (R-REQ-15). */
const LOOKS: ReadonlySet<GatedAction> = new Set(["build_read", "build_logs", "release_read", "process_terminate"]);
/** What changes what runs, and no approval opens (R-BIND-1). */
const NEVER_APPROVED: ReadonlySet<Permission> = new Set([
  "convox:release:create",
  "convox:build:import",
  "convox:build:update",
]);

interface Reaching {
  readonly match: RackMatch;
  readonly appName: string;
  readonly settings: DeployAppSettings;
  readonly isConsole: boolean;
}

/** By the caller's own permission, by an approval, or not at all (R-PROXY-3 step 6). */
function reachOf(caller: Caller, reaching: Reaching): Reach | ProxyRefusal {
  const { route } = reaching.match;
  const { permissions, machine } = caller.actor;
  const refusal = kindRefusal(caller, reaching);
  if (refusal !== null) return refusal;
  const needed = [route.permission, ...(route.permissionToo === null ? [] : [route.permissionToo])];
  const missing = needed.find((permission) => !permits(permissions, permission)) ?? null;
  const target = targetOf(caller);
  const isBound = target !== null && isDeploying(reaching.match) && mustBeApproved(reaching.settings, machine);
  if (missing === null && !isBound) return { gated: null, target, isDisabled: false };
  return underApproval(reaching, { permissions, missing, target });
}

function kindRefusal(caller: Caller, { match, appName, isConsole }: Reaching): ProxyRefusal | null {
  const { route } = match;
  const fault = admissionFault(isConsole ? consoleRow : rackProxyRow, caller);
  if (fault !== null) return refusalOfProblem(fault);
  if (appName !== "" && caller.limits?.apps?.includes(appName) === false) return denied(route.permission);
  if (!caller.actor.machine || route.tokenMay) return null;
  const hint = ["Log in as a person."];
  return proxyRefusal(403, "credential_kind_not_allowed", "API tokens cannot do this", { hint });
}

interface Asking {
  readonly permissions: readonly Permission[];
  /** Null for whoever holds the permission, and needs an approval all the same. */
  readonly missing: Permission | null;
  readonly target: GatedCaller | null;
}

function underApproval({ match, settings }: Reaching, { permissions, missing, target }: Asking): Reach | ProxyRefusal {
  const { route } = match;
  if (route.gated === null || target === null) return denied(missing ?? route.permission);
  if (missing !== null && !permits(permissions, WITH_APPROVAL)) return denied(missing);
  if (!settings.global.deployApprovalsEnabled.value) return { gated: null, target, isDisabled: true };
  return { gated: route.gated, target, isDisabled: false };
}

function mustBeApproved({ global }: DeployAppSettings, machine: boolean): boolean {
  if (!global.deployApprovalsEnabled.value) return false;
  return global.requiredFor.value === "everyone" || (global.requiredFor.value === "tokens" && machine);
}

function isDeploying({ route }: RackMatch): boolean {
  return route.gated === null ? NEVER_APPROVED.has(route.permission) : !LOOKS.has(route.gated);
}

/** Whom an approval has to be for: the token, or the person. */
function targetOf({ actor, workload }: Caller): GatedCaller | null {
  const tokenId = workload?.tokenId ?? tokenOf(actor);
  if (tokenId !== null) return { tokenId };
  return actor.person === null ? null : { personId: actor.person.id };
}

/** First lines that the original's clients show (R-REFUSE-1). */
const DENIALS: Readonly<Record<Permission, string>> = {
  "convox:process:start": denials.runProcesses,
  "convox:process:exec": denials.runProcesses,
  "convox:process:terminate": denials.stopProcesses,
  "convox:release:create": denials.createReleases,
  "convox:release:promote": denials.promoteReleases,
};

function denied(permission: Permission): ProxyRefusal {
  return permissionDenied(DENIALS[permission] ?? denials.any, permission);
}

interface Proving {
  readonly match: RackMatch;
  readonly proof: Authenticated["proof"];
}

/** R-PROXY-3 step 7: machines have no factor and are never asked; people prove what the route's level asks. */
async function checkFactor(
  exchange: ProxyExchange,
  caller: Caller,
  proving: Proving,
  told: (refusal: ProxyRefusal) => Promise<never>,
): Promise<void> {
  const problem = await factorProblem(exchange, caller, proving);
  if (problem !== null) await told(refusalOfProblem(problem));
}

const ASSURANCES = { always: "fresh", step_up: "step_up", none: "session" } as const;

async function factorProblem(
  exchange: ProxyExchange,
  caller: Caller,
  { match, proof }: Proving,
): Promise<Problem | null> {
  const row: Row = { ...(exchange.isConsole ? consoleRow : rackProxyRow), assurance: ASSURANCES[match.route.mfa] };
  const fault = admissionFault(row, caller);
  if (fault !== null) return fault;
  // A proof that nothing asks for is neither looked at nor spent: clients send one with every call of a command (R-MFA-2).
  const missing = missingAssurance(row, caller, caller.app.clock());
  if (missing === null) return null;
  const sent = sentProof(exchange.request, proof);
  if (sent === null) return assuranceProblem(missing);
  return "message" in sent ? sent : proofProblem(exchange, caller, sent);
}

async function proofProblem(exchange: ProxyExchange, caller: Caller, sent: Proof): Promise<Problem | null> {
  const personId = caller.actor.person?.id;
  if (personId === undefined) return assuranceProblem("fresh");
  const act = `${exchange.method} /${exchange.isConsole ? "convox" : "rack-proxy"}${exchange.path}`;
  const proven = await proveFactor(caller.app, { personId, sessionId: caller.session?.id ?? null }, act, sent);
  return isRefusal(proven) ? problemOfRefusal(proven) : null;
}
