/** `deploy-approval approve`, `reject`, `extend` and `cancel` (docs/spec/deploy.md R-CLI-8). */
import { textIn } from "../../client/api-client.ts";
import { approvalFrom, approvalPage, approvalsGiven, checkApprovalId, type ApprovalObject } from "./approval-object.ts";
import { approvalText } from "./show-approvals.ts";
import { askPerson } from "./ask-person.ts";
import { CliFault, EXIT } from "./cli-outcome.ts";
import { printJson, wantsJson } from "./cli-output.ts";
import { findApproval, type FindFlags, type Found } from "./find-approval.ts";
import type { GatewayFlags } from "./gateway-flags.ts";
import { openGateway, type Gateway } from "./open-gateway.ts";

export interface ApproveFlags extends FindFlags {
  readonly notes?: string;
  readonly yes?: true;
}

export interface NotesFlags extends GatewayFlags {
  readonly notes?: string;
}

/** The exit status, here as below. */
export async function approveCommand(id: string | undefined, flags: ApproveFlags): Promise<number> {
  refuseTokens(flags);
  const found = await findApproval(id, flags, "pending");
  console.error(approvalText(found.approval));
  if (id === undefined && flags.yes !== true && process.stdin.isTTY) {
    await askPerson(`Press Enter to approve on rack ${found.gateway.rack} (or Ctrl+C to abort): `);
  }
  tellApproved(await approve(found, flags.notes), found, flags);
  return EXIT.done;
}

/** What was shown is what is approved: a newer version is refused. */
export async function approve({ gateway, approval }: Found, notes: string | undefined): Promise<ApprovalObject> {
  const headers = approval.version === null ? {} : { "If-Match": `"${String(approval.version)}"` };
  const path = `/deploy-approval-requests/${approval.id}/approve`;
  const asking = { first: true, page: approvalPage(gateway, approval) };
  return approvalFrom(await gateway.call({ method: "POST", path, body: notesOf(notes), headers }, asking));
}

export function tellApproved(approved: ApprovalObject, { gateway, isOneOfSeveral }: Found, flags: GatewayFlags): void {
  if (wantsJson(flags)) {
    printJson(approved.json);
    return;
  }
  const { id, json, status } = approved;
  if (status === "pending") {
    console.log(
      `Deploy approval request ${id}: your approval is recorded, ${approvalsGiven(approved) ?? "more are needed"}.`,
    );
    return;
  }
  const where = isOneOfSeveral ? ` on rack ${gateway.rack}` : "";
  const until = textIn(json, "approval_expires_at");
  console.log(`✅ Deploy approval request ${id} approved${where}${until === null ? "" : ` (expires at ${until})`}`);
}

export async function rejectCommand(id: string, flags: NotesFlags): Promise<number> {
  refuseTokens(flags);
  checkApprovalId(id);
  const notes = flags.notes ?? (process.stdin.isTTY ? await askPerson("Reason (may stay empty): ") : undefined);
  const rejected = await decide(openGateway(flags), { id, verb: "reject", notes });
  tell(flags, rejected, `Deploy approval request ${rejected.id} rejected.`);
  return EXIT.done;
}

export async function extendCommand(id: string, flags: NotesFlags): Promise<number> {
  refuseTokens(flags);
  const extended = await decide(openGateway(flags), { id, verb: "extend", notes: flags.notes });
  const until = textIn(extended.json, "approval_expires_at") ?? "";
  tell(flags, extended, `Deploy approval request ${extended.id} extended (expires at ${until})`);
  return EXIT.done;
}

/** Whoever asked may take it back, also a token. */
export async function cancelCommand(id: string, flags: NotesFlags): Promise<number> {
  const cancelled = await decide(openGateway(flags), { id, verb: "cancel", notes: flags.notes });
  tell(flags, cancelled, `Deploy approval request ${cancelled.id} cancelled.`);
  return EXIT.done;
}

interface Act {
  readonly id: string;
  readonly verb: "reject" | "extend" | "cancel";
  readonly notes: string | undefined;
}

async function decide(gateway: Gateway, { id, verb, notes }: Act): Promise<ApprovalObject> {
  const checked = checkApprovalId(id);
  const path = `/deploy-approval-requests/${checked}/${verb}`;
  const asking = { first: verb === "extend", page: approvalPage(gateway, { id: checked }) };
  return approvalFrom(await gateway.call({ method: "POST", path, body: notesOf(notes) }, asking));
}

function notesOf(notes: string | undefined): object {
  return notes === undefined || notes.trim() === "" ? {} : { notes };
}

function tell(flags: GatewayFlags, approval: ApprovalObject, text: string): void {
  if (wantsJson(flags)) printJson(approval.json);
  else console.log(text);
}

/** Before any call: a token that leaks must not even try (R-TOKEN-4). */
export function refuseTokens({ apiToken }: GatewayFlags): void {
  if ((apiToken ?? process.env["RACK_GATEWAY_API_TOKEN"] ?? "") === "") return;
  throw new CliFault("API tokens cannot decide; log in as a person");
}
