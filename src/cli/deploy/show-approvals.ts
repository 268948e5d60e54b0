/** `deploy-approval list` and `show` (docs/spec/deploy.md R-CLI-8). */
import { memberOf, textIn } from "../../client/api-client.ts";
import { itemsIn, numberIn } from "../../client/deploy-client.ts";
import { approvalPage, approvalsGiven, listApprovals, type ApprovalObject } from "./approval-object.ts";
import { EXIT } from "./cli-outcome.ts";
import { plain, printJson, wantsJson } from "./cli-output.ts";
import { findApproval, type FindFlags } from "./find-approval.ts";
import type { GatewayFlags } from "./gateway-flags.ts";
import { openGateways } from "./open-gateway.ts";

export interface ListFlags extends GatewayFlags {
  readonly status?: string;
  readonly open?: true;
  readonly limit: string;
}

/** The exit status, here as below. */
export async function listCommand(flags: ListFlags): Promise<number> {
  const gateways = openGateways(flags);
  const query = {
    limit: flags.limit,
    ...(flags.status === undefined ? {} : { status: flags.status }),
    ...(flags.open === true ? { only_open: "true" } : {}),
    ...(flags.app === undefined ? {} : { app: flags.app }),
  };
  const rows: Row[] = [];
  for (const gateway of gateways) {
    const approvals = await listApprovals(gateway, query);
    rows.push(...approvals.map((approval) => ({ rack: gateway.rack, approval })));
  }
  const isSeveral = gateways.length > 1;
  if (wantsJson(flags)) printJson({ deploy_approval_requests: rows.map((row) => jsonOf(row, isSeveral)) });
  else if (rows.length === 0) console.log("No deploy approval requests found.");
  else console.log(listText(rows, isSeveral));
  return EXIT.done;
}

interface Row {
  readonly rack: string;
  readonly approval: ApprovalObject;
}

function jsonOf({ rack, approval: { json } }: Row, isSeveral: boolean): unknown {
  return isSeveral && typeof json === "object" ? { rack, ...json } : json;
}

const WIDTHS = { id: 36, status: 10, created: 20, message: 30, token: 15, rack: 12 } as const;

function listText(rows: readonly Row[], isSeveral: boolean): string {
  const columns = ["id", "status", "created", "message", "token"] as const;
  const line = (cells: Readonly<Record<keyof typeof WIDTHS, string>>): string =>
    (isSeveral ? (["rack", ...columns] as const) : columns)
      .map((name) => cut(cells[name], WIDTHS[name]).padEnd(WIDTHS[name]))
      .join("  ")
      .trimEnd();
  const heads = { id: "ID", status: "STATUS", created: "CREATED", message: "MESSAGE", token: "TOKEN", rack: "RACK" };
  return [line(heads), "-".repeat(isSeveral ? 145 : 120), ...rows.map((row) => line(cellsOf(row)))].join("\n");
}

function cellsOf({ rack, approval: { id, status, json } }: Row): Readonly<Record<keyof typeof WIDTHS, string>> {
  const text = (name: string): string => textIn(json, name) ?? "";
  const created = text("created_at").slice(0, 19).replace("T", " ");
  const message = text("message").split("\n")[0] ?? "";
  return { id, status, created, message, token: text("target_api_token_name"), rack };
}

function cut(text: string, width: number): string {
  const shown = plain(text);
  return shown.length <= width ? shown : `${shown.slice(0, width - 3)}...`;
}

export async function showCommand(id: string | undefined, flags: FindFlags): Promise<number> {
  const { gateway, approval } = await findApproval(id, flags, null);
  if (wantsJson(flags)) printJson(approval.json);
  else console.log([approvalText(approval), labelled("Page", approvalPage(gateway, approval))].join("\n"));
  return EXIT.done;
}

