/** `deploy-approval request`: asks for an approval, and waits for it with `--wait` (docs/spec/deploy.md R-CLI-5 to R-CLI-7). */
import { memberOf, textIn } from "../../client/api-client.ts";
import { DeployRefusal } from "../../client/deploy-refusal.ts";
import { itemsIn } from "../../client/deploy-client.ts";
import { approvalFrom, type ApprovalObject } from "./approval-object.ts";
import { awaitOutcome } from "./await-outcome.ts";
import { chosenApp } from "./chosen-app.ts";
import { checkedOutBranch, expandedCommit } from "./chosen-commit.ts";
import { ciMetadataFrom } from "./ci-metadata.ts";
import { CliFault, EXIT } from "./cli-outcome.ts";
import { notice, plain, printJson, wantsJson, warn } from "./cli-output.ts";
import type { GatewayFlags } from "./gateway-flags.ts";
import { openGateway, type Gateway } from "./open-gateway.ts";
import { deadlineIn, patientCall, type Deadline } from "./patient-call.ts";

export interface RequestFlags extends GatewayFlags {
  readonly gitCommit: string;
  readonly message: string;
  readonly branch?: string;
  readonly ciMetadata?: string;
  readonly targetApiTokenId?: string;
  readonly image?: readonly string[];
  readonly wait?: true;
  /** Milliseconds. */
  readonly pollInterval: number;
  /** Milliseconds; 0 for none. */
  readonly timeout: number;
}

/** The exit status. */
export async function requestApproval(flags: RequestFlags): Promise<number> {
  const gateway = openGateway(flags);
  const deadline = deadlineIn(flags.timeout);
  const body = await bodyOf(flags);
  const created = await create(gateway, body, flags.wait === true ? deadline : null);
  if (created === "disabled") {
    console.error("Deploy approvals are disabled on this rack: no approval is needed.");
    if (wantsJson(flags)) printJson({ disabled: true });
    return EXIT.done;
  }
  tellCreated(flags, created);
  if (flags.wait !== true) {
    if (wantsJson(flags)) printJson(created.approval.json);
    return created.isNew || ["pending", "approved"].includes(created.approval.status) ? EXIT.done : EXIT.failed;
  }
  const quiet = flags.quiet === true ? { quiet: flags.quiet } : {};
  const waiting = { pollIntervalMs: flags.pollInterval, deadline, ...quiet };
  const ended = await awaitOutcome(gateway, created.approval, waiting);
  if (wantsJson(flags)) printJson(ended.json);
  else {
    const already = ended.status === "deployed" ? " (already deployed)" : "";
    console.log(`Deploy approval request ${ended.id} approved.${already}`);
  }
  return EXIT.done;
}

interface Created {
  readonly approval: ApprovalObject;
  /** False: an older one is joined (R-CLI-6). */
  readonly isNew: boolean;
}

/** With a deadline, what may pass is tried again: one live request per commit makes that safe (R-REQ-4). */
async function create(gateway: Gateway, body: object, deadline: Deadline | null): Promise<Created | "disabled"> {
  const call = (): Promise<unknown> => gateway.call({ method: "POST", path: "/deploy-approval-requests", body });
  try {
    const made = deadline === null ? await call() : await patientCall(call, deadline);
    return { approval: approvalFrom(made), isNew: true };
  } catch (error) {
    if (!(error instanceof DeployRefusal)) throw error;
    const { status, code, body: answer } = error.parts;
    if (status === 404 && (code === "deploy_approvals_disabled" || error.message === DISABLED)) return "disabled";
    if (status !== 409 || textIn(answer, "public_id") === null) throw error;
    return { approval: approvalFrom(answer), isNew: false };
  }
}

const DISABLED = "deploy approvals feature is disabled";

function tellCreated(flags: RequestFlags, { approval, isNew }: Created): void {
  const { id, status, json } = approval;
  const lines = isNew
    ? [`Deploy approval request ${id} created (status: ${status})`]
    : ["Deploy approval request already exists for this commit", `  ${id} (status: ${status})`];
  // A program that reads JSON reads nothing else.
  if (wantsJson(flags)) for (const line of lines) notice(flags, line);
  else console.log(lines.join("\n"));
  for (const warning of itemsIn(memberOf(json, "warnings"), "")) {
    const text = textIn(warning, "message") ?? textIn(warning, "code");
    if (text !== null) warn(plain(text));
  }
}

async function bodyOf(flags: RequestFlags): Promise<object> {
  const { gitCommit, message, branch, ciMetadata, targetApiTokenId: target, image = [] } = flags;
  const commit = await expandedCommit(gitCommit);
  if (commit !== gitCommit.trim().toLowerCase()) notice(flags, `Commit ${gitCommit.trim()} is ${commit}`);
  const ofBranch = branch === undefined || branch === "" ? await checkedOutBranch(commit) : branch;
  return {
    ...{ app: chosenApp(flags.app), git_commit_hash: commit, message },
    ...(ofBranch === null ? {} : { git_branch: ofBranch }),
    ...(ciMetadata === undefined ? {} : { ci_metadata: metadataOf(ciMetadata, flags) }),
    ...(target === undefined ? {} : { [UUID.test(target) ? "target_api_token_id" : "target_api_token"]: target }),
    ...(image.length === 0 ? {} : { images: Object.fromEntries(image.map(imageOf)) }),
  };
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function metadataOf(text: string, flags: GatewayFlags): object {
  const { value, expanded } = ciMetadataFrom(text);
  if (expanded.length > 0) notice(flags, `--ci-metadata: replaced ${expanded.map((name) => `$${name}`).join(", ")}`);
  return value;
}

function imageOf(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new CliFault("--image is SERVICE=REPOSITORY[:TAG]@sha256:DIGEST");
  return [text.slice(0, at), text.slice(at + 1)];
}
