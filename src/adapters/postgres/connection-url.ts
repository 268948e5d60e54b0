/**
 * What does a database URL mean? `postgres://`, `postgresql://` and AWE's `postgresql+asyncpg://` are read (docs/guide/configuration.md,
 * DATABASE_URL); the TLS words mean what they mean to libpq. No message repeats the URL: it holds a password.
 */
import { DatabaseUnusable } from "./database-fault.ts";

export interface ConnectionUrl {
  /** The URL as the driver reads it, without `options`. */
  readonly connectionString: string;
  /** The server options that the URL asks for (`-c name=value`), or an empty text. */
  readonly options: string;
}

export function parseConnectionUrl(text: string): ConnectionUrl {
  const match = /^postgres(?:ql)?(?:\+[a-z0-9_]+)?:\/\/([^?]*)(?:\?(.*))?$/i.exec(text.trim());
  if (match === null) throw invalid("it must look like postgres://user:password@host:5432/database");
  const [, address = "", query = ""] = match;
  const parameters = new URLSearchParams(query);
  const options = parameters.get("options") ?? "";
  parameters.delete("options");
  readTransportSecurity(parameters);
  const rest = parameters.toString().replaceAll("+", "%20");
  return { connectionString: `postgres://${address}${rest === "" ? "" : `?${rest}`}`, options };
}

/** asyncpg writes `ssl=require`, libpq `sslmode=require`: one meaning, one word. */
function readTransportSecurity(parameters: URLSearchParams): void {
  const asked = parameters.get("sslmode") ?? parameters.get("ssl");
  parameters.delete("ssl");
  if (asked === null) return;
  const mode = transportMode(asked);
  parameters.set("sslmode", mode);
  // The driver by itself reads `require` as `verify-full`; this makes the words mean what Postgres documents.
  if (mode === "require" || mode === "verify-ca") parameters.set("uselibpqcompat", "true");
}

function transportMode(asked: string): string {
  switch (asked) {
    case "disable":
    case "false":
    case "0":
      return "disable";
    case "require":
    case "true":
    case "1":
      return "require";
    case "verify-ca":
    case "verify-full":
      return asked;
    default:
      // `prefer` and `allow` fall back to plain text when somebody in between asks for it: closed by default.
      throw invalid("its sslmode must be disable, require, verify-ca or verify-full");
  }
}

function invalid(reason: string): DatabaseUnusable {
  return new DatabaseUnusable("database_url_invalid", `The database URL cannot be used: ${reason}.`);
}
