/** An entry of the ledger as a row of a deploy approval's history (docs/spec/deploy.md R-AUDIT-1, R-AUDIT-3). */
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { parseEntry, type EntryFields } from "../../ledger/entry.ts";
import type { DeployApprovalView, DeployEntry } from "../../ports/deploy-reader.ts";

export function deployEntryOut(view: DeployApprovalView, entry: DeployEntry): JsonObject {
  const read = parseEntry(entry.text);
  const person = entry.actor;
  const { record } = view;
  return {
    id: entry.seq,
    ...(read.ok ? told(read.entry, entry) : { timestamp: "", action: "unreadable", status: "failed", details: "{}" }),
    ...{ resource_type: "deploy_approval_request", resource: record.id, deploy_approval_request_id: record.id },
    ...(person === null ? {} : { user_id: person.number, user_name: person.name ?? person.assignee }),
    ...(person?.email == null ? {} : { user_email: person.email }),
    ...(entry.token === null ? {} : { api_token_name: entry.token }),
    ...{ chain_index: entry.seq, previous_hash: entry.previousHash, event_hash: entry.hash },
  };
}

function told(read: EntryFields, { openings }: DeployEntry): JsonObject {
  return {
    ...{ timestamp: read.at, action: actionOf(read), status: statusOf(read) },
    details: detailsText(read.data, openings),
  };
}

const ACTIONS: Readonly<Record<string, string>> = {
  "request.created": "deploy_approval_request.create",
  "decision.recorded": "deploy_approval_request.decide",
  "request.approved": "deploy_approval_request.approve",
  "request.rejected": "deploy_approval_request.reject",
  "request.cancelled": "deploy_approval_request.cancel",
  "request.superseded": "deploy_approval_request.supersede",
  "request.expired": "deploy_approval_request.expire",
  "grant.extended": "deploy_approval_request.extend",
  "grant.revoked": "deploy_approval_request.cancel",
  "grant.expired": "deploy_approval_request.expire",
  "grant.used": "deploy_approval_request.deploy",
  "access.refused": "deploy_approval_request.refuse",
  "gate.denied": "deploy_approval_request.refuse",
  "deploy.object_uploaded": "object.create",
  "deploy.build_created": "build.create",
  "deploy.release_created": "release.create",
  "deploy.release_promoted": "release.promote",
  "deploy.process_started": "process.start",
  "deploy.process_exec_started": "process.exec.start",
  "deploy.process_exec_ended": "process.exec",
  "deploy.process_terminated": "process.terminate",
  "deploy.env_changed": "env.set",
};

/** What was ended because somebody said no is a rejection, whatever the engine calls it (docs/spec/deploy.md R-STATE-1). */
function actionOf({ kind, data }: EntryFields): string {
  const isEnd = kind === "request.cancelled" || kind === "grant.revoked";
  if (isEnd && data["reason_code"] === "rejected") return "deploy_approval_request.reject";
  return ACTIONS[kind] ?? kind;
}

function statusOf({ kind, data }: EntryFields): string {
  if (kind === "access.refused" || kind === "gate.denied") return "denied";
  const status = data["status"];
  const isFailure = kind === "effect.exhausted" || (typeof status === "number" && status >= 400);
  return isFailure ? "failed" : "success";
}

const DETAILS_MAX = 8_000;
/** Where a call came from: for those who read the whole ledger. */
const CIRCUMSTANCES = "ctx";

function detailsText(data: JsonObject, openings: DeployEntry["openings"]): string {
  const opened = Object.entries(data).flatMap(([name, value]): [string, JsonValue][] => {
    if (name === CIRCUMSTANCES) return [];
    return [[name, openings[`/${name}`] ?? value]];
  });
  const text = JSON.stringify(Object.fromEntries(opened));
  return text.length <= DETAILS_MAX ? text : JSON.stringify({ truncated: true });
}
