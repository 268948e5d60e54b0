/** Connecting the chat, choosing its channel, trying it, and ending it (docs/spec/deploy.md R-SLACK-1). */
import {
  beginChatConnection,
  chatChannels,
  chatIntegration,
  endChatConnection,
  finishChatConnection,
  setChatAlerts,
  setChatChannels,
  testChat,
  type ChatAuthor,
} from "../../app/deploy/chat-integration.ts";
import {
  slackAlertsSchema,
  slackAuthorizationSchema,
  slackChannelActionsSchema,
  slackChannelsSchema,
  slackDoneSchema,
  slackIntegrationSchema,
  slackReturnedSchema,
  slackTestSchema,
} from "../../contract/deploy-slack.ts";
import type { JsonObject } from "../../core/json.ts";
import { isRefusal, refuse } from "../../core/refusal.ts";
import type { ChatIntegrationRecord } from "../../ports/chat.ts";
import { NO_CONTENT, ok } from "../answers.ts";
import type { Authorized } from "../authorized.ts";
import { mountPrefixes } from "../authorization.ts";
import { endpoint, type Endpoint } from "../endpoint.ts";
import { tooManyTests } from "../outbound-tests.ts";

const tag = "deploy";
const PATH = "/integrations/slack";

export function deploySlackRoutes(): readonly Endpoint[] {
  return [...connecting(), ...using()];
}

function connecting(): readonly Endpoint[] {
  return [
    endpoint({
      ...{ method: "GET", url: PATH, summary: "Is a Slack workspace connected?", tag },
      answers: { 200: slackIntegrationSchema },
      handle: async ({ caller }) => ok(integrationOut(caller, await chatIntegration(caller.app))),
    }),
    endpoint({
      ...{ method: "POST", url: `${PATH}/oauth/authorize`, summary: "Begin to connect a Slack workspace", tag },
      answers: { 200: slackAuthorizationSchema },
      async handle({ caller }) {
        const begun = await beginChatConnection(caller.app, authorOf(caller), redirectUri(caller));
        return isRefusal(begun) ? begun : ok({ authorization_url: begun.url });
      },
    }),
    endpoint({
      ...{ method: "GET", url: `${PATH}/oauth/callback`, summary: "Where Slack sends the browser back to", tag },
      query: slackReturnedSchema,
      answers: { 302: slackDoneSchema },
      async handle({ caller, query }) {
        const { state = "", code = "", error } = query;
        if (error !== undefined) return refuse("invalid_input", "The connection was not allowed in Slack");
        const made = await finishChatConnection(caller.app, authorOf(caller), { state, code });
        if (isRefusal(made)) return made;
        const headers = { Location: "/app/deploy/integrations" };
        return { status: 302, body: { message: "Slack is connected" }, headers };
      },
    }),
    endpoint({
      ...{ method: "DELETE", url: PATH, summary: "End the connection, and give its token back", tag },
      answers: { 204: slackDoneSchema },
      async handle({ caller }) {
        const ended = await endChatConnection(caller.app, caller.actor);
        return isRefusal(ended) ? ended : NO_CONTENT;
      },
    }),
  ];
}

function using(): readonly Endpoint[] {
  return [
    endpoint({
      ...{ method: "PUT", url: `${PATH}/channels`, summary: "Which channels are told of which events", tag },
      body: slackChannelActionsSchema,
      answers: { 200: slackIntegrationSchema },
      async handle({ caller, body }) {
        const changed = await setChatChannels(caller.app, caller.actor, body.channel_actions);
        return isRefusal(changed) ? changed : ok(integrationOut(caller, changed));
      },
    }),
    endpoint({
      ...{ method: "PUT", url: `${PATH}/alerts`, summary: "Whether and where deploy approvals are told", tag },
      body: slackAlertsSchema,
      answers: { 200: slackIntegrationSchema },
      async handle({ caller, body }) {
        const { deploy_approvals_enabled: enabled, deploy_approvals_channel_id: channelId } = body;
        const changed = await setChatAlerts(caller.app, caller.actor, { enabled, channelId });
        return isRefusal(changed) ? changed : ok(integrationOut(caller, changed));
      },
    }),
    endpoint({
      ...{ method: "GET", url: `${PATH}/channels/list`, summary: "Channels of the workspace", tag },
      answers: { 200: slackChannelsSchema },
      async handle({ caller }) {
        const found = await chatChannels(caller.app);
        if (isRefusal(found)) return found;
        return ok({ channels: found.map(({ id, name, isPrivate }) => ({ id, name, is_private: isPrivate })) });
      },
    }),
    endpoint({
      ...{ method: "POST", url: `${PATH}/test`, summary: "Post a message to a channel", tag },
      body: slackTestSchema,
      answers: { 200: slackDoneSchema },
      async handle({ caller, body }) {
        const tooMany = await tooManyTests(caller);
        if (tooMany !== null) return tooMany;
        const refused = await testChat(caller.app, body.channel_id);
        return refused ?? ok({ message: "test notification sent" });
      },
    }),
  ];
}

function authorOf({ actor, session }: Authorized): ChatAuthor {
  if (session === null) throw new Error("only a browser's session connects a chat (this is a bug)");
  return { actor, sessionId: session.id };
}

/** The same for every rack: Slack knows one address. */
function redirectUri({ app }: Authorized): string {
  return `${app.identity.publicUrl}${mountPrefixes.deploy}${PATH}/oauth/callback`;
}

function integrationOut({ app }: Authorized, record: ChatIntegrationRecord | null): JsonObject {
  return {
    ...{ configured: app.deploy.chat !== null, connected: record !== null },
    ...(record === null ? NOT_CONNECTED : connectedOut(record)),
  };
}

const NOT_CONNECTED = {
  ...{ team_id: null, team_name: null, bot_user_id: null, deploy_approvals_enabled: false },
  ...{ deploy_approvals_channel_id: null, channel_actions: {}, created_at: null, updated_at: null },
};

function connectedOut(record: ChatIntegrationRecord): JsonObject {
  return {
    ...{ team_id: record.teamId, team_name: record.teamName, bot_user_id: record.botUserId },
    deploy_approvals_enabled: record.alertsEnabled,
    deploy_approvals_channel_id: record.alertsChannelId,
    channel_actions: Object.fromEntries(Object.entries(record.channelActions).map(([id, globs]) => [id, [...globs]])),
    created_at: new Date(record.createdAt).toISOString(),
    updated_at: new Date(record.updatedAt).toISOString(),
  };
}
