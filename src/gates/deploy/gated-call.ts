/**
 * May this call be made under an approval? One verdict per call: a permit that carries everything the call needs, a question
 * that the rack has to answer first, or a refusal. Implements docs/spec/deploy.md R-BIND-1 to R-BIND-3, R-BIND-5 and R-STATE-8.
 */
import { headerInvalid, objectKeyInUse, uploadAttempts, uploadForm } from "./call-refusals.ts";
import type { DeployRefusal } from "./deploy-refusal.ts";
import type { DeployApproval } from "./deploy-records.ts";
import { judgeBuildCreate } from "./gated-build.ts";
import {
  approvalsOfCall,
  finishableApprovals,
  liveApprovals,
  paramOf,
  type GatedCall,
  type GatedFacts,
  type GatedVerdict,
} from "./gated-facts.ts";
import { judgeProcessExec, judgeProcessStart, judgeProcessTerminate } from "./gated-process.ts";
import { judgePromote } from "./gated-promote.ts";
import { missingApproval } from "./missing-approval.ts";
import type { OptionHeader } from "./rack-headers.ts";
import type { GatedAction } from "./rack-routes.ts";
import { commitIncomplete } from "./request-refusals.ts";

type Judge = (call: GatedCall, facts: GatedFacts) => GatedVerdict;

export function judgeGatedCall(call: GatedCall, facts: GatedFacts): GatedVerdict {
  return JUDGES[call.action](call, facts);
}

/** Archives that may be uploaded under one approval (deploy R-BIND-6). */
export const uploadsMax = 5;

/** The path under which clients upload, in the rack's own naming of objects. */
export function uploadKey(name: string): string {
  return `tmp/${name}`;
}

/** Does a record of this app have the key already? Also asked for callers who need no approval (deploy R-BIND-5). */
export function isKeyInUse(
  key: string,
  call: Pick<GatedCall, "params">,
  facts: Pick<GatedFacts, "scope" | "objects">,
): boolean {
  return facts.objects.some(
    (object) => object.scope === facts.scope && object.app === paramOf(call, "app") && object.key === key,
  );
}

/** What every upload must be, with an approval or without one (deploy R-BIND-4). */
export function uploadHeadersRefusal({ headers }: Pick<GatedCall, "headers">): DeployRefusal | null {
  const encoding = headers.contentEncoding?.trim().toLowerCase() ?? "identity";
  if (encoding !== "identity" && encoding !== "") return uploadForm("it has a content encoding");
  return headers.options.has("Public") ? uploadForm("it asks to be public") : null;
}

const FULL_COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

function judgeUpload(call: GatedCall, facts: GatedFacts): GatedVerdict {
  const { commit } = call.headers;
  if (commit !== null && !FULL_COMMIT.test(commit)) return { refusal: commitIncomplete() };
  const live = liveApprovals(call, facts).filter((approval) => commit === null || approval.commit === commit);
  if (live.length === 0) return { refusal: missingApproval(call, facts, commit) };
  const form = uploadHeadersRefusal(call);
  if (form !== null) return { refusal: form };
  const options = withoutOptions(call);
  if (options !== null) return options;
  const key = uploadKey(paramOf(call, "name"));
  if (isKeyInUse(key, call, facts)) return { refusal: objectKeyInUse() };
  const open = live.filter(({ uploadCount }) => uploadCount < uploadsMax);
  if (open.length === 0) return { refusal: uploadAttempts(uploadsMax) };
  return { permit: { action: "object_create", key, approvals: open } };
}

/** Options that only say how much of a log is wanted. */
const LOG_OPTIONS: ReadonlySet<OptionHeader> = new Set([
  ...(["Filter", "Follow", "Maxlogrequests", "Prefix", "Previous", "Since", "Tail"] as const),
]);
const NO_OPTIONS: ReadonlySet<OptionHeader> = new Set();

function judgeBuildLook(call: GatedCall, facts: GatedFacts, action: "build_read" | "build_logs"): GatedVerdict {
  const options = withoutOptions(call, action === "build_logs" ? LOG_OPTIONS : NO_OPTIONS);
  if (options !== null) return options;
  const id = paramOf(call, "id");
  return look(call, facts, action, ({ builds }) => builds.some((build) => build.id === id));
}

function judgeReleaseLook(call: GatedCall, facts: GatedFacts): GatedVerdict {
  const options = withoutOptions(call);
  if (options !== null) return options;
  const id = paramOf(call, "id");
  return look(call, facts, "release_read", ({ builds }) => builds.some(({ releaseId }) => releaseId === id));
}

function look(
  call: GatedCall,
  facts: GatedFacts,
  action: "build_read" | "build_logs" | "release_read",
  isOf: (approval: DeployApproval) => boolean,
): GatedVerdict {
  const approval = finishableApprovals(call, facts).find(isOf);
  if (approval !== undefined) return { permit: { action, approval } };
  const commit = approvalsOfCall(call, facts).find(isOf)?.commit ?? null;
  return { refusal: missingApproval(call, facts, commit) };
}

/** Options that the call has no use for are rejected, not dropped (deploy R-PROXY-5); so is a body, where there is no form. */
function withoutOptions(
  call: GatedCall,
  accepted: ReadonlySet<OptionHeader> = NO_OPTIONS,
): { refusal: DeployRefusal } | null {
  const option = [...call.headers.options.keys()].find((name) => !accepted.has(name));
  if (option !== undefined) return { refusal: headerInvalid(`'${option}' is no option of this call`) };
  const hasForm = call.action === "build_create" || call.action === "release_promote";
  return call.body === "" || hasForm ? null : { refusal: headerInvalid("this call has no body") };
}

const JUDGES: Readonly<Record<GatedAction, Judge>> = {
  object_create: judgeUpload,
  build_create: (call, facts) => withoutOptions(call) ?? judgeBuildCreate(call, facts),
  build_read: (call, facts) => judgeBuildLook(call, facts, "build_read"),
  build_logs: (call, facts) => judgeBuildLook(call, facts, "build_logs"),
  release_read: judgeReleaseLook,
  process_start: judgeProcessStart,
  process_exec: judgeProcessExec,
  process_terminate: (call, facts) => withoutOptions(call) ?? judgeProcessTerminate(call, facts),
  release_promote: (call, facts) => withoutOptions(call) ?? judgePromote(call, facts),
};
