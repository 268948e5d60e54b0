/** The shapes in which handlers answer. */
import { isReplay, type Replay } from "../app/idempotency.ts";
import type { JsonValue } from "../core/json.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { RawExchange, Reply } from "./endpoint.ts";

export function ok(body: JsonValue): Reply {
  return { status: 200, body };
}

export function created(body: JsonValue): Reply {
  return { status: 201, body };
}

export const NO_CONTENT: Reply = { status: 204, body: null };

/** What a use case answered: done now, done before, or refused. */
export function settle<Answer extends object>(
  answer: Answer | Refusal | Replay,
  render: (answer: Answer) => Reply,
): Reply | Refusal {
  if (isRefusal(answer)) return answer;
  if (isReplay(answer)) {
    return { status: answer.status, body: answer.body, headers: { "Idempotency-Replayed": "true" } };
  }
  return render(answer);
}

/** A bare list; when more follow, the Link header names the next page (R-API-10). */
export function listed(items: readonly JsonValue[], next: string | null, exchange: Pick<RawExchange, "url">): Reply {
  if (next === null) return ok(items);
  const [path = "", query = ""] = exchange.url.split("?", 2);
  const search = new URLSearchParams(query);
  search.set("cursor", next);
  return { status: 200, body: items, headers: { Link: `<${path}?${search.toString()}>; rel="next"` } };
}

export function requestNotFound(id: string): Refusal {
  return refuse("request_not_found", `Request ${shown(id)} not found`);
}

export function taskNotFound(id: string): Refusal {
  return refuse("task_not_found", `Task ${shown(id)} not found`);
}

export function delegationNotFound(id: string): Refusal {
  return refuse("delegation_not_found", `Delegation ${shown(id)} not found`);
}

export function policyNotFound(key: string): Refusal {
  return refuse("policy_not_found", `Policy '${shown(key)}' not found`);
}

export function versionNotFound(key: string, version: string): Refusal {
  return refuse("policy_not_found", `Policy '${shown(key)}' v${shown(version)} not found`);
}

/** What came in a path is repeated in the answer only as far as it is short and printable. */
function shown(text: string): string {
  const printable = text.replace(/[\p{Control}\p{Surrogate}]/gu, "\ufffd");
  return printable.length > 128 ? `${printable.slice(0, 128)}…` : printable;
}
