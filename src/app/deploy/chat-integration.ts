/**
 * The connection of an organization to its chat: allowed by a person in their browser, with a state that is theirs for ten minutes
 * and one use; the token is sealed before it is kept. Implements docs/spec/deploy.md R-SLACK-1.
 */
import type { JsonObject } from "../../core/json.ts";
import type { Actor } from "../admitted-actor.ts";
import { isRefusal, refuse, type Refusal } from "../../core/refusal.ts";
import type { Chat, ChatAnswer, ChatChannel, ChatIntegrationRecord } from "../../ports/chat.ts";
import type { World } from "../../ports/command-store.ts";
import { recordsBy } from "../../ports/records.ts";
import { SecretUnreadable, type SealedPlace } from "../../ports/sealing.ts";
import type { Application } from "../application.ts";
import { describe, hidden } from "../entry-writer.ts";
import { ledgerActor, ledgerId } from "../ledger-names.ts";
import { NO_CHANGE } from "../no-change.ts";

const STATE_MS = 10 * 60_000;
const PURPOSE = "chat_connect";

/** One browser session's person. */
export interface ChatAuthor {
  readonly actor: Actor;
  readonly sessionId: string;
}

export async function beginChatConnection(
  app: Application,
  { actor, sessionId }: ChatAuthor,
  redirectUri: string,
): Promise<{ readonly url: string } | Refusal> {
  const { chat } = app.deploy;
  if (chat === null) return notSetUp();
  const state = app.newId();
  const now = app.clock();
  await app.scratch.add("ceremony", {
    ...{ id: state, purpose: PURPOSE, personId: actor.person?.id ?? null, sessionId, act: app.orgId, challenge: "" },
    ...{ data: { redirect_uri: redirectUri }, createdAt: now, expiresAt: now + STATE_MS, usedAt: null },
  });
  return { url: chat.authorizationUrl({ state, redirectUri }) };
}

export async function finishChatConnection(
  app: Application,
  { actor, sessionId }: ChatAuthor,
  returned: { readonly state: string; readonly code: string },
): Promise<ChatIntegrationRecord | Refusal> {
  const { chat } = app.deploy;
  if (chat === null) return notSetUp();
  const begun = UUID.test(returned.state)
    ? await app.scratch.consume("ceremony", returned.state, app.clock())
    : undefined;
  const redirectUri = begun?.data["redirect_uri"];
  const isOwn = begun?.purpose === PURPOSE && begun.sessionId === sessionId && begun.act === app.orgId;
  if (!isOwn || typeof redirectUri !== "string") {
    return refuse("invalid_input", "This connection was not begun here, or more than ten minutes ago. Begin again.");
  }
  const answer = await chat.connect({ code: returned.code, redirectUri });
  if (answer.kind !== "done") return chatRefusal(answer);
  const { teamId, teamName, botUserId, botToken } = answer.value;
  const sealed = app.seals.seal(botToken, tokenPlace(app.orgId));
  return changeIntegration(app, actor, (before, world) => ({
    ...{ orgId: app.orgId, teamId, teamName, botUserId, botToken: sealed, connectedBy: actor.assignee },
    ...{
      alertsEnabled: before?.alertsEnabled ?? true,
      alertsChannelId: sameTeam(before, teamId)?.alertsChannelId ?? null,
      channelActions: sameTeam(before, teamId)?.channelActions ?? {},
    },
    ...{ createdAt: before?.createdAt ?? world.now, updatedAt: world.now, removedAt: null },
  }));
}

