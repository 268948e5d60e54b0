/**
 * Which processes may be started, entered and ended under an approval? Its own ones only. Implements docs/spec/deploy.md
 * R-ALLOW-2 to R-ALLOW-5 for gated calls.
 */
import { denials, processNotApproved, processOfOthers, processOption } from "./call-refusals.ts";
import type { DeployApproval } from "./deploy-records.ts";
import {
  finishableApprovals,
  liveApprovals,
  paramOf,
  type GatedCall,
  type GatedFacts,
  type GatedVerdict,
} from "./gated-facts.ts";
import { missingApproval } from "./missing-approval.ts";
import { checkProcessExec, checkProcessStart, isApprovedProcess, type ProcessRules } from "./process-options.ts";

export function judgeProcessStart(call: GatedCall, facts: GatedFacts): GatedVerdict {
  const live = liveApprovals(call, facts);
  const release = call.headers.options.get("Release");
  const approval = live.find(({ releaseId }) => releaseId !== null && releaseId === release) ?? live[0];
  if (approval === undefined) return { refusal: missingApproval(call, facts, null) };
  // The rack reads some options from a form before it looks at the headers.
  if (call.body !== "") return { refusal: processOption("body") };
  const checked = checkProcessStart(call.headers.options, rulesOf(approval, facts));
  return isApprovedProcess(checked)
    ? { permit: { action: "process_start", approval, ...checked } }
    : { refusal: checked };
}

export function judgeProcessExec(call: GatedCall, facts: GatedFacts): GatedVerdict {
  const live = liveApprovals(call, facts);
  if (live.length === 0) return { refusal: missingApproval(call, facts, null) };
  if (!call.isSocket) return { refusal: processNotApproved("A command runs over a WebSocket only.") };
  const approval = live.find((one) => isStartedUnder(call, one));
  if (approval === undefined) {
    return { refusal: processNotApproved("The process was not started under this deploy approval.") };
  }
  const checked = checkProcessExec(call.headers.options, rulesOf(approval, facts));
  return isApprovedProcess(checked)
    ? { permit: { action: "process_exec", approval, ...checked } }
    : { refusal: checked };
}

export function judgeProcessTerminate(call: GatedCall, facts: GatedFacts): GatedVerdict {
  const ended = finishableApprovals(call, facts);
  if (ended.length === 0) return { refusal: missingApproval(call, facts, null) };
  const approval = ended.find((one) => isStartedUnder(call, one));
  return approval === undefined
    ? { refusal: processOfOthers(denials.stopProcesses) }
    : { permit: { action: "process_terminate", approval } };
}

function isStartedUnder(call: GatedCall, { processIds }: DeployApproval): boolean {
  return processIds.includes(paramOf(call, "pid"));
}

function rulesOf({ releaseId, commands }: DeployApproval, { settings }: GatedFacts): ProcessRules {
  return { releaseId, approvedCommands: settings.approvedDeployCommands, commandCount: commands.length };
}
