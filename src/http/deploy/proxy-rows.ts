/**
 * The authorization table's rows for the rack proxy. What each call to a rack needs stands in the table of racks' routes
 * (src/gates/deploy/rack-routes.ts): docs/spec/deploy.md R-PROXY-1, R-PROXY-2, R-ROUTE-1.
 */
import type { CredentialKind, Method, Row } from "../authorization-row.ts";

function proxyRow(method: Method, url: string, credentials: readonly CredentialKind[]): Row {
  return {
    ...{ method, url, mount: "deploy", access: "holder", permission: null, scope: null, credentials },
    ...{ assurance: "session", others: null, enrolment: false },
  };
}

const CLI: readonly CredentialKind[] = ["cli_session", "api_token"];
const CONSOLE: readonly CredentialKind[] = ["web_session"];

export const rackProxyMethods: readonly Method[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
export const consoleMethods: readonly Method[] = ["GET", "PUT", "DELETE"];

export const rackProxyRow = proxyRow("GET", "/rack-proxy/*", CLI);
export const consoleRow = proxyRow("GET", "/convox/*", CONSOLE);

export const rackProxyRows: readonly Row[] = [
  ...rackProxyMethods.map((method): Row => ({ ...rackProxyRow, method })),
  ...consoleMethods.map((method): Row => ({ ...consoleRow, method })),
];
