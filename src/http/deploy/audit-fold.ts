/** Consecutive equal events become one line of the audit list (docs/spec/deploy.md R-AUDIT-3). Events come newest first. */
import type { NamedAuditEvent } from "../../app/deploy/audit-events.ts";
import type { AuditLogOut } from "../../contract/deploy-audit.ts";

const DETAILS_MAX = 8_000;

export async function* folded(events: AsyncIterable<NamedAuditEvent>): AsyncGenerator<AuditLogOut> {
  let run: NamedAuditEvent[] = [];
  for await (const event of events) {
    const [newest] = run;
    if (newest !== undefined && keyOf(newest) !== keyOf(event)) {
      yield lineOf(newest, run);
      run = [];
    }
    run.push(event);
  }
  const [newest] = run;
  if (newest !== undefined) yield lineOf(newest, run);
}

function keyOf({ actor, credential, scope, action, resource, status, httpStatus, address }: NamedAuditEvent): string {
  return JSON.stringify([actor, credential, scope, action, resource, status, httpStatus, address]);
}

/** `run` is newest first, and holds `newest`. */
function lineOf(newest: NamedAuditEvent, run: readonly NamedAuditEvent[]): AuditLogOut {
  const oldest = run.at(-1) ?? newest;
  const times = run.flatMap(({ durationMs }) => durationMs ?? []);
  const sum = times.reduce((total, time) => total + time, 0);
  const { by, action, resourceType, resource, status, httpStatus, address, userAgent, approvalId, details, scope } =
    newest;
  return {
    ...{ id: newest.seq, first_event_id: oldest.seq, last_event_id: newest.seq },
    ...{ first_seen: oldest.at, last_seen: newest.at, first_hash: oldest.hash, last_hash: newest.hash },
    event_count: run.length,
    min_response_time_ms: times.length === 0 ? 0 : Math.min(...times),
    max_response_time_ms: times.length === 0 ? 0 : Math.max(...times),
    avg_response_time_ms: times.length === 0 ? 0 : Math.round(sum / times.length),
    ...{ user_email: by.email, user_name: by.name, ...(by.token === null ? {} : { api_token_name: by.token }) },
    ...{ action_type: actionTypeOf(action), action, resource_type: resourceType, resource, status },
    ...(httpStatus === null ? {} : { http_status: httpStatus }),
    ...{ ip_address: address ?? "", user_agent: userAgent ?? "", details: detailsText(details) },
    ...(scope === null ? {} : { scope }),
    ...(approvalId === null ? {} : { deploy_approval_request_id: approvalId }),
  };
}

/** What the original sorts its actions by. */
export function actionTypeOf(action: string): string {
  const [first = ""] = action.split(".", 1);
  if (["login", "logout", "mfa", "mfa_method", "mfa_backup_codes"].includes(first)) return "auth";
  return RACK.has(first) ? "convox" : "gateway";
}

const RACK: ReadonlySet<string> = new Set([
  ...["app", "build", "cert", "env", "instance", "log", "object", "process", "rack", "registry", "release"],
  ...["resource", "secret"],
]);

/** JSON that can be read whatever its length. */
function detailsText(details: NamedAuditEvent["details"]): string {
  const text = JSON.stringify(details);
  return text.length <= DETAILS_MAX ? text : JSON.stringify({ truncated: text.slice(0, DETAILS_MAX / 2) });
}
