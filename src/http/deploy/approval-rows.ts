/**
 * The authorization table's rows for deploy approval requests: docs/spec/deploy.md section 11.1. Machines ask, look and call off;
 * they never decide (R-MFA-1).
 */
import type { Permission } from "../../core/permission.ts";
import type { CredentialKind, Method, Row } from "../authorization-row.ts";

const EVERY: readonly CredentialKind[] = ["web_session", "cli_session", "person_jwt", "api_token", "machine_jwt"];
const PEOPLE: readonly CredentialKind[] = ["web_session", "cli_session", "person_jwt"];
/** People on our own surfaces, whose factors we can ask for. */
const OURS: readonly CredentialKind[] = ["web_session", "cli_session"];

const resource = "gateway:deploy_approval_request";
const APPROVE: Permission = `${resource}:approve`;
const ALL = "/deploy-approval-requests";
const ONE = `${ALL}/:id`;

function row(method: Method, url: string, given: Pick<Row, "access"> & Partial<Row>): Row {
  const usual = { permission: null, scope: null, credentials: EVERY, assurance: "session" } as const;
  return { method, url, mount: "deploy", ...usual, others: null, enrolment: false, ...given };
}

/** Of people alone: a token is told that it cannot decide. */
function deciding(act: string, given: Partial<Row> = {}): Row {
  return row("POST", `${ONE}/${act}`, { access: "holder", permission: APPROVE, credentials: OURS, ...given });
}

export const approvalRows: readonly Row[] = [
  row("POST", ALL, { access: "permission", permission: `${resource}:create` }),
  row("GET", ALL, { access: "permission", permission: `${resource}:read` }),
  row("GET", ONE, { access: "permission", permission: `${resource}:read` }),
  row("GET", `${ONE}/audit-logs`, { access: "permission", permission: `${resource}:read` }),
  // The decision's own assurance: a signature proves it as well as a factor does.
  deciding("approve", { assurance: "decision" }),
  deciding("reject", { credentials: PEOPLE }),
  deciding("extend", { assurance: "fresh" }),
  row("POST", `${ONE}/cancel`, { access: "own" }),
  row("POST", `${ONE}/effects/:n/retry`, {
    ...{ access: "permission", permission: APPROVE, credentials: OURS, assurance: "step_up" },
  }),
];
