/**
 * May this call be made under an approval, and under which? One transaction locks the approvals, judges, and writes down what is
 * about to be sent (docs/spec/deploy.md R-BIND-1 to R-BIND-3, R-PROXY-3 steps 9 and 10).
 */
import { GATE_VIEWER } from "./gate-viewer.ts";
import { isId, type RequestId } from "../../core/ids.ts";
import type { Instant } from "../../core/person.ts";
import { denials, noActiveApproval, rackUnreachable } from "../../gates/deploy/call-refusals.ts";
import type { DeployApproval } from "../../gates/deploy/deploy-records.ts";
import { isDeployRefusal, refuseDeploy, type DeployRefusal } from "../../gates/deploy/deploy-refusal.ts";
import { foreignCommit } from "../../gates/deploy/request-refusals.ts";
import { judgeGatedCall } from "../../gates/deploy/gated-call.ts";
import type {
  GatedCall,
  GatedCaller,
  GatedFacts,
  GatedPermit,
  GatedSettings,
  RackAnswers,
  RackQuestion,
} from "../../gates/deploy/gated-facts.ts";
import type { ChangeSet } from "../../ports/change-set.ts";
import type { Carried, Needs, World } from "../../ports/command-store.ts";
import type { DeployApprovalRecord } from "../../ports/deploy-records.ts";
import { recordsBy } from "../../ports/records.ts";
import type { Application } from "../application.ts";
import { credentialNeeds, credentialRefusal } from "../grant-act.ts";
import { NO_CHANGE } from "../no-change.ts";
import { requestPage } from "../request-page.ts";
import { approvalOf } from "./approval-standing.ts";
import { contentVerdict, type CallContent, type ContentVerdict } from "./call-content.ts";
import { callEntry, type CallAbout, type CallApproval } from "./call-entry.ts";
import { intendedChange } from "./intended-change.ts";

export interface GatedAsk {
  readonly call: GatedCall;
  readonly caller: GatedCaller;
  readonly scope: string;
  readonly appName: string;
  /** When its headers were accepted. */
  readonly acceptedAt: Instant;
  readonly settings: GatedSettings;
  /** Keys of archives that the call names. */
  readonly objectKeys: readonly string[];
  readonly about: CallAbout;
  /** Builds of no other commit than this one, which its platform vouches for (R-OIDC-4); null where the caller is not bound. */
  readonly bound: { readonly commit: string | null } | null;
  /** Asks the rack; an answer about exactly what was asked. */
  readonly answer: (question: RackQuestion) => Promise<RackAnswers[RackQuestion["kind"]]>;
  /** Manifest, images and rack; asked before anything is written, once the call itself is in order. Null: there is nothing to judge. */
  readonly content?: (permit: GatedPermit, record: DeployApprovalRecord) => Promise<CallContent | DeployRefusal | null>;
}

export interface AdmittedCall {
  readonly permit: GatedPermit;
  readonly about: CallAbout;
  /** As it was when the call was admitted; of several, for an upload, the first. */
  readonly record: DeployApprovalRecord;
}

/** Questions that one call can lead to: a release, its build, and both again after somebody else's change. */
const QUESTIONS_MAX = 5;
const LOOK_BACK_MS = 3 * 60 * 60_000;

type Judged =
  { readonly admitted: AdmittedCall } | { readonly ask: RackQuestion } | { readonly refusal: DeployRefusal };

export async function admitGatedCall(app: Application, ask: GatedAsk): Promise<AdmittedCall | DeployRefusal> {
  const known = await knownApprovals(app, ask);
  const examined = new Map<string, CallContent | null>();
  let answers: RackAnswers = { build: null, release: null };
  for (let asked = 0; asked <= QUESTIONS_MAX; asked += 1) {
    const judged = await submitJudgement(app, ask, { known, answers, examined });
    if ("refusal" in judged) return judged.refusal;
    if ("ask" in judged) {
      answers = { ...answers, [judged.ask.kind]: await ask.answer(judged.ask) };
      continue;
    }
    const { admitted } = judged;
    if (ask.content === undefined || examined.has(admitted.record.id)) return admitted;
    const content = await ask.content(admitted.permit, admitted.record);
    if (content !== null && isDeployRefusal(content)) return content;
    examined.set(admitted.record.id, content);
  }
  return rackUnreachable();
}