/** Channels of another workspace have other names. */
function sameTeam(before: ChatIntegrationRecord | undefined, teamId: string): ChatIntegrationRecord | undefined {
  return before?.teamId === teamId ? before : undefined;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function setChatAlerts(
  app: Application,
  actor: Actor,
  { enabled, channelId }: { readonly enabled: boolean; readonly channelId: string | null },
): Promise<ChatIntegrationRecord | Refusal> {
  return changeIntegration(app, actor, (before, { now }) => {
    if (!isConnected(before)) return notConnected();
    return { ...before, alertsEnabled: enabled, alertsChannelId: channelId, updatedAt: now };
  });
}

/** Channel → globs; what is not named any more is told nothing (R-SLACK-4). */
export function setChatChannels(
  app: Application,
  actor: Actor,
  channelActions: ChatIntegrationRecord["channelActions"],
): Promise<ChatIntegrationRecord | Refusal> {
  return changeIntegration(app, actor, (before, { now }) =>
    isConnected(before) ? { ...before, channelActions, updatedAt: now } : notConnected(),
  );
}

/** The token is given back where it came from; that it is gone here does not depend on the chat's answer. */
export async function endChatConnection(app: Application, actor: Actor): Promise<ChatIntegrationRecord | Refusal> {
  const token = await chatToken(app);
  const ended = await changeIntegration(app, actor, (before, { now }) => {
    if (!isConnected(before)) return notConnected();
    return { ...before, botToken: null, alertsChannelId: null, channelActions: {}, updatedAt: now, removedAt: now };
  });
  if (!isRefusal(ended) && typeof token === "string") await app.deploy.chat?.disconnect(token);
  return ended;
}

export async function chatIntegration(app: Application): Promise<ChatIntegrationRecord | null> {
  const [found] = await app.reader.records(recordsBy("chatIntegration", "orgId", [app.orgId]));
  return isConnected(found) ? found : null;
}

/** For calls to the chat, and never for anybody to see. */
async function chatToken(app: Application): Promise<string | Refusal> {
  const found = await chatIntegration(app);
  if (found === null) return notConnected();
  const token = openedToken(app, found);
  return token ?? refuse("secret_unreadable", "The token of the chat cannot be opened: connect it again");
}

export function openedToken({ seals }: Application, { botToken, orgId }: ChatIntegrationRecord): string | null {
  try {
    return botToken === null ? null : seals.open(botToken, tokenPlace(orgId));
  } catch (error) {
    if (error instanceof SecretUnreadable) return null;
    throw error;
  }
}

export async function chatChannels(app: Application): Promise<readonly ChatChannel[] | Refusal> {
  const asked = await connection(app);
  if (isRefusal(asked)) return asked;
  const answer = await asked.chat.channels(asked.token);
  return answer.kind === "done" ? answer.value : chatRefusal(answer);
}

export async function testChat(app: Application, channel: string): Promise<null | Refusal> {
  const asked = await connection(app);
  if (isRefusal(asked)) return asked;
  const { publicUrl } = app.identity;
  const card = {
    ...{ title: "Countersign is connected", facts: [], message: "Deploy approvals can be told in this channel." },
    link: { label: "Open Countersign", url: publicUrl },
  };
  const answer = await asked.chat.post({ token: asked.token, channel }, card);
  return answer.kind === "done" ? null : chatRefusal(answer);
}

async function connection(app: Application): Promise<{ readonly chat: Chat; readonly token: string } | Refusal> {
  const { chat } = app.deploy;
  if (chat === null) return notSetUp();
  const token = await chatToken(app);
  return typeof token === "string" ? { chat, token } : token;
}

export function tokenPlace(orgId: string): SealedPlace {
  return { table: "chat_integrations", column: "bot_token", row: orgId, orgId };
}

function isConnected(found: ChatIntegrationRecord | undefined): found is ChatIntegrationRecord {
  return found?.removedAt === null;
}

function changeIntegration(
  app: Application,
  actor: Actor,
  next: (before: ChatIntegrationRecord | undefined, world: World) => ChatIntegrationRecord | Refusal,
): Promise<ChatIntegrationRecord | Refusal> {
  return app.store.submit<ChatIntegrationRecord | Refusal>({
    name: "change_chat_integration",
    needs: { records: [recordsBy("chatIntegration", "orgId", [app.orgId])] },
    carryOut(world) {
      const [before] = world.records("chatIntegration", "orgId", app.orgId);
      const after = next(before, world);
      if (isRefusal(after)) return { answer: after, changes: NO_CHANGE };
      const entry = describe(
        {
          ...{ org: ledgerId("org", app.orgId), kind: "integration.changed", resource: null, request: null },
          ...{ actor: ledgerActor(actor, app.sha256), credential: actor.credential },
          data: { key: "slack", old: hidden(shown(before)), new: hidden(shown(after)) },
        },
        app,
      );
      return { answer: after, changes: { entries: [entry], records: { chatIntegration: [after] } } };
    },
  });
}

/** Everything but the token, sealed or not. */
function shown(record: ChatIntegrationRecord | undefined): JsonObject | null {
  if (record?.removedAt !== null) return null;
  const { teamId, teamName, alertsEnabled, alertsChannelId, channelActions } = record;
  return {
    ...{ team_id: teamId, team_name: teamName, alerts_enabled: alertsEnabled, alerts_channel_id: alertsChannelId },
    channel_actions: JSON.stringify(channelActions),
  };
}

function notSetUp(): Refusal {
  return refuse("not_found", "Slack is not set up on this server: SLACK_CLIENT_ID and SLACK_CLIENT_SECRET are missing");
}

function notConnected(): Refusal {
  return refuse("not_found", "Slack is not connected");
}

function chatRefusal(answer: Exclude<ChatAnswer<unknown>, { readonly kind: "done" }>): Refusal {
  if (answer.kind === "refused") return refuse("invalid_input", `Slack refused this: ${answer.code}`);
  return refuse("not_available", `Slack cannot be asked now: ${answer.why}`);
}
