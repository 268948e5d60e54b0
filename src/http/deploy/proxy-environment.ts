/**
 * Environments of releases: masked on their way out, judged on their way in (docs/spec/deploy.md R-ENV-1 to R-ENV-4).
 */
import type { CallKind } from "../../app/deploy/call-entry.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import { permits } from "../../core/permission.ts";
import { denials, permissionDenied, rackUnreachable } from "../../gates/deploy/call-refusals.ts";
import {
  changeEnvironment,
  environmentMoved,
  isEnvironment,
  isEnvironmentChange,
  parseEnvironment,
  readEnvironment,
  shownEnvironment,
  writeEnvironment,
  type EnvironmentDifference,
  type EnvironmentSight,
  type SecrecyRules,
} from "../../gates/deploy/environment.ts";
import { refuseDeploy } from "../../gates/deploy/deploy-refusal.ts";
import { encodeForm, parseForm, type FormPair } from "../../gates/deploy/url-encoded-form.ts";
import type { RackAnswer } from "../../ports/rack.ts";
import { recordCall } from "../../app/deploy/call-records.ts";
import type { ProxyCall } from "./proxy-call.ts";
import { answerText, forward, sendAnswer } from "./proxy-forward.ts";
import { ProxyRefused } from "./proxy-refusal.ts";
import { jsonOf, textMember } from "./rack-answers.ts";

const FORM = "application/x-www-form-urlencoded";
const RELEASE_BYTES_MAX = 3_145_728;

function environmentSight({ caller }: Pick<ProxyCall, "caller">): EnvironmentSight {
  const { permissions } = caller.actor;
  if (permits(permissions, "convox:secret:read")) return "plain";
  return permits(permissions, "convox:env:read") ? "masked" : "nothing";
}

export function secrecyOf({ app, settings }: Pick<ProxyCall, "app" | "settings">): SecrecyRules {
  return {
    secretNames: [...(app.deploy.secretEnvNames ?? []), ...(settings.app.secretEnvVars.value ?? [])],
    protectedNames: settings.app.protectedEnvVars.value ?? [],
  };
}

/** The body for this caller; null where the answer passes as it is. */
export async function maskedAnswer(call: ProxyCall, answer: RackAnswer): Promise<Buffer | null> {
  const { template } = call.match.route;
  const isOfRelease = template === "/apps/{app}/releases" || template === "/apps/{app}/releases/{id}";
  if (!isOfRelease || answer.status !== 200 || environmentSight(call) === "plain") return null;
  return maskedBody(call, await answerText(answer));
}

/** What cannot be read cannot be masked, and is not shown. */
export function maskedBody(call: ProxyCall, body: Buffer): Buffer {
  const json = jsonOf(body);
  const sight = environmentSight(call);
  if (sight === "plain") return body;
  const mask = (release: JsonObject): JsonObject =>
    typeof release["env"] === "string"
      ? { ...release, env: shownEnvironment(release["env"], sight, secrecyOf(call)) }
      : release;
  if (isJsonObject(json)) return written(mask(json));
  if (Array.isArray(json)) return written(json.filter(isJsonObject).map(mask));
  throw new ProxyRefused(refuseDeploy("rack_unreachable", "rack answered in a form that cannot be read"));
}

function written(json: JsonValue): Buffer {
  return Buffer.from(`${JSON.stringify(json, null, 2)}\n`);
}

/** Two writers at once would each undo the other's change: one after the other, per app. */
const writing = new Map<string, Promise<void>>();

export async function oneAtATime<Answer>(key: string, act: () => Promise<Answer>): Promise<Answer> {
  const before = writing.get(key) ?? Promise.resolve();
  const acting = before.then(act, act);
  const settled = acting.then(
    () => undefined,
    () => undefined,
  );
  writing.set(key, settled);
  try {
    return await acting;
  } finally {
    if (writing.get(key) === settled) writing.delete(key);
  }
}