/** For calls that only look: nothing is locked and nothing written. */
export async function judgeGatedRead(app: Application, ask: GatedAsk): Promise<AdmittedCall | DeployRefusal> {
  const records = await knownApprovals(app, ask);
  const requests = await Promise.all(records.map(({ requestId }) => readRequest(app, requestId)));
  const approvals = records.flatMap((record, at) => {
    const request = requests[at];
    return request === undefined ? [] : [{ record, request }];
  });
  const facts = factsOf(app, ask, {
    approvals: approvals.map(({ record, request }) => approvalOf(record, request)),
    ...{ objects: [], answers: { build: null, release: null } },
  });
  const verdict = judgeGatedCall(ask.call, facts);
  if ("refusal" in verdict) return verdict.refusal;
  if ("ask" in verdict) return rackUnreachable();
  const [approval] = permitted(verdict.permit);
  const found = approvals.find(({ record }) => record.id === approval?.id);
  if (found === undefined) return noActiveApproval("", "");
  const link = { id: found.record.id, requestId: found.request.id, digest: found.request.digest };
  return { permit: verdict.permit, record: found.record, about: { ...ask.about, approval: link } };
}

/** The approvals that a permit speaks of. */
export function permitted(permit: GatedPermit): readonly DeployApproval[] {
  return permit.action === "object_create" ? permit.approvals : [permit.approval];
}

function knownApprovals(app: Application, ask: GatedAsk): Promise<readonly DeployApprovalRecord[]> {
  return app.reader.deployApprovalsFor({
    ...{ target: ask.caller, scope: ask.scope, app: ask.appName },
    endedSince: ask.acceptedAt - LOOK_BACK_MS,
  });
}

async function readRequest(app: Application, id: string): Promise<ReturnType<World["request"]>> {
  return isId<"request">(id) ? await app.reader.request(id, GATE_VIEWER) : undefined;
}

interface Judging {
  readonly known: readonly DeployApprovalRecord[];
  readonly answers: RackAnswers;
  /** Approvals whose content was looked at; only then is anything written. */
  readonly examined: ReadonlyMap<string, CallContent | null>;
}

function submitJudgement(app: Application, ask: GatedAsk, judging: Judging): Promise<Judged> {
  const { known } = judging;
  const keys = [...new Set([...ask.objectKeys, ...known.flatMap(keysOf)])];
  const needs: Needs = {
    requestIds: known.flatMap(({ requestId }) => requestIdIn(requestId)),
    records: [
      recordsBy(
        "deployApproval",
        "id",
        known.map(({ id }) => id),
      ),
      recordsBy("deployObject", "key", keys),
      ...(credentialNeeds(ask.about.actor).records ?? []),
    ],
  };
  return app.store.submit<Judged>({
    name: "admit_rack_call",
    needs,
    carryOut: (world) => judge(app, world, ask, { ...judging, keys }),
  });
}

function keysOf({ builds, objectKey }: DeployApprovalRecord): readonly string[] {
  return [...builds.map((build) => build.objectKey), ...(objectKey === null ? [] : [objectKey])];
}

function requestIdIn(text: string): readonly RequestId[] {
  return isId<"request">(text) ? [text] : [];
}