/** Lines `Label: value`, those without a value left out. */
export function approvalText(approval: ApprovalObject): string {
  const { json } = approval;
  const text = (name: string): string => textIn(json, name) ?? "";
  const lines: readonly (readonly [string, string])[] = [
    ...([
      ["ID", approval.id],
      ["Status", approval.status],
      ["Message", text("message")],
      ["App", text("app")],
    ] as const),
    ...([
      ["Scope", text("scope")],
      ["Created", withBy(text("created_at"), who(json, "created_by"))],
    ] as const),
    ...([
      ["Updated", text("updated_at")],
      ["Token", text("target_api_token_name")],
    ] as const),
    ...([
      ["Commit", commitText(json)],
      ["Branch", text("git_branch")],
      ["PR", pullText(json)],
    ] as const),
    ...([
      ["Changes", changesText(json)],
      ["CI", ciText(json)],
      ["Source", text("source_verification")],
    ] as const),
    ...([
      ["Approvals", approvalsGiven(approval) ?? ""],
      ["Build", buildText(json)],
      ["Release", text("release_id")],
    ] as const),
    ["Approved", withBy(text("approved_at"), who(json, "approved_by"))],
    ["Expires", text("approval_expires_at") || (approval.status === "pending" ? text("request_expires_at") : "")],
    ["Rejected", withBy(text("rejected_at"), who(json, "rejected_by"))],
    ...([
      ["Notes", text("approval_notes")],
      ["Reason", text("outcome_reason")],
      ["Effects", effectsText(json)],
    ] as const),
    ["Warnings", warningsText(json)],
  ];
  return lines.flatMap(([label, value]) => (value === "" ? [] : [labelled(label, value)])).join("\n");
}

function labelled(label: string, value: string): string {
  return `${`${label}:`.padEnd(11)} ${plain(value).replaceAll("\n", `\n${" ".repeat(12)}`)}`;
}

function who(json: unknown, prefix: string): string {
  const names = [`${prefix}_api_token_name`, `${prefix}_name`, `${prefix}_email`];
  return names.map((name) => textIn(json, name) ?? "").find((name) => name !== "") ?? "";
}

function withBy(time: string, person: string): string {
  return time === "" || person === "" ? time : `${time} by ${person}`;
}

function commitText(json: unknown): string {
  const commit = memberOf(json, "commit");
  const [title, author] = [textIn(commit, "title") ?? "", textIn(commit, "author") ?? ""];
  const about = [title, author === "" ? "" : `by ${author}`].filter((part) => part !== "").join(" ");
  return [textIn(json, "git_commit_hash") ?? "", about].filter((part) => part !== "").join("\n");
}

function pullText(json: unknown): string {
  const pull = memberOf(json, "pr");
  const number = numberIn(pull, "number");
  const url = textIn(json, "pr_url") ?? "";
  if (number === null) return url;
  const author = textIn(pull, "author");
  return `#${String(number)} ${textIn(pull, "title") ?? ""}${author === null ? "" : ` by ${author}`} ${url}`.trim();
}

function changesText(json: unknown): string {
  const changes = memberOf(json, "changes");
  const count = numberIn(changes, "count");
  return count === null ? "" : `${String(count)} commits ${textIn(changes, "compare_url") ?? ""}`.trim();
}

function ciText(json: unknown): string {
  const ci = memberOf(json, "ci");
  const problems = itemsIn(memberOf(ci, "problems"), "").map((problem) =>
    typeof problem === "string" ? problem : (textIn(problem, "message") ?? ""),
  );
  const about = [textIn(ci, "provider") ?? "", textIn(ci, "status") ?? "", textIn(ci, "url") ?? ""];
  return [about.filter((part) => part !== "").join(" "), ...problems].filter((part) => part !== "").join("\n");
}

function buildText(json: unknown): string {
  const builds = itemsIn(memberOf(json, "builds"), "");
  const newest = builds.at(-1);
  const id = textIn(json, "build_id") ?? textIn(newest, "id") ?? "";
  const status = textIn(newest, "status") ?? "";
  return status === "" ? id : `${id} (${status})`;
}

function effectsText(json: unknown): string {
  return itemsIn(memberOf(json, "effects"), "")
    .map((effect) => {
      const error = textIn(effect, "last_error");
      const told = `${textIn(effect, "kind") ?? ""} ${textIn(effect, "state") ?? ""}`;
      return error === null || error === "" ? told : `${told}: ${error}`;
    })
    .join("\n");
}

function warningsText(json: unknown): string {
  return itemsIn(memberOf(json, "warnings"), "")
    .map((warning) => textIn(warning, "message") ?? textIn(warning, "code") ?? "")
    .join("\n");
}
