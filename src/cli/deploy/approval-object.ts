/** A deploy approval request as the server tells of it (docs/spec/deploy.md section 2.2). */
import { memberOf, textIn } from "../../client/api-client.ts";
import { itemsIn, numberIn } from "../../client/deploy-client.ts";
import { CliFault } from "./cli-outcome.ts";
import { serverUrl, type Gateway } from "./open-gateway.ts";

export interface ApprovalObject {
  readonly id: string;
  readonly status: string;
  readonly version: number | null;
  /** As it came. */
  readonly json: unknown;
}

export function approvalFrom(json: unknown): ApprovalObject {
  const [id, status] = [textIn(json, "public_id"), textIn(json, "status")];
  if (id === null || status === null)
    throw new CliFault("the gateway answered something else than a deploy approval request");
  return { id, status, version: numberIn(json, "version"), json };
}

function approvalsFrom(json: unknown): readonly ApprovalObject[] {
  return itemsIn(json, "deploy_approval_requests").map(approvalFrom);
}

/** `1 of 2 approvals`; null where one is enough. */
export function approvalsGiven({ json }: ApprovalObject): string | null {
  const approvals = memberOf(json, "approvals");
  const [given, required] = [numberIn(approvals, "given"), numberIn(approvals, "required")];
  if (given === null || required === null || required < 2) return null;
  return `${String(given)} of ${String(required)} approvals`;
}

/** As the server says; before it has answered, and of an older server, the console's page at the address that is called. */
export function approvalPage(
  { url }: Pick<Gateway, "url">,
  { id, json }: Pick<ApprovalObject, "id"> & { readonly json?: unknown },
): string {
  const told = textIn(json, "page_url") ?? "";
  return WEB_ADDRESS.test(told) ? told : `${serverUrl(url)}/app/deploy/requests/${id}`;
}

/** It may be opened in a browser: nothing else is. */
const WEB_ADDRESS = /^https?:\/\/[^\s\p{C}]+$/u;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function checkApprovalId(id: string): string {
  if (!UUID.test(id)) throw new CliFault("invalid deploy approval request ID format: must be a valid UUID");
  return id.toLowerCase();
}

export async function readApproval(gateway: Gateway, id: string): Promise<ApprovalObject> {
  return approvalFrom(await gateway.call({ method: "GET", path: `/deploy-approval-requests/${id}` }));
}

export async function listApprovals(
  gateway: Gateway,
  query: Readonly<Record<string, string>>,
): Promise<readonly ApprovalObject[]> {
  const text = new URLSearchParams(query).toString();
  return approvalsFrom(await gateway.call({ method: "GET", path: `/deploy-approval-requests?${text}` }));
}