function judge(
  app: Application,
  world: World,
  ask: GatedAsk,
  judging: Judging & { readonly keys: readonly string[] },
): Carried<Judged> {
  const gone = credentialRefusal(ask.about.actor, world);
  if (gone !== null) return { answer: { refusal: accessGone(gone.message) }, changes: NO_CHANGE };
  const found = judging.known.flatMap(({ id }) => currentApproval(world, id));
  const facts = factsOf(app, ask, {
    approvals: found.map(({ record, request }) => approvalOf(record, request)),
    objects: judging.keys.flatMap((key) => world.records("deployObject", "key", key)).filter(isOf(app)),
    answers: judging.answers,
  });
  const verdict = judgeGatedCall(ask.call, facts);
  if ("refusal" in verdict || "ask" in verdict) return { answer: verdict, changes: NO_CHANGE };
  const { permit } = verdict;
  const approvals = permitted(permit);
  const [first] = approvals;
  const foreign = permit.action === "build_create" ? foreignCommit(permit.approval.commit, ask.bound) : null;
  if (foreign !== null) return { answer: { refusal: foreign }, changes: NO_CHANGE };
  const current = found.find(({ record }) => record.id === first?.id);
  if (current === undefined) return { answer: { refusal: noActiveApproval("", "") }, changes: NO_CHANGE };
  const link: CallApproval = {
    ...{ id: current.record.id, requestId: current.request.id, digest: current.request.digest },
  };
  // An upload that could be of several approvals is of none of them yet.
  const about = { ...ask.about, approval: approvals.length === 1 ? link : null };
  const admitted = { permit, about, record: current.record };
  if (ask.content !== undefined && !judging.examined.has(current.record.id)) {
    return { answer: { admitted }, changes: NO_CHANGE };
  }
  return examinedCall(app, world, admitted, judging.examined.get(current.record.id) ?? null);
}

/** What was found is remembered with the call, or with the refusal. */
function examinedCall(
  app: Application,
  world: World,
  admitted: AdmittedCall,
  content: CallContent | null,
): Carried<Judged> {
  const { about, record: before } = admitted;
  const nothing: ContentVerdict = { refusal: null, record: before, entries: [] };
  const { refusal, record, entries } =
    content === null ? nothing : contentVerdict(app, content, { record: before, about, now: world.now });
  if (refusal === null) {
    const changes = changesOf(app, world, { ...admitted, record });
    return { answer: { admitted }, changes: { ...changes, entries: [...changes.entries, ...entries] } };
  }
  if (entries.length === 0) return { answer: { refusal }, changes: NO_CHANGE };
  const told = { ...record, version: record.version + 1 };
  return { answer: { refusal }, changes: { entries, records: { deployApproval: [told] } } };
}

function accessGone(why: string): DeployRefusal {
  return refuseDeploy("permission_denied", denials.any, [why]);
}

export interface CurrentApproval {
  readonly record: DeployApprovalRecord;
  readonly request: NonNullable<ReturnType<World["request"]>>;
}

/** The record and its request as this transaction finds them. */
export function currentApproval(world: World, id: string): readonly CurrentApproval[] {
  const [record] = world.records("deployApproval", "id", id);
  const request =
    record !== undefined && isId<"request">(record.requestId) ? world.request(record.requestId) : undefined;
  return record === undefined || request === undefined ? [] : [{ record, request }];
}

function isOf({ orgId }: Application): (record: { readonly orgId: string }) => boolean {
  return (record) => record.orgId === orgId;
}

function factsOf(
  app: Application,
  ask: GatedAsk,
  more: Pick<GatedFacts, "approvals" | "objects" | "answers">,
): GatedFacts {
  const { acceptedAt, scope, caller, settings } = ask;
  const requestLink = (id: string): string => requestPage(app.identity.publicUrl, { gate: "deploy", id });
  return { now: acceptedAt, scope, caller, settings, requestLink, ...more };
}

function changesOf(app: Application, world: World, admitted: AdmittedCall): ChangeSet {
  const { record, figures } = intendedChange(admitted, admitted.about.names["pid"] ?? null, world.now);
  const kinds = admitted.permit.action === "process_exec" ? (["process_exec_started"] as const) : [];
  return {
    entries: (["call_intended", ...kinds] as const).map((kind) => callEntry(app, kind, admitted.about, figures)),
    ...(record === null ? {} : { records: { deployApproval: [record] } }),
  };
}
