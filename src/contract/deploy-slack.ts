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
  /** Channel → globs over the audit list's names. */
  channel_actions: z.record(z.string(), z.array(z.string())),
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

const globs = z.array(z.string().regex(/^[A-Za-z0-9_.*-]{1,100}$/, "is not a name with *")).max(100);
/** As rack-gateway writes it: by a name of its own, with the channel inside. */
const namedChannel = z.object({ id: channelId, name: z.string().max(200).exactOptional(), actions: globs });

/** The channel's id → globs. */
export const slackChannelActionsSchema = z.object({
  channel_actions: z
    .record(z.string().max(200), z.union([globs, namedChannel]))
    .refine((channels) => Object.keys(channels).length <= 50, "names more than 50 channels")
    .transform((channels, context) => {
      const found: Record<string, string[]> = {};
      for (const [key, value] of Object.entries(channels)) {
        const [id, actions] = Array.isArray(value) ? [key, value] : [value.id, value.actions];
        if (!channelId.safeParse(id).success)
          context.addIssue({ code: "custom", message: `${key} is not the id of a channel` });
        else found[id] = [...(found[id] ?? []), ...actions];
      }
      return found;
    }),
});

export const slackChannelsSchema = z.object({
  channels: z.array(z.object({ id: z.string(), name: z.string(), is_private: z.boolean() })),
});

export const slackTestSchema = z.object({ channel_id: channelId });

export const slackDoneSchema = z.object({ message: z.string() });