/** `POST /apps/{app}/releases` (R-ENV-3). */
export async function createRelease(call: ProxyCall): Promise<void> {
  const text = await call.exchange.text(RELEASE_BYTES_MAX);
  const type = call.headers.contentType?.toLowerCase().split(";", 1)[0]?.trim() ?? "";
  const pairs = text === "" ? [] : type === FORM ? parseForm(text) : null;
  if (pairs === null)
    throw new ProxyRefused(refuseDeploy("env_form", `environment is not acceptable: it is not ${FORM}`));
  const env = pairs.filter(([name]) => name === "env");
  if (env.length > 1)
    throw new ProxyRefused(refuseDeploy("env_form", "environment is not acceptable: it is sent twice"));
  const key = `${call.app.orgId} ${call.rack.info.name} ${call.appName}`;
  const [submitted] = env;
  await oneAtATime(key, () => releaseWith(call, pairs, submitted?.[1] ?? null));
}

async function releaseWith(call: ProxyCall, pairs: readonly FormPair[], submitted: string | null): Promise<void> {
  const { app, about, exchange } = call;
  const judged = submitted === null ? { pairs, differences: [] } : await judgeEnvironment(call, pairs, submitted);
  const changed = { keysChanged: judged.differences.length, more: { differences: judged.differences.map(shown) } };
  const figures = judged.differences.length === 0 ? {} : changed;
  await recordCall(app, ["call_intended"], about, figures);
  const answer = await forward(call, { body: { text: encodeForm(judged.pairs) } });
  const body = await answerText(answer);
  const isDone = answer.status >= 200 && answer.status < 300;
  const release = textMember(jsonOf(body), "id");
  const done: readonly CallKind[] =
    judged.differences.length === 0 ? ["release_created"] : ["release_created", "env_changed"];
  await recordCall(app, isDone ? ["call_ended", ...done] : ["call_ended"], about, {
    ...{ ...figures, status: answer.status, durationMs: performance.now() - exchange.since },
    ...(isDone && release !== "" ? { release } : {}),
  });
  await sendAnswer(exchange, answer, { body: isDone ? maskedBody(call, body) : body });
}

interface JudgedEnvironment {
  readonly pairs: readonly FormPair[];
  readonly differences: readonly EnvironmentDifference[];
}

async function judgeEnvironment(
  call: ProxyCall,
  pairs: readonly FormPair[],
  submitted: string,
): Promise<JudgedEnvironment> {
  const newest = await newestRelease(call);
  const base = newest === "" ? "" : await environmentOf(call, newest);
  const wanted = parseEnvironment(submitted);
  if (!isEnvironment(wanted)) throw new ProxyRefused(wanted);
  const { permissions } = call.caller.actor;
  const changed = changeEnvironment(readEnvironment(base), wanted, {
    ...secrecyOf(call),
    maySetSecrets: permits(permissions, "convox:secret:set"),
  });
  if (!isEnvironmentChange(changed)) throw new ProxyRefused(changed);
  if (changed.differences.length > 0 && !permits(permissions, "convox:env:set")) {
    throw new ProxyRefused(permissionDenied(denials.createReleases, "convox:env:set"));
  }
  if ((await newestRelease(call)) !== newest) throw new ProxyRefused(environmentMoved());
  const env: FormPair = ["env", writeEnvironment(changed.environment)];
  return { pairs: pairs.map((pair) => (pair[0] === "env" ? env : pair)), differences: changed.differences };
}

/** Its id; empty where the app has none. */
async function newestRelease({ rack, appName, actor }: ProxyCall): Promise<string> {
  const { status, json } = await rack.ask({
    path: `/apps/${encodeURIComponent(appName)}/releases`,
    query: "limit=1",
    actor,
  });
  if (status !== 200 || !Array.isArray(json)) throw new ProxyRefused(rackUnreachable());
  return textMember(json[0], "id");
}

async function environmentOf({ rack, appName, actor }: ProxyCall, release: string): Promise<string> {
  const path = `/apps/${encodeURIComponent(appName)}/releases/${encodeURIComponent(release)}`;
  const { status, json } = await rack.ask({ path, actor });
  if (status !== 200) throw new ProxyRefused(rackUnreachable());
  return textMember(json, "env");
}

/** Values of secrets never; the text is committed to with the entry (R-ENV-4). */
function shown(difference: EnvironmentDifference): JsonObject {
  return { ...difference };
}
