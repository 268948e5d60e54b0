/**
 * An app's environment, read and changed by key: masked on its way out, judged on its way in, the same as in releases that pass the
 * proxy. Implements docs/spec/deploy.md R-ENV-1 to R-ENV-5 and 11.3.
 */
import type { CallAbout } from "../../app/deploy/call-entry.ts";
import { recordCall } from "../../app/deploy/call-records.ts";
import { rackActor } from "../../app/deploy/deploy-caller.ts";
import {
  appEnvironmentQuerySchema,
  appEnvironmentSchema,
  changedEnvironmentSchema,
  changeEnvironmentSchema,
} from "../../contract/deploy-racks.ts";
import type { JsonObject } from "../../core/json.ts";
import { permits, type Permission } from "../../core/permission.ts";
import { isRefusal } from "../../core/refusal.ts";
import { permissionDenied } from "../../gates/deploy/call-refusals.ts";
import { isDeployRefusal, refuseDeploy, type DeployRefusal } from "../../gates/deploy/deploy-refusal.ts";
import {
  changeEnvironment,
  environmentMoved,
  isEnvironment,
  isEnvironmentChange,
  isSecret,
  readEnvironment,
  requestedEnvironment,
  secretMask,
  writeEnvironment,
  type Environment,
  type EnvironmentChange,
  type SecrecyRules,
} from "../../gates/deploy/environment.ts";
import { RackFault } from "../../gates/deploy/rack-fault.ts";
import { quickCall } from "../../gates/deploy/rack-timeouts.ts";
import { encodeForm } from "../../gates/deploy/url-encoded-form.ts";
import { ok } from "../answers.ts";
import { endpoint, type Endpoint, type Outcome, type RawExchange } from "../endpoint.ts";
import { deployReply } from "./deploy-reply.ts";
import { oneAtATime } from "./proxy-environment.ts";
import { jsonOf, textMember } from "./rack-answers.ts";
import { appOf, type AppPlace } from "./rack-scope.ts";

const tag = "deploy";
const READ: Permission = "convox:env:read";
const SECRETS: Permission = "convox:secret:read";
const SET_SECRETS: Permission = "convox:secret:set";

export function deployEnvironmentRoutes(): readonly Endpoint[] {
  return [show(), change()];
}

type Exchange = Pick<RawExchange, "caller" | "params" | "requestId" | "header">;

function show(): Endpoint {
  return endpoint({
    ...{ method: "GET", url: "/apps/:app/env", summary: "An app's environment; secrets masked unless asked for", tag },
    query: appEnvironmentQuerySchema,
    answers: { 200: appEnvironmentSchema },
    async handle(exchange) {
      const { query, requestId } = exchange;
      const place = appOf(exchange);
      if (isRefusal(place)) return place;
      const wantsSecrets = query.secrets === "true";
      const denied = sightDenied(exchange, wantsSecrets);
      if (denied !== null) return deployReply(denied, requestId);
      const newest = await newestEnvironment(exchange, place);
      if (isDeployRefusal(newest)) return deployReply(newest, requestId);
      const rules = await rulesOf(exchange, place);
      const env = shownMap(newest.environment, wantsSecrets ? null : rules);
      const { key } = query;
      if (key === undefined) return ok({ env });
      const value = env[key];
      return ok({ env: value === undefined ? {} : { [key]: value } });
    },
  });
}

function sightDenied({ caller: { permissions } }: Exchange, wantsSecrets: boolean): DeployRefusal | null {
  if (!permits(permissions, READ)) {
    return permissionDenied("You don't have permission to view environment variables.", READ);
  }
  if (!wantsSecrets || permits(permissions, SECRETS)) return null;
  return permissionDenied("You don't have permission to view secrets.", SECRETS);
}

/** Null rules hide nothing. */
function shownMap(environment: Environment, rules: SecrecyRules | null): Record<string, string> {
  return Object.fromEntries(
    [...environment].map(([name, value]) => [
      name,
      rules !== null && isSecret(name, value, rules) ? secretMask : value,
    ]),
  );
}

async function rulesOf({ caller: { app } }: Exchange, { scope, appName }: AppPlace): Promise<SecrecyRules> {
  const settings = await app.deploy.settings.ofApp(app, scope, appName);
  return {
    secretNames: [...(app.deploy.secretEnvNames ?? []), ...(settings.app.secretEnvVars.value ?? [])],
    protectedNames: settings.app.protectedEnvVars.value ?? [],
  };
}

interface Newest {
  /** Empty where the app has no release. */
  readonly release: string;
  readonly environment: Environment;
}

async function newestEnvironment(exchange: Exchange, place: AppPlace): Promise<Newest | DeployRefusal> {
  const { rack, appName } = place;
  const actor = rackActor(exchange.caller.actor);
  const folder = `/apps/${encodeURIComponent(appName)}/releases`;
  try {
    const list = await rack.ask({ path: folder, query: "limit=1", actor });
    if (list.status === 404) return notFetched("There is no such app on the rack.");
    if (list.status !== 200 || !Array.isArray(list.json)) return notFetched();
    const release = textMember(list.json[0], "id");
    if (release === "") return { release, environment: new Map() };
    const one = await rack.ask({ path: `${folder}/${encodeURIComponent(release)}`, actor });
    if (one.status !== 200) return notFetched();
    return { release, environment: readEnvironment(textMember(one.json, "env")) };
  } catch (error) {
    if (error instanceof RackFault) return notFetched();
    throw error;
  }
}

