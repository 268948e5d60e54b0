/**
 * Calls under an approval: judged and written down in one transaction, sent once, and their outcome remembered (docs/spec/deploy.md sections 4
 * and 6, R-STATE-5 to R-STATE-8).
 */
import { admitGatedCall, judgeGatedRead, type AdmittedCall, type GatedAsk } from "../../app/deploy/admit-call.ts";
import { callContent } from "../../app/deploy/call-content.ts";
import type { CallApproval } from "../../app/deploy/call-entry.ts";
import { recordCall } from "../../app/deploy/call-records.ts";
import { recordBuildAnswer, recordBuildSeen } from "../../app/deploy/record-build.ts";
import { recordProcessStart } from "../../app/deploy/record-process.ts";
import { recordPromote } from "../../app/deploy/record-promote.ts";
import { boundCommit } from "../../app/workload-identity.ts";
import { isDeployRefusal } from "../../gates/deploy/deploy-refusal.ts";
import type { GatedPermit } from "../../gates/deploy/gated-facts.ts";
import { RackFault } from "../../gates/deploy/rack-fault.ts";
import type { HeaderPair } from "../../gates/deploy/rack-headers.ts";
import { parseForm } from "../../gates/deploy/url-encoded-form.ts";
import type { RackAnswer } from "../../ports/rack.ts";
import type { ProxyCall } from "./proxy-call.ts";
import { elapsed, FORM_BYTES_MAX, recordFailure } from "./proxy-direct.ts";
import { maskedBody } from "./proxy-environment.ts";
import { answerText, forward, sendAnswer, type Sending } from "./proxy-forward.ts";
import type { ReadRecords } from "./proxy-reads.ts";
import { ProxyRefused } from "./proxy-refusal.ts";
import { askRack, buildIn, jsonOf, textMember } from "./rack-answers.ts";

/** R-BIND-3. */
const APPROVAL_HEADER = "Countersign-Deploy-Approval";

type Admitted<Permit extends GatedPermit> = Omit<AdmittedCall, "permit"> & { readonly permit: Permit };
type BuildPermit = Extract<GatedPermit, { readonly action: "build_create" }>;
type PromotePermit = Extract<GatedPermit, { readonly action: "release_promote" }>;
type CommandPermit = Extract<GatedPermit, { readonly command: string }>;

export async function callUnderApproval(call: ProxyCall, reads: ReadRecords): Promise<void> {
  if (call.match.route.method === "GET") return readUnderApproval(call, reads);
  if (call.gated === "process_terminate") return terminate(call, await admit(call, ""));
  return sendAdmitted(call, await admit(call, await call.exchange.text(FORM_BYTES_MAX)));
}

/** The call is written down when this resolves. */
export async function admit(call: ProxyCall, body: string): Promise<AdmittedCall> {
  const admitted = await admitGatedCall(call.app, askOf(call, body));
  if (isDeployRefusal(admitted)) throw new ProxyRefused(admitted);
  return admitted;
}

export function askOf(call: ProxyCall, body: string): GatedAsk {
  const { exchange, rack, appName, actor, match, headers, settings, gated, target, about } = call;
  if (gated === null || target === null) throw new Error("a call without an approval came here (this is a bug)");
  const { approvedManifests, approvedBuildArgs, approvedDeployCommands, maxBuildAttempts } = settings.app;
  return {
    call: { action: gated, params: match.params, isSocket: exchange.isSocket, headers, body },
    ...{ caller: target, scope: rack.info.name, appName, acceptedAt: exchange.acceptedAt, about },
    bound: boundCommit(call.caller.workload ?? null),
    settings: {
      approvedManifests: approvedManifests.value,
      approvedBuildArgs: approvedBuildArgs.value,
      approvedDeployCommands: approvedDeployCommands.value ?? [],
      maxBuildAttempts: maxBuildAttempts.value,
    },
    objectKeys: keysIn(call, body),
    answer: (question) => askRack(rack, { appName, actor }, question),
    ...(gated === "build_create" || gated === "release_promote" ? { content: contentCheck(call) } : {}),
  };
}

function keysIn({ gated, appName }: ProxyCall, body: string): readonly string[] {
  if (gated !== "build_create") return [];
  const url = parseForm(body)?.find(([name]) => name === "url")?.[1] ?? "";
  const start = `object://${appName}/`;
  return url.startsWith(start) ? [url.slice(start.length)] : [];
}

function contentCheck(call: ProxyCall): NonNullable<GatedAsk["content"]> {
  const { app, appName, settings, rack, actor } = call;
  return (permit, record) => callContent(app, { rack, actor, appName, settings: settings.app }, permit, record);
}

function sendAdmitted(call: ProxyCall, admitted: AdmittedCall): Promise<void> {
  const { permit } = admitted;
  if (permit.action === "build_create") return createBuild(call, { ...admitted, permit });
  if (permit.action === "release_promote") return promote(call, { ...admitted, permit });
  if ("command" in permit) return startProcess(call, { ...admitted, permit });
  throw new Error(`${permit.action} is not sent here (this is a bug)`);
}

function linkOf({ about }: Pick<AdmittedCall, "about">): CallApproval {
  const { approval } = about;
  if (approval === null || approval === "disabled")
    throw new Error("an admitted call has its approval (this is a bug)");
  return approval;
}

export function approvalHeader({ record }: Pick<AdmittedCall, "record">): readonly HeaderPair[] {
  return [[APPROVAL_HEADER, record.id]];
}

