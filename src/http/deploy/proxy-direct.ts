/**
 * Calls that the caller's own permission opens: recorded before and after, and otherwise passed on as they are (docs/spec/deploy.md R-PROXY-3
 * steps 9 to 11, R-AUDIT-2, R-ENV-2, R-IMAGE-5).
 */
import { checkManifest } from "../../app/deploy/check-manifest.ts";
import type { CallAbout, CallFigures, CallKind } from "../../app/deploy/call-entry.ts";
import { recordCall } from "../../app/deploy/call-records.ts";
import { encodeBuildForm, isBuildForm, readBuildForm, type BuildForm } from "../../gates/deploy/build-form.ts";
import { boundCommit } from "../../app/workload-identity.ts";
import { buildForm } from "../../gates/deploy/call-refusals.ts";
import { checkDirectStart } from "../../gates/deploy/process-options.ts";
import { foreignCommit } from "../../gates/deploy/request-refusals.ts";
import { RackFault } from "../../gates/deploy/rack-fault.ts";
import type { RackAnswer } from "../../ports/rack.ts";
import { recordsBy } from "../../ports/records.ts";
import { isRead, type ProxyCall } from "./proxy-call.ts";
import { createRelease, maskedAnswer } from "./proxy-environment.ts";
import { answerText, forward, sendAnswer, type Forwarding } from "./proxy-forward.ts";
import type { ReadRecords } from "./proxy-reads.ts";
import { ProxyRefused } from "./proxy-refusal.ts";
import { buildIn, jsonOf, textMember } from "./rack-answers.ts";

export const FORM_BYTES_MAX = 65_536;

export async function callDirectly(call: ProxyCall, reads: ReadRecords): Promise<void> {
  if (isRead(call)) return readDirectly(call, reads);
  const { route } = call.match;
  if (route.gated === "build_create") return createBuild(call);
  if (call.about.action === "release.create") return createRelease(call);
  if (route.gated === "process_start") {
    const refusal = checkDirectStart(call.headers.options, call.caller.actor.permissions);
    if (refusal !== null) throw new ProxyRefused(refusal);
  }
  return writeDirectly(call);
}

/** Nothing of it waits for the database (R-PERF-3). */
async function readDirectly(call: ProxyCall, reads: ReadRecords): Promise<void> {
  await reads.room();
  let status: number | null = null;
  try {
    const answer = await forward(call);
    ({ status } = answer);
    const masked = await maskedAnswer(call, answer);
    await sendAnswer(call.exchange, answer, masked === null ? {} : { body: masked });
  } finally {
    reads.add(call.app, { about: call.about, figures: { status, durationMs: elapsed(call) } });
  }
}

export function elapsed({ exchange }: Pick<ProxyCall, "exchange">): number {
  return performance.now() - exchange.since;
}

/** Kinds besides the outcome itself, for calls that the rack has accepted. */
const DONE: Readonly<Record<string, CallKind>> = {
  "release.promote": "release_promoted",
  "release.create": "release_created",
  "build.create": "build_created",
  "build.import": "build_created",
  "process.start": "process_started",
  "process.terminate": "process_terminated",
  "app.create": "app_changed",
  "app.update": "app_changed",
  "app.restart": "app_changed",
  "app.delete": "app_changed",
};

function doneKind({ about }: Pick<ProxyCall, "about">): CallKind {
  return DONE[about.action] ?? "rack_changed";
}

async function writeDirectly(call: ProxyCall): Promise<void> {
  const command = call.headers.options.get("Command");
  const figures: CallFigures = command === undefined ? {} : { command };
  const answer = await sentAndRecorded(call, {}, figures, () => Promise.resolve({}));
  await sendAnswer(call.exchange, answer.answer, answer.body === null ? {} : { body: answer.body });
}

export interface Outcome {
  readonly answer: RackAnswer;
  /** Read by the gate; null where it streams. */
  readonly body: Buffer | null;
}

