/**
 * Slack's Web API, as far as the deploy gate talks to it: a connection by OAuth, one message per request that is edited, and a reply
 * in its thread. Implements docs/spec/deploy.md R-SLACK-1 and R-SLACK-2; every answer is data, read by schema.
 */
import { z } from "zod";
import type { JsonObject } from "../../core/json.ts";
import type { Chat, ChatAnswer, ChatChannel, ChatPlace } from "../../ports/chat.ts";
import type { ProviderAnswer, ProviderExchange } from "../../ports/provider-exchange.ts";
import { slackMessage, slackText } from "./slack-message.ts";

export interface SlackSettings {
  /** `https://slack.com`. */
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

const TIMEOUT_MS = 10_000;
const BYTES_MAX = 1024 * 1024;
const SCOPES = "chat:write,chat:write.public,channels:read,groups:read";
const PAGES_MAX = 20;
const REPLY_MAX = 3_000;

const connected = z.object({
  access_token: z.string().regex(/^xoxb-[A-Za-z0-9-]{1,200}$/),
  bot_user_id: z.string().max(50),
  team: z.object({ id: z.string().max(50), name: z.string().max(200) }),
});
const posted = z.object({ ts: z.string().regex(/^[0-9]{1,20}\.[0-9]{1,10}$/) });
const listed = z.object({
  channels: z.array(
    z.object({ id: z.string().max(50), name: z.string().max(100), is_private: z.boolean().optional() }),
  ),
  response_metadata: z.object({ next_cursor: z.string().max(500) }).nullish(),
});
const refused = z.object({ ok: z.literal(false), error: z.string().max(100) });

/** Faults of the moment; every other one stays. */
const PASSING: ReadonlySet<string> = new Set([
  ...["ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"],
  ...["team_added_to_org"],
]);

export function createSlack({ url, clientId, clientSecret }: SlackSettings, exchange: ProviderExchange): Chat {
  const base = url.replace(/\/+$/, "");
  const call = async <Value>(method: string, sent: Sent, schema: z.ZodType<Value>): Promise<ChatAnswer<Value>> => {
    const { token = null, json = null, form = null } = sent;
    const type = json === null ? "application/x-www-form-urlencoded" : "application/json; charset=utf-8";
    const answer = await exchange({
      ...{ method: "POST", url: `${base}/api/${method}`, timeoutMs: TIMEOUT_MS, bytesMax: BYTES_MAX },
      headers: {
        ...{ accept: "application/json", "content-type": type, "user-agent": "countersign" },
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      body: json === null ? new URLSearchParams(form ?? {}).toString() : JSON.stringify(json),
    });
    if ("unreachable" in answer) return { kind: "unavailable", why: answer.unreachable, afterSeconds: null };
    return readSlack(answer, schema);
  };
  const write = <Value>(method: string, token: string, json: JsonObject, schema: z.ZodType<Value>) =>
    call(method, { token, json: { ...json, unfurl_links: false, unfurl_media: false } }, schema);
  return {
    authorizationUrl({ state, redirectUri }) {
      const query = new URLSearchParams({ client_id: clientId, scope: SCOPES, state, redirect_uri: redirectUri });
      return `${base}/oauth/v2/authorize?${query.toString()}`;
    },
    async connect({ code, redirectUri }) {
      const form = { client_id: clientId, client_secret: clientSecret, code, redirect_uri: redirectUri };
      return mapped(await call("oauth.v2.access", { form }, connected), (found) => ({
        ...{ teamId: found.team.id, teamName: found.team.name },
        ...{ botUserId: found.bot_user_id, botToken: found.access_token },
      }));
    },
    async disconnect(token) {
      return mapped(await call("auth.revoke", { token, form: {} }, z.unknown()), () => null);
    },
    channels: (token) => allChannels((cursor) => call("conversations.list", { token, form: pageOf(cursor) }, listed)),
    async post(place, card) {
      const sent = { channel: place.channel, ...slackMessage(card) };
      return mapped(await write("chat.postMessage", place.token, sent, posted), ({ ts }) => ts);
    },
    async edit(place, message, card) {
      const sent = { channel: place.channel, ts: message, ...slackMessage(card) };
      const edited = mapped(await write("chat.update", place.token, sent, posted), () => null);
      return edited.kind === "refused" && edited.code === "message_not_found"
        ? { kind: "refused", code: "gone" }
        : edited;
    },
    async reply({ token, channel }: ChatPlace, message, text) {
      const shown = slackText(text, REPLY_MAX);
      const block = { type: "section", text: { type: "plain_text", text: shown, emoji: false } };
      const sent = { channel, thread_ts: message, text: shown, blocks: [block] };
      return mapped(await write("chat.postMessage", token, sent, posted), () => null);
    },
  };
}

interface Sent {
  readonly token?: string;
  readonly json?: JsonObject;
  readonly form?: Readonly<Record<string, string>>;
}

function pageOf(cursor: string): Readonly<Record<string, string>> {
  const fixed = { limit: "200", exclude_archived: "true", types: "public_channel,private_channel" };
  return cursor === "" ? fixed : { ...fixed, cursor };
}

async function allChannels(
  read: (cursor: string) => Promise<ChatAnswer<z.output<typeof listed>>>,
): Promise<ChatAnswer<readonly ChatChannel[]>> {
  const found: ChatChannel[] = [];
  let cursor = "";
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer = await read(cursor);
    if (answer.kind !== "done") return answer;
    for (const { id, name, is_private: isPrivate = false } of answer.value.channels)
      found.push({ id, name, isPrivate });
    cursor = answer.value.response_metadata?.next_cursor ?? "";
    if (cursor === "") break;
  }
  return { kind: "done", value: found };
}

function readSlack<Value>({ status, header, body }: ProviderAnswer, schema: z.ZodType<Value>): ChatAnswer<Value> {
  const after = /^[0-9]{1,6}$/.exec(header("retry-after") ?? "")?.[0];
  const afterSeconds = after === undefined ? null : Number(after);
  if (status !== 200) return { kind: "unavailable", why: `Slack answered ${String(status)}`, afterSeconds };
  const no = refused.safeParse(body);
  if (no.success) {
    const { error } = no.data;
    if (PASSING.has(error)) return { kind: "unavailable", why: `Slack answered ${error}`, afterSeconds };
    return { kind: "refused", code: error };
  }
  const read = schema.safeParse(body);
  return read.success
    ? { kind: "done", value: read.data }
    : { kind: "unavailable", why: "Slack's answer cannot be read", afterSeconds };
}

function mapped<From, To>(answer: ChatAnswer<From>, map: (value: From) => To): ChatAnswer<To> {
  return answer.kind === "done" ? { kind: "done", value: map(answer.value) } : answer;
}
