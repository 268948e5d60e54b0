/** May the server start this way? Development mode believes everybody, so it lives behind walls (identity R-DEV-1 to R-DEV-3). */
import { parseConnectionUrl } from "../adapters/postgres/connection-url.ts";
import type { Config } from "./config-schema.ts";
import type { Environment } from "./config.ts";
import { unusedOfOriginal } from "./original-environment.ts";
import { StartRefused } from "./start-refused.ts";

const DEVELOPMENT_ORIGIN = "localhost/dev/";

export function isDevelopmentOrigin(origin: string): boolean {
  return origin.startsWith(DEVELOPMENT_ORIGIN);
}

/** `random` makes the name of a ledger that has no public address unlike any other. */
export function originOf(publicUrl: string, development: boolean, random: string): string {
  if (development) return `${DEVELOPMENT_ORIGIN}${random}`;
  if (publicUrl === "") return `localhost/${random}`;
  const { host, pathname } = new URL(publicUrl);
  return `${host}${pathname.replace(/\/+$/, "")}/v1/ledger`;
}

/** Throws StartRefused. */
export function assertMayStart(config: Config, development: boolean, environment: Environment): void {
  if (development) {
    const cause = wallBroken(config, environment);
    if (cause !== null) {
      throw new StartRefused(
        "dev_mode_refused",
        `Development mode believes whoever calls, so it does not start: ${cause}.`,
      );
    }
  } else if (isPlainElsewhere(config)) {
    throw new StartRefused(
      "plain_http_refused",
      `Sessions are not sent in the clear: give ${config.countersign.public_url} https (a proxy in front may serve it).`,
    );
  }
}

/** Throws StartRefused: a ledger of development is never taken for a real one, nor the other way round. */
export function assertSameMode(origin: string, development: boolean): void {
  if (isDevelopmentOrigin(origin) === development) return;
  throw development
    ? new StartRefused(
        "dev_mode_refused",
        `Development mode does not touch the ledger ${origin}, which was not made by it: choose another data directory or database.`,
      )
    : new StartRefused(
        "ledger_is_dev",
        `The ledger ${origin} was made in development mode, where nobody proves who they are: start on an empty data directory or database.`,
      );
}

/** What whoever runs this server should know about its settings, each a sentence. */
export function openDoors(
  { awe: { access, keycloak }, countersign: own }: Config,
  development: boolean,
  environment: Environment = {},
): readonly string[] {
  const doors: string[] = [];
  if (access.read_scope === "authenticated") doors.push("every valid token reads every request (access.read_scope)");
  if (!development && keycloak.issuer !== "" && keycloak.audience === "") {
    doors.push("tokens made for other services are accepted too (keycloak.audience is empty)");
  }
  if (!development && !keycloak.verify_ssl) {
    doors.push("any certificate of the identity provider is accepted (keycloak.verify_ssl)");
  }
  return [...doors.map((door) => `Warning: ${door}.`), ...unusedOfOriginal(environment, own.public_url)];
}

/** Plain HTTP is for this machine alone (identity R-SESS-1). */
function isPlainElsewhere({ countersign: { public_url: url } }: Config): boolean {
  return url.startsWith("http:") && !isLoopback(hostOf(url));
}

function wallBroken({ countersign: own }: Config, environment: Environment): string | null {
  if (environment["NODE_ENV"] === "production") return "NODE_ENV is production";
  if (own.dev_bind !== "container" && !isLoopback(own.host))
    return `it would listen on ${own.host}, not only on this machine`;
  if (own.public_url !== "" && !isLoopback(hostOf(own.public_url))) return `its public address is ${own.public_url}`;
  const database = own.database_url === "" ? "" : databaseHost(own.database_url);
  if (!isLoopback(database)) return `its database is on ${database}`;
  return null;
}

/** An empty name, and a path, mean this machine's own sockets. */
function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, "").toLowerCase();
  if (name === "" || name.startsWith("/") || name === "localhost" || name === "::1") return true;
  return /^127(?:\.\d{1,3}){3}$/.test(name);
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : url;
}

function databaseHost(databaseUrl: string): string {
  const { connectionString } = parseConnectionUrl(databaseUrl);
  const [, address = "", query = ""] = /^postgres:\/\/([^/?]*)[^?]*\??(.*)$/.exec(connectionString) ?? [];
  const named = new URLSearchParams(query).get("host");
  return named ?? address.replace(/^.*@/, "").replace(/:\d+$/, "");
}
