import type { DeployApproval } from "../../api/deploy-approvals.ts";

const columns: readonly (readonly [string, (approval: DeployApproval) => string | null])[] = [
  ["id", ({ public_id }) => public_id],
  ["status", ({ status }) => status],
  ["scope", ({ scope }) => scope],
  ["app", ({ app }) => app],
  ["commit", ({ git_commit_hash }) => git_commit_hash],
  ["branch", ({ git_branch }) => git_branch],
  ["message", ({ message }) => message],
  ["created_at", ({ created_at }) => created_at],
  ["created_by", ({ created_by_email, created_by_api_token_name }) => created_by_email ?? created_by_api_token_name],
  ["token", ({ target_api_token_name }) => target_api_token_name],
  ["approved_at", ({ approved_at }) => approved_at],
  ["approved_by", ({ approved_by_email }) => approved_by_email],
  ["approval_expires_at", ({ approval_expires_at }) => approval_expires_at],
  ["rejected_at", ({ rejected_at }) => rejected_at],
  ["rejected_by", ({ rejected_by_email }) => rejected_by_email],
  ["deployed_at", ({ deployed_at }) => deployed_at],
  ["release", ({ release_id }) => release_id],
  ["policy", ({ policy }) => policy?.name ?? null],
];

/** RFC 4180. A cell that a spreadsheet would take for a formula begins with an apostrophe (R-AUDIT-3). */
export function csvText(approvals: readonly DeployApproval[]): string {
  const lines = approvals.map((approval) => columns.map(([, read]) => cell(read(approval) ?? "")));
  return [columns.map(([name]) => name), ...lines].map((line) => `${line.join(",")}\r\n`).join("");
}

function cell(text: string): string {
  const inert = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
