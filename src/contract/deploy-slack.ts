/** The chat's connection on the wire (docs/spec/deploy.md R-SLACK-1). The token is on no page and in no answer. */
import { z } from "zod";

const channelId = z.string().regex(/^[A-Z0-9]{2,50}$/, "is not the id of a channel");

export const slackIntegrationSchema = z.object({
  /** Slack is set up on this server. */
  configured: z.boolean(),
  connected: z.boolean(),
  team_id: z.string().nullable(),
  team_name: z.string().nullable(),
  bot_user_id: z.string().nullable(),
  deploy_approvals_enabled: z.boolean(),
  deploy_approvals_channel_id: z.string().nullable(),
  created_at: z.iso.datetime().nullable(),
  updated_at: z.iso.datetime().nullable(),
});

export const slackAuthorizationSchema = z.object({ authorization_url: z.url() });

export const slackReturnedSchema = z.object({
  state: z.string().max(100).exactOptional(),
  code: z.string().max(500).exactOptional(),
  error: z.string().max(100).exactOptional(),
});

export const slackAlertsSchema = z.object({
  deploy_approvals_enabled: z.boolean(),
  deploy_approvals_channel_id: z.union([channelId, z.literal("").transform(() => null), z.null()]),
});

export const slackChannelsSchema = z.object({
  channels: z.array(z.object({ id: z.string(), name: z.string(), is_private: z.boolean() })),
});

export const slackTestSchema = z.object({ channel_id: channelId });

export const slackDoneSchema = z.object({ message: z.string() });
