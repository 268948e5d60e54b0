/** For every route of the authorization table a call that makes sense, on things made for this very call. */
import type { Row } from "../../src/http/authorization.ts";
import { callOver } from "./http-call.ts";
import { as, asAdmin, unsignedToken } from "./test-server.ts";

export interface PreparedCall {
  readonly method: string;
  /** Relative to the mount, with the names filled in. */
  readonly path: string;
  readonly body?: string;
}

export const callers = {
  none: {},
  user: as("uma"),
  requester: as("rita"),
  holder: as("hugo"),
  creator: as("cora"),
  viewer: as("vera", ["AWE_VIEWER"]),
  admin: asAdmin,
  machine: machine("ci", []),
  "machine admin": machine("ci-admin", ["AWE_ADMIN"]),
} as const;

function machine(client: string, roles: readonly string[]): { authorization: string } {
  return { authorization: `Bearer ${unsignedToken({ sub: client, azp: client, realm_access: { roles } })}` };
}

interface MadeRequest {
  readonly requestId: string;
  readonly taskId: string;
  readonly digest: string;
}

/** A view that nobody opened. */
const NO_VIEW = "00000000-0000-4000-8000-000000000000";

/** Makes what a call needs: a request of rita's, made by cora, that waits for hugo; drafts; delegations of hugo's. */
export class Scene {
  readonly #base: string;
  #made = 0;
  #isPolicyLive = false;
  #readable: Promise<MadeRequest> | undefined;

  constructor(base: string) {
    this.#base = base;
  }

  async prepare(row: Row): Promise<PreparedCall> {
    const { method, url } = row;
    const { path, body } = await this.#fill(method, url);
    return { method, path, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  }

  async #fill(method: string, url: string): Promise<{ path: string; body?: unknown }> {
    if (url.startsWith("/policies")) return this.#policy(method, url);
    if (/^\/(?:requests|tasks)\/:id/.test(url)) return this.#requestOrTask(method, url);
    if (url.startsWith("/delegations")) return this.#delegation(method, url);
    if (/^\/tasks\/(?:decisions|statements)$/.test(url)) return this.#many(url);
    switch (`${method} ${url}`) {
      case "POST /requests":
        return { path: url, body: { policy_key: await this.#livePolicy(), artifact_type: "thing", artifact_id: "1" } };
      case "PUT /directory/roles/:name":
        return { path: "/directory/roles/some", body: { members: ["hugo"] } };
      case "DELETE /directory/roles/:name":
        await this.#send("PUT", "/directory/roles/some", asAdmin, { members: [] });
        return { path: "/directory/roles/some" };
      case "PUT /directory/groups":
        return { path: "/directory/groups?path=/some", body: { members: [] } };
      case "DELETE /directory/groups":
        await this.#send("PUT", "/directory/groups?path=/some", asAdmin, { members: [] });
        return { path: "/directory/groups?path=/some" };
      case "POST /dev/session":
        return { path: url, body: { assignee: "hugo" } };
      default:
        return { path: url.replace(":file", "start.js").replace("*", "inbox") };
    }
  }

  async #many(url: string): Promise<{ path: string; body: unknown }> {
    const { taskId, digest } = await this.#request();
    const named = url === "/tasks/decisions" ? { digest } : { view: NO_VIEW };
    return { path: url, body: { items: [{ task_id: taskId, action: "approve", ...named }] } };
  }

  async #policy(method: string, url: string): Promise<{ path: string; body?: unknown }> {
    const key = await this.#draft();
    const path = url.replace(":key", key).replace(":version", "1");
    if (url.endsWith("/simulate")) return { path, body: {} };
    if (url.endsWith("/deactivate")) await this.#send("POST", `/policies/${key}/versions/1/activate`, asAdmin);
    if (method === "POST" && url === "/policies") return { path, body: document(`${key}.new`) };
    return { path, ...(method === "PUT" || method === "PATCH" ? { body: document(key) } : {}) };
  }

  async #requestOrTask(method: string, url: string): Promise<{ path: string; body?: unknown }> {
    // What only reads may read the same thing again.
    if (method === "GET") this.#readable ??= this.#request();
    const { requestId, taskId, digest } = await (method === "GET" && this.#readable ? this.#readable : this.#request());
    const path = url.replace(":id", url.startsWith("/requests") ? requestId : taskId);
    if (url.endsWith("/wait")) {
      // Waiting for what has ended takes no time.
      await this.#send("POST", `/requests/${requestId}/cancel`, asAdmin, {});
    }
    if (url.includes("/grant/")) {
      await this.#send("POST", `/tasks/${taskId}/decision`, callers.holder, { action: "approve", digest });
    }
    if (url.endsWith("/release")) await this.#send("POST", `/tasks/${taskId}/claim`, callers.holder);
    const bodies: Readonly<Record<string, unknown>> = {
      cancel: {},
      decision: { action: "approve", digest },
      statement: { view: NO_VIEW, action: "approve" },
      reassign: { new_assignee: "zoe" },
      use: { digest },
      revoke: { comment: "no longer wanted" },
    };
    const body = bodies[url.split("/").at(-1) ?? ""];
    return { path, ...(body === undefined ? {} : { body }) };
  }

  async #delegation(method: string, url: string): Promise<{ path: string; body?: unknown }> {
    const year = 2100 + this.#next();
    const times = { starts_at: `${String(year)}-01-01T00:00:00Z`, ends_at: `${String(year)}-01-02T00:00:00Z` };
    const body = { delegate_to: "zoe", ...times };
    if (method === "POST") return { path: url, body: { user_id: "hugo", ...body } };
    if (method === "GET") return { path: url };
    const made = await this.#send("POST", "/delegations", callers.holder, body);
    return { path: url.replace(":id", textIn(made, "id")) };
  }

  async #request(): Promise<MadeRequest> {
    const asked = { policy_key: await this.#livePolicy(), artifact_type: "thing", artifact_id: "1", requester: "rita" };
    const made = await this.#send("POST", "/requests", callers.creator, asked);
    const tasks: unknown = Reflect.get(Object(made), "tasks");
    const taskId = textIn(Array.isArray(tasks) ? tasks[0] : null, "id");
    return { requestId: textIn(made, "request_id"), taskId, digest: textIn(made, "digest") };
  }

  async #livePolicy(): Promise<string> {
    if (this.#isPolicyLive) return "live";
    this.#isPolicyLive = true;
    await this.#send("POST", "/policies", asAdmin, document("live"));
    await this.#send("POST", "/policies/live/versions/1/activate", asAdmin);
    return "live";
  }

  async #draft(): Promise<string> {
    const key = `draft-${String(this.#next())}`;
    await this.#send("POST", "/policies", asAdmin, document(key));
    return key;
  }

  #next(): number {
    this.#made += 1;
    return this.#made;
  }

  async #send(method: string, path: string, headers: object, body?: unknown): Promise<unknown> {
    const json = { ...headers, "Content-Type": "application/json" };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await callOver(this.#base, { method, path: `/v1${path}`, headers: json, ...sent });
    return JSON.parse(answer.text);
  }
}

function document(key: string): unknown {
  const rules = [{ rule_type: "user", rule_value: { user_id: "hugo" } }];
  return { policy_key: key, name: key, artifact_type: "thing", stages: [{ name: "Stage", stage_order: 1, rules }] };
}

function textIn(value: unknown, member: string): string {
  const found: unknown = Reflect.get(Object(value), member);
  if (typeof found !== "string") throw new Error(`no ${member} in ${JSON.stringify(value)}`);
  return found;
}
