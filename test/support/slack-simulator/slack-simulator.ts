/**
 * A simulator of Slack's Web API (not Slack): codes of OAuth that are good once, channels in pages, messages that are posted, edited and
 * answered in threads, and the refusals of the real service.
 *
 *     const slack = await openSlackSimulator();
 *     const code = slack.allow(authorizationUrl);   // what a person does in the browser
 *     …
 *     await slack.close();   // throws when anything was called that Slack would have refused
 */
import { randomUUID } from "node:crypto";
import { isJsonObject, type JsonObject } from "../../../src/core/json.ts";
import {
  jsonBody,
  SimulatorServer,
  type SimulatedAnswer,
  type SimulatedCall,
  type SimulatedFault,
} from "../simulator-server.ts";

export interface SimulatedMessage {
  readonly channel: string;
  readonly ts: string;
  readonly thread: string | null;
  text: string;
  blocks: readonly JsonObject[];
  edits: number;
}

export interface SlackSimulator {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly log: readonly string[];
  readonly calls: readonly SimulatedCall[];
  readonly messages: SimulatedMessage[];
  readonly tokens: ReadonlySet<string>;
  /** A person allows it: the code that the browser brings back. */
  allow(authorizationUrl: string): string;
  addChannel(id: string, name: string): void;
  fail(fault: SimulatedFault): void;
  heal(): void;
  close(): Promise<void>;
}

const PAGE = 2;
const TEXT_MAX = 3_000;

export async function openSlackSimulator(): Promise<SlackSimulator> {
  const state = new SlackState();
  const server = await SimulatorServer.open({
    ...{ name: "slack", prefix: "", check: () => null },
    routes: [
      route("oauth.v2.access", (call) => state.access(call)),
      route("auth.revoke", (call) => state.withToken(call, (token) => state.revoke(token))),
      route("conversations.list", (call) => state.withToken(call, () => state.list(call))),
      route("chat.postMessage", (call) => state.withToken(call, () => state.post(call, server.violations))),
      route("chat.update", (call) => state.withToken(call, () => state.update(call, server.violations))),
    ],
  });
  return {
    ...{ url: server.url, clientId: state.clientId, clientSecret: state.clientSecret, calls: server.calls },
    ...{ messages: state.messages, tokens: state.tokens },
    get log() {
      return server.log;
    },
    allow: (url) => state.allow(url),
    addChannel: (id, name) => state.channels.push({ id, name, is_private: false }),
    fail: (fault) => {
      server.fail(fault);
    },
    heal: () => {
      server.faults.length = 0;
    },
    close: () => server.close(),
  };
}

function route(method: string, answer: (call: SimulatedCall) => SimulatedAnswer) {
  return { method: "POST", path: new RegExp(`^/api/${method.replaceAll(".", "\\.")}$`), answer };
}

function ok(body: JsonObject = {}): SimulatedAnswer {
  return { status: 200, body: { ok: true, ...body } };
}

function no(error: string): SimulatedAnswer {
  return { status: 200, body: { ok: false, error } };
}

class SlackState {
  readonly clientId = `1234.${randomUUID()}`;
  readonly clientSecret = randomUUID();
  readonly messages: SimulatedMessage[] = [];
  readonly tokens = new Set<string>();
  readonly channels: JsonObject[] = [{ id: "C1", name: "general", is_private: false }];
  readonly #codes = new Map<string, string>();

  allow(url: string): string {
    const { searchParams: query } = new URL(url);
    if (query.get("client_id") !== this.clientId || (query.get("state") ?? "") === "") throw new Error("no such app");
    const code = randomUUID();
    this.#codes.set(code, query.get("redirect_uri") ?? "");
    return code;
  }

  access({ body }: SimulatedCall): SimulatedAnswer {
    const form = new URLSearchParams(body);
    const redirect = this.#codes.get(form.get("code") ?? "");
    if (form.get("client_secret") !== this.clientSecret) return no("bad_client_secret");
    if (redirect === undefined) return no("invalid_code");
    if (redirect !== form.get("redirect_uri")) return no("bad_redirect_uri");
    this.#codes.delete(form.get("code") ?? "");
    const token = `xoxb-${randomUUID()}`;
    this.tokens.add(token);
    const team = { id: "T1", name: "Example" };
    return ok({ access_token: token, token_type: "bot", scope: "chat:write", bot_user_id: "U1", app_id: "A1", team });
  }

  withToken({ headers }: SimulatedCall, answer: (token: string) => SimulatedAnswer): SimulatedAnswer {
    const token = /^Bearer (.+)$/.exec(headers["authorization"] ?? "")?.[1] ?? "";
    return this.tokens.has(token) ? answer(token) : no("invalid_auth");
  }

  revoke(token: string): SimulatedAnswer {
    this.tokens.delete(token);
    return ok({ revoked: true });
  }

  list({ body }: SimulatedCall): SimulatedAnswer {
    const from = Number(new URLSearchParams(body).get("cursor") ?? "0");
    const next = from + PAGE < this.channels.length ? String(from + PAGE) : "";
    return ok({ channels: this.channels.slice(from, from + PAGE), response_metadata: { next_cursor: next } });
  }

  post(call: SimulatedCall, violations: string[]): SimulatedAnswer {
    const sent = message(call, violations);
    if (!this.channels.some(({ id }) => id === sent.channel)) return no("channel_not_found");
    const ts = `17000000${String(this.messages.length).padStart(2, "0")}.000100`;
    this.messages.push({ ...sent, ts, edits: 0 });
    return ok({ channel: sent.channel, ts });
  }

  update(call: SimulatedCall, violations: string[]): SimulatedAnswer {
    const sent = message(call, violations);
    const known = this.messages.find(({ ts, channel }) => ts === sent.ts && channel === sent.channel);
    if (known === undefined) return no("message_not_found");
    Object.assign(known, { text: sent.text, blocks: sent.blocks, edits: known.edits + 1 });
    return ok({ channel: sent.channel, ts: sent.ts });
  }
}

/** What a call says, checked as Slack checks it. */
function message(call: SimulatedCall, violations: string[]): Omit<SimulatedMessage, "edits"> {
  const body = jsonBody(call) ?? {};
  const text = (name: string): string => (typeof body[name] === "string" ? body[name] : "");
  const blocks = (Array.isArray(body["blocks"]) ? body["blocks"] : []).filter(isJsonObject);
  for (const shown of textsOf(blocks)) {
    if (shown.length === 0 || shown.length > TEXT_MAX) violations.push(`a text of ${String(shown.length)} characters`);
  }
  const thread = text("thread_ts");
  return {
    channel: text("channel"),
    ts: text("ts"),
    thread: thread === "" ? null : thread,
    text: text("text"),
    blocks,
  };
}

/** Every text that blocks show, whatever element holds it. */
export function textsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(textsOf);
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    name === "text" && typeof member === "string" ? [member] : textsOf(member),
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
