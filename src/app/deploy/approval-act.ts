/** What a proof for approving a deployment is bound to: the route with its request, and what is approved (docs/spec/deploy.md R-MFA-3). */
import type { Request } from "../../core/request.ts";

export function approvalAct(route: string, { revision, digest }: Pick<Request, "revision" | "digest">): string {
  return `${route} ${String(revision)} ${digest}`;
}

/** Id of the approval that an act approves, whichever rack's address it came by; null for every other act. */
export function approvedBy(act: string): string | null {
  return APPROVE.exec(act)?.[1]?.toLowerCase() ?? null;
}

const APPROVE = /^POST (?:\/racks\/[^/]+\/api\/v1)?\/deploy-approval-requests\/([0-9A-Fa-f-]{36})\/approve$/;
