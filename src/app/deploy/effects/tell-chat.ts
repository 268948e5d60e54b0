/**
 * The one message that a deploy request gets in chat, edited on every step, with a reply in its thread when it was rejected or ran
 * out of time (docs/spec/deploy.md R-SLACK-2, R-SLACK-3).
 */
import type { JsonObject } from "../../../core/json.ts";
import type { Chat, ChatAnswer, ChatCard, ChatPlace } from "../../../ports/chat.ts";
import type { EffectHandler, EffectOutcome } from "../../../ports/effects.ts";
import type { Application } from "../../application.ts";
import { digestOf } from "../../digest.ts";
import { chatIntegration, openedToken } from "../chat-integration.ts";
import { chatCard, threadReply } from "./chat-card.ts";
import { deploySubject, isSubject, type DeploySubject } from "./deploy-subject.ts";
import { failed, notConfigured } from "./effect-outcome.ts";
import { lastDone } from "./post-comment.ts";

/** What is known of the message that was posted before. */
interface Told {
  readonly channel: string;
  readonly message: string;
  readonly digest: string;
  readonly replied: boolean;
}

interface Telling {
  readonly chat: Chat;
  readonly token: string;
  readonly channel: string;
  readonly told: Told | null;
}

export function tellChat(installation: Application): EffectHandler {
  return async (effect) => {
    const subject = await deploySubject(installation, effect);
    if (!isSubject(subject)) return subject;
    const { app, view, status } = subject;
    const found = await chatIntegration(app);
    const { chat } = app.deploy;
    if (chat === null || found === null) return notConfigured("No chat is connected");
    const { alertsEnabled, alertsChannelId: channel } = found;
    if (!alertsEnabled || channel === null) return notConfigured("No channel is told of deploy approvals");
    const token = openedToken(app, found);
    if (token === null)
      return failed("chat_token_unreadable", "The token of the chat cannot be opened: connect it again");
    const told = toldBefore(lastDone(view, effect));
    const isOver = status !== "pending" && status !== "approved";
    if (told === null && isOver) return notConfigured("It was over before the chat was told of it");
    return tell(subject, { chat, token, channel, told });
  };
}

async function tell(subject: DeploySubject, telling: Telling): Promise<EffectOutcome> {
  const { chat, token, told } = telling;
  const card = chatCard(subject);
  const digest = digestOf({ card: JSON.stringify(card) }, subject.app.sha256);
  const place: ChatPlace = { token, channel: told?.channel ?? telling.channel };
  const written = await write(telling, place, { card, digest });
  if (written.kind !== "done") return fault(written);
  const { value: message } = written;
  const reply = told?.replied === true ? null : threadReply(subject);
  const said = reply === null ? done(null) : await chat.reply(place, message, reply);
  if (said.kind !== "done") return fault(said);
  const replied = told?.replied === true || reply !== null;
  return { kind: "done", result: { channel: place.channel, message, digest, replied } };
}

/** The message's name: posted for the first time, edited, or posted anew where somebody deleted it. */
async function write(
  { chat, told }: Telling,
  place: ChatPlace,
  { card, digest }: { readonly card: ChatCard; readonly digest: string },
): Promise<ChatAnswer<string>> {
  if (told === null) return chat.post(place, card);
  // Nothing has changed since it was written.
  if (told.digest === digest) return done(told.message);
  const edited = await chat.edit(place, told.message, card);
  if (edited.kind === "done") return done(told.message);
  return edited.kind === "refused" && edited.code === "gone" ? chat.post(place, card) : edited;
}

function done<Value>(value: Value): ChatAnswer<Value> {
  return { kind: "done", value };
}

function toldBefore({ channel, message, digest, replied }: JsonObject): Told | null {
  const isWhole = typeof channel === "string" && typeof message === "string" && typeof digest === "string";
  return isWhole ? { channel, message, digest, replied: replied === true } : null;
}

function fault(answer: Exclude<ChatAnswer<unknown>, { readonly kind: "done" }>): EffectOutcome {
  if (answer.kind === "refused") return failed("chat_refused", `Slack refused it: ${answer.code}`);
  const { why, afterSeconds } = answer;
  const afterMs = afterSeconds === null ? null : afterSeconds * 1_000;
  return { kind: "retry", error: { code: "chat_unavailable", message: why }, afterMs };
}
