/** A refusal in the words of SCIM (RFC 7644 section 3.12). */
import type { JsonObject } from "../core/json.ts";
import { scimUrns } from "../contract/scim.ts";
import type { Problem } from "./problem.ts";

export function isScim(url: string): boolean {
  return /^\/scim\/v2(?:[/?]|$)/.test(url);
}

const SCIM_TYPES: ReadonlySet<string> = new Set(["invalidValue", "invalidPath", "invalidFilter", "noTarget"]);

/** What this server calls 422 is 400 there, with a word for what is wrong. */
export function scimProblem(given: Problem, status: number): { readonly status: number; readonly body: JsonObject } {
  const sent = status === 422 ? 400 : status;
  const type = scimType(given, sent);
  return {
    status: sent,
    body: {
      schemas: [scimUrns.error],
      status: String(sent),
      ...(type === null ? {} : { scimType: type }),
      detail: detailOf(given),
    },
  };
}

function scimType({ code, faults = [] }: Problem, status: number): string | null {
  if (code === "already_exists") return "uniqueness";
  if (status !== 400) return null;
  const said = faults.find(({ type }) => SCIM_TYPES.has(type))?.type;
  return said ?? (faults.some(({ type }) => type === "json_invalid") ? "invalidSyntax" : "invalidValue");
}

function detailOf({ message, faults = [] }: Problem): string {
  const more = faults.filter(({ msg }) => msg !== message).map(({ loc, msg }) => `${loc.slice(1).join(".")} ${msg}`);
  return [message, ...more].join("; ").slice(0, 1_000);
}