/** The intent is durable before the call is sent; the outcome before its answer is passed on. */
async function sentAndRecorded(
  call: ProxyCall,
  forwarding: Forwarding,
  figures: CallFigures,
  read: (body: Buffer) => Promise<CallFigures>,
): Promise<Outcome> {
  const { app, about } = call;
  await recordCall(app, ["call_intended"], about, figures);
  try {
    const answer = await forward(call, { outlivesClient: outlives(call), ...forwarding });
    const isRead = READ_ANSWERS.has(about.action);
    const body = isRead ? await answerText(answer) : null;
    const told = body === null ? {} : await read(body);
    const isDone = answer.status >= 200 && answer.status < 300;
    const kinds: readonly CallKind[] = isDone ? ["call_ended", doneKind(call)] : ["call_ended"];
    const came = isDone && body !== null ? aboutMade(about, body) : about;
    await recordCall(app, kinds, came, { ...figures, ...told, status: answer.status, durationMs: elapsed(call) });
    return { answer, body };
  } catch (error) {
    await recordFailure(call, figures, error);
    throw error;
  }
}

/** The route that makes an app names none: the answer does. */
function aboutMade(about: CallAbout, body: Buffer): CallAbout {
  const name = about.action === "app.create" ? textMember(jsonOf(body), "name") : "";
  return name === "" ? about : { ...about, app: name };
}

/** A call that brought no answer ends as well; the refusal stands either way. */
export async function recordFailure(call: ProxyCall, figures: CallFigures, error: unknown): Promise<void> {
  const code = error instanceof RackFault ? error.code : error instanceof ProxyRefused ? error.refusal.code : "failed";
  const more = { ...figures, status: null, durationMs: elapsed(call), more: { code } };
  await recordCall(call.app, ["call_ended"], call.about, more).catch(() => undefined);
}

/** Small JSON that tells what came of it. */
const READ_ANSWERS: ReadonlySet<string> = new Set(["app.create", "build.create", "release.create", "process.start"]);

function outlives({ about }: ProxyCall): boolean {
  return about.action === "release.promote" || about.action === "build.create";
}

async function createBuild(call: ProxyCall): Promise<void> {
  const form = readBuildForm(call.headers.contentType, await call.exchange.text(FORM_BYTES_MAX));
  if (!isBuildForm(form)) throw new ProxyRefused(form);
  const foreign = foreignCommit(form.gitSha ?? "", boundCommit(call.caller.workload ?? null));
  if (foreign !== null) throw new ProxyRefused(foreign);
  await checkDirectImages(call, form);
  const text = encodeBuildForm(form);
  const { answer, body } = await sentAndRecorded(call, { body: { text } }, {}, (bytes) => {
    const build = buildIn(jsonOf(bytes));
    const release = build?.release ?? "";
    return Promise.resolve({ build: build?.id ?? null, release: release === "" ? null : release });
  });
  await sendAnswer(call.exchange, answer, body === null ? {} : { body });
}

const FULL_COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** Patterns that somebody set bind everybody (R-IMAGE-5). */
async function checkDirectImages(call: ProxyCall, form: BuildForm): Promise<void> {
  const { app, settings, rack, actor, appName } = call;
  const { serviceImagePatterns, imageRepositories, requireImageDigest } = settings.app;
  const patterns = Object.keys(serviceImagePatterns.value ?? {});
  if (patterns.length === 0 && imageRepositories.value === null && !requireImageDigest.value) return;
  const key = (form.url ?? "").slice(`object://${appName}/`.length);
  const objects = await app.reader.records(recordsBy("deployObject", "key", [key]));
  const object = objects.find(
    (one) => one.orgId === app.orgId && one.scope === rack.info.name && one.app === appName && one.url === form.url,
  );
  if (object === undefined) throw new ProxyRefused(buildForm("its archive was not uploaded through the gateway"));
  const commit = form.gitSha !== null && FULL_COMMIT.test(form.gitSha) ? form.gitSha : null;
  const refusal = await checkManifest(app, {
    ...{ access: "direct", appName, settings: settings.app, rack, actor, commit, requestImages: {}, object },
    path: form.manifest ?? "convox.yml",
  });
  if (refusal !== null) throw new ProxyRefused(refusal);
}
