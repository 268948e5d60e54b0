/** The authorization table's rows for what the deploy gate is connected with: docs/spec/deploy.md section 16 and R-CI-9. */
import type { Permission } from "../../core/permission.ts";
import type { CredentialKind, Method, Row } from "../authorization-row.ts";

const PEOPLE: readonly CredentialKind[] = ["web_session", "cli_session", "person_jwt"];
const OURS: readonly CredentialKind[] = ["web_session", "cli_session"];
/** The state of OAuth is bound to a browser's session. */
const BROWSER: readonly CredentialKind[] = ["web_session"];

const READ: Permission = "gateway:integration:read";
const MANAGE: Permission = "gateway:integration:manage";
const SLACK = "/integrations/slack";

function row(permission: Permission, method: Method, url: string, given: Partial<Row> = {}): Row {
  const writes = method !== "GET";
  return {
    ...{ method, url, mount: "deploy", access: "permission", permission, scope: null, others: null, enrolment: false },
    ...{ credentials: writes ? OURS : PEOPLE, assurance: writes ? "step_up" : "session" },
    ...given,
  };
}

export const integrationRows: readonly Row[] = [
  row(READ, "GET", SLACK),
  row(MANAGE, "POST", `${SLACK}/oauth/authorize`, { credentials: BROWSER }),
  // The factor was proven when the state was made, at most ten minutes before.
  row(MANAGE, "GET", `${SLACK}/oauth/callback`, { credentials: BROWSER }),
  row(MANAGE, "PUT", `${SLACK}/channels`),
  row(MANAGE, "PUT", `${SLACK}/alerts`),
  row(MANAGE, "DELETE", SLACK),
  row(READ, "GET", `${SLACK}/channels/list`),
  row(MANAGE, "POST", `${SLACK}/test`),
  row(MANAGE, "POST", "/integrations/github/test"),
  row(MANAGE, "POST", "/integrations/circleci/test"),
  // Whoever can sign as GitHub.
  row(MANAGE, "POST", "/hooks/github", { access: "public", permission: null, credentials: [], assurance: "none" }),
];
