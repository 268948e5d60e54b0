/** Which commit a payload binds: its member `git_commit`, or the one that the deploy gate puts into the context (docs/spec/deploy.md R-REQ-7). */
import type { JsonObject } from "../ledger/canonical-json.ts";
import { isRecord } from "../ledger/kind-schema.ts";

/** Null for a payload that binds none: what other gates are asked with is whatever the requester wrote. */
export function deployedCommit(payload: JsonObject | null): string | null {
  if (payload?.["gate"] !== "deploy") return null;
  return textOf(payload["git_commit"]) ?? contextText(payload, "git_commit_hash");
}

/** The rack or environment that the payload names. */
export function deployedTo(payload: JsonObject | null): string | null {
  return textOf(payload?.["rack"]) ?? textOf(payload?.["environment"]) ?? contextText(payload, "scope");
}

function contextText(payload: JsonObject | null, name: string): string | null {
  const context = payload?.["gate"] === "deploy" ? payload["context"] : null;
  return isRecord(context) ? textOf(context[name]) : null;
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