function withApproval(admitted: AdmittedCall, body?: Buffer): Sending {
  return { headers: approvalHeader(admitted), ...(body === undefined ? {} : { body }) };
}

async function readUnderApproval(call: ProxyCall, reads: ReadRecords): Promise<void> {
  await reads.room();
  const admitted = await judgeGatedRead(call.app, askOf(call, ""));
  if (isDeployRefusal(admitted)) throw new ProxyRefused(admitted);
  const { about } = admitted;
  let status: number | null = null;
  let isTold = false;
  try {
    const answer = await forward(call);
    ({ status } = answer);
    const body = call.gated === "build_logs" ? undefined : await answerText(answer);
    const isRead = status === 200 && body !== undefined;
    isTold = isRead && call.gated === "build_read" && (await noticeBuild(call, admitted, body));
    const shown = isRead && call.gated === "release_read" ? maskedBody(call, body) : body;
    await sendAnswer(call.exchange, answer, withApproval(admitted, shown));
  } finally {
    if (!isTold) reads.add(call.app, { about, figures: { status, durationMs: elapsed(call) } });
  }
}

/** What the build has come to is remembered (R-BIND-9); true where that was news, and is an entry by itself. */
async function noticeBuild(call: ProxyCall, admitted: AdmittedCall, body: Buffer): Promise<boolean> {
  const build = buildIn(jsonOf(body));
  const known = admitted.record.builds.find(({ id }) => id === build?.id);
  const isNew = known?.status !== build?.status || (known?.releaseId ?? "") !== build?.release;
  if (build === null || !isNew) return false;
  const { about } = admitted;
  return recordBuildSeen(call.app, { approval: linkOf(admitted), about, build, durationMs: elapsed(call) });
}

async function terminate(call: ProxyCall, admitted: AdmittedCall): Promise<void> {
  const { app } = call;
  const { about } = admitted;
  try {
    const answer = await forward(call, { body: null });
    const isDone = answer.status >= 200 && answer.status < 300;
    const figures = { status: answer.status, durationMs: elapsed(call) };
    await recordCall(app, isDone ? ["call_ended", "process_terminated"] : ["call_ended"], about, figures);
    await sendAnswer(call.exchange, answer, withApproval(admitted));
  } catch (error) {
    await recordFailure({ ...call, about }, {}, error);
    throw error;
  }
}

async function createBuild(call: ProxyCall, admitted: Admitted<BuildPermit>): Promise<void> {
  const { app, exchange } = call;
  const { about, permit } = admitted;
  const told = { approval: linkOf(admitted), attempt: permit.attempt, about };
  try {
    const answer = await forward(call, { body: { text: permit.body }, outlivesClient: true });
    const body = await answerText(answer);
    const { status } = answer;
    const build = status >= 200 && status < 300 ? buildIn(jsonOf(body)) : null;
    const isUnknown = build === null && status >= 200 && status < 300;
    await recordBuildAnswer(app, { ...told, status, build, isUnknown, durationMs: elapsed(call) });
    await sendAnswer(exchange, answer, withApproval(admitted, body));
  } catch (error) {
    const isUnknown = !(error instanceof RackFault) || error.sent;
    if (error instanceof RackFault) {
      await recordBuildAnswer(app, { ...told, status: null, build: null, isUnknown, durationMs: elapsed(call) });
    }
    throw error;
  }
}

async function promote(call: ProxyCall, admitted: Admitted<PromotePermit>): Promise<void> {
  const { app, exchange, target } = call;
  const { about, permit } = admitted;
  if (target === null) throw new Error("a promote under approval has its target (this is a bug)");
  const { attempt, releaseId } = permit;
  const told = { approval: linkOf(admitted), attempt, about, releaseId, by: target, admittedAt: exchange.acceptedAt };
  let answer: RackAnswer;
  try {
    answer = await forward(call, { body: { text: permit.body }, outlivesClient: true });
  } catch (error) {
    // What was never sent has failed; of what was sent nobody knows yet (R-STATE-6).
    if (error instanceof RackFault && !error.sent) {
      await recordPromote(app, { ...told, outcome: "failed", status: null, durationMs: elapsed(call) });
    }
    throw error;
  }
  const { status } = answer;
  const outcome = status >= 200 && status < 300 ? "deployed" : "failed";
  await recordPromote(app, { ...told, outcome, status, durationMs: elapsed(call) });
  await sendAnswer(exchange, answer, withApproval(admitted));
}

async function startProcess(call: ProxyCall, admitted: Admitted<CommandPermit>): Promise<void> {
  const { app, exchange, headers } = call;
  const { about, permit, record } = admitted;
  const told = { approval: linkOf(admitted), about, index: record.commands.length, command: permit.command };
  const isOption = new Set([...headers.options.keys()].map((name) => name.toLowerCase()));
  const plain = headers.forwarded.filter(([name]) => !isOption.has(name.toLowerCase()));
  try {
    const answer = await forward(call, { headers: [...plain, ...permit.options] });
    const body = await answerText(answer);
    const { status } = answer;
    const pid = status >= 200 && status < 300 ? textMember(jsonOf(body), "id") : "";
    await recordProcessStart(app, { ...told, status, pid: pid === "" ? null : pid, durationMs: elapsed(call) });
    await sendAnswer(exchange, answer, withApproval(admitted, body));
  } catch (error) {
    if (error instanceof RackFault) await recordFailure({ ...call, about }, { command: permit.command }, error);
    throw error;
  }
}
