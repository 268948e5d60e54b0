/** Is there an approval to deploy with? Asked before anything is packed, so that a CI job learns it at once (docs/spec/deploy.md R-CLI-9). */
import { memberOf, textIn } from "../../client/api-client.ts";
import { DeployRefusal } from "../../client/deploy-refusal.ts";
import { listApprovals, readApproval, type ApprovalObject } from "./approval-object.ts";
import { CliFault } from "./cli-outcome.ts";
import { warn } from "./cli-output.ts";
import type { Gateway } from "./open-gateway.ts";

const WARN_BEFORE_MS = 300_000;
const GATED = "convox:deploy:deploy_with_approval";

export interface Deploying {
  readonly app: string;
  readonly commit: string | null;
}

/** The approval, null for who needs none; a fault for who needs one and has none. */
export async function approvalToDeploy(gateway: Gateway, { app, commit }: Deploying): Promise<ApprovalObject | null> {
  if (!gateway.isMachine || !(await isGated(gateway))) return null;
  if (commit === null) {
    throw new CliFault(
      "git-sha is required when deploying with an approval\nrun from a git checkout, or name the commit with --git-sha",
    );
  }
  const approvals = await listApprovals(gateway, { app, limit: "20" });
  const live = approvals.find((one) => one.status === "approved" && textIn(one.json, "git_commit_hash") === commit);
  if (live !== undefined) return live;
  const next = `rack-gateway deploy-approval request --app ${app} --git-commit ${commit} --message "..." --wait`;
  throw new CliFault(`No active deploy approval found for this commit\n${reasonOf(approvals, commit)}\n${next}`);
}

/** Whoever may build without an approval needs none; where the gateway does not say, it will say no itself. */
async function isGated(gateway: Gateway): Promise<boolean> {
  try {
    const info = await gateway.call({ method: "GET", path: "/info" });
    const permissions = memberOf(info, "permissions");
    const isOff = memberOf(info, "deploy_approvals_enabled") === false;
    if (!Array.isArray(permissions) || isOff) return false;
    return permissions.includes(GATED) && !permissions.some((one) => DIRECT.has(String(one)));
  } catch (error) {
    if (error instanceof DeployRefusal && [403, 404].includes(error.parts.status)) return false;
    throw error;
  }
}

const DIRECT: ReadonlySet<string> = new Set([
  ...["convox:build:create", "convox:build:*", "convox:*:create", "convox:*:*", "*:*:*"],
]);

/** The newest request tells most. */
function reasonOf(approvals: readonly ApprovalObject[], commit: string): string {
  const same = approvals.find(({ json }) => textIn(json, "git_commit_hash") === commit);
  if (same === undefined) {
    const other = approvals.find(({ status }) => status === "approved");
    if (other === undefined) return "none was asked for with this token";
    return `another commit is approved: ${textIn(other.json, "git_commit_hash") ?? ""}`;
  }
  const at = (name: string): string => textIn(same.json, name) ?? "an unknown time";
  switch (same.status) {
    case "pending":
      return `it is pending since ${at("created_at")} (${same.id})`;
    case "expired":
      return `it expired at ${textIn(same.json, "expired_at") ?? at("approval_expires_at")} (${same.id})`;
    case "deployed":
      return `it is already deployed (${same.id})`;
    default:
      return `it is ${same.status} (${same.id})`;
  }
}

/** A promote that comes too late is refused: better to know before. */
export async function warnBeforeEnd(gateway: Gateway, approval: ApprovalObject): Promise<void> {
  const { json } = await readApproval(gateway, approval.id);
  const end = Date.parse(textIn(json, "approval_expires_at") ?? "");
  const left = end - Date.now();
  if (Number.isNaN(end) || left >= WARN_BEFORE_MS) return;
  warn(`the approval ends in ${String(Math.max(0, Math.floor(left / 60_000)))} min; an approver can extend it`);
}