function notFetched(hint = "The rack did not answer, or not acceptably."): DeployRefusal {
  return refuseDeploy("rack_unreachable", "failed to fetch env", [hint]);
}

function change(): Endpoint {
  return endpoint({
    ...{ method: "PUT", url: "/apps/:app/env", summary: "Set and remove variables: a new release", tag },
    body: changeEnvironmentSchema,
    answers: { 200: changedEnvironmentSchema },
    async handle(exchange) {
      const place = appOf(exchange);
      if (isRefusal(place)) return place;
      const { set, remove } = exchange.body;
      const asked = { set: new Map(Object.entries(set ?? {})), remove: remove ?? [] };
      const key = `${exchange.caller.app.orgId} ${place.scope} ${place.appName}`;
      const answer = await oneAtATime(key, () => changed(exchange, place, asked));
      return isDeployRefusal(answer) ? deployReply(answer, exchange.requestId) : answer;
    },
  });
}

interface Asked {
  readonly set: Environment;
  readonly remove: readonly string[];
}

async function changed(
  exchange: Exchange,
  place: AppPlace,
  asked: Asked,
): Promise<Exclude<Outcome, { code: string }> | DeployRefusal> {
  const newest = await newestEnvironment(exchange, place);
  if (isDeployRefusal(newest)) return newest;
  const rules = await rulesOf(exchange, place);
  const wanted = requestedEnvironment(newest.environment, asked);
  if (!isEnvironment(wanted)) return wanted;
  const maySetSecrets = permits(exchange.caller.permissions, SET_SECRETS);
  const judged = changeEnvironment(newest.environment, wanted, { ...rules, maySetSecrets });
  if (!isEnvironmentChange(judged)) return judged;
  const env = shownMap(judged.environment, rules);
  if (judged.differences.length === 0) return ok({ env });
  const again = await newestEnvironment(exchange, place);
  if (isDeployRefusal(again)) return again;
  if (again.release !== newest.release) return environmentMoved();
  const release = await createRelease(exchange, place, judged);
  return typeof release === "string" ? ok({ env, release_id: release }) : release;
}

async function createRelease(
  exchange: Exchange,
  place: AppPlace,
  { environment, differences }: EnvironmentChange,
): Promise<string | DeployRefusal> {
  const { app } = exchange.caller;
  const about = aboutOf(exchange, place);
  const more: JsonObject = { differences: differences.map((difference) => ({ ...difference })) };
  const figures = { keysChanged: differences.length, more };
  await recordCall(app, ["call_intended"], about, figures);
  const since = app.clock();
  const sent = await sendRelease(exchange, place, environment);
  const durationMs = app.clock() - since;
  if (sent === null || sent.release === "") {
    await recordCall(app, ["call_ended"], about, { ...figures, status: sent?.status ?? null, durationMs });
    return refuseDeploy("rack_unreachable", "failed to create release", ["The rack refused the new release."]);
  }
  const { status, release } = sent;
  await recordCall(app, ["call_ended", "release_created", "env_changed"], about, {
    ...figures,
    status,
    durationMs,
    release,
  });
  return release;
}

interface Sent {
  readonly status: number;
  /** Empty where the rack made none. */
  readonly release: string;
}

async function sendRelease(exchange: Exchange, { rack, appName }: AppPlace, env: Environment): Promise<Sent | null> {
  const body = Buffer.from(encodeForm([["env", writeEnvironment(env)]]));
  try {
    const answer = await rack.call({
      ...{ method: "POST", path: `/apps/${encodeURIComponent(appName)}/releases`, query: "" },
      headers: [["Content-Type", "application/x-www-form-urlencoded"]],
      ...{ actor: rackActor(exchange.caller.actor), requestId: exchange.requestId, timeouts: quickCall },
      ...{ body: once(body), contentLength: body.length },
    });
    const text = await wholeOf(answer.body);
    const isDone = answer.status >= 200 && answer.status < 300;
    return { status: answer.status, release: isDone ? textMember(jsonOf(text), "id") : "" };
  } catch (error) {
    if (error instanceof RackFault) return null;
    throw error;
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield bytes;
}

async function wholeOf(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts);
}

function aboutOf({ caller, requestId }: Exchange, { scope, appName }: AppPlace): CallAbout {
  const { app, actor, kind, client } = caller;
  return {
    ...{ orgId: app.orgId, actor, credentialKind: kind, scope, app: appName, action: "env.set" },
    ...{ method: "PUT", route: "/apps/{app}/env", names: {}, approval: null, requestId },
    ...{ address: client.address, userAgent: client.userAgent },
  };
}
