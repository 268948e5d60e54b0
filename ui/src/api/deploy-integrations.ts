import type { UseQueryResult } from "@tanstack/react-query";
import { useQuery } from "@tanstack/react-query";

import { call } from "./call.ts";
import type { Answer } from "./read.ts";
import { flag, list, nothing, nullable, object, orElse, text } from "./read.ts";

/** What the deploy gate is connected with, and trying it (docs/spec/deploy.md R-CI-6, R-SLACK-1, R-UI-8). */
const base = "/api/v1/integrations";

const readTested = object({ ok: flag, detail: text });
export type TestedCredential = Answer<typeof readTested>;

export function testCredential(provider: "github" | "circleci"): Promise<TestedCredential> {
  return call(readTested, `${base}/${provider}/test`, { method: "POST", body: {} });
}

const readSlack = object({
  configured: flag,
  connected: flag,
  team_name: nullable(text),
  deploy_approvals_enabled: orElse(flag, false),
  deploy_approvals_channel_id: nullable(text),
});
export type SlackConnection = Answer<typeof readSlack>;

export function useSlack(enabled: boolean): UseQueryResult<SlackConnection> {
  return useQuery({ queryKey: ["deploy-slack"], queryFn: () => call(readSlack, `${base}/slack`), enabled });
}

/** The address at Slack where somebody allows the connection. */
export async function beginSlack(): Promise<string> {
  const answer = await call(object({ authorization_url: text }), `${base}/slack/oauth/authorize`, {
    method: "POST",
    body: {},
  });
  return answer.authorization_url;
}

export function endSlack(): Promise<null> {
  return call(nothing, `${base}/slack`, { method: "DELETE" });
}

const readChannels = object({ channels: list(object({ id: text, name: text })) });

export function useSlackChannels(): UseQueryResult<Answer<typeof readChannels>> {
  return useQuery({
    queryKey: ["deploy-slack", "channels"],
    queryFn: () => call(readChannels, `${base}/slack/channels/list`),
    retry: false,
  });
}

export function setSlackAlerts(enabled: boolean, channelId: string | null): Promise<SlackConnection> {
  return call(readSlack, `${base}/slack/alerts`, {
    method: "PUT",
    body: { deploy_approvals_enabled: enabled, deploy_approvals_channel_id: channelId },
  });
}

export function testSlack(channelId: string): Promise<null> {
  return call(nothing, `${base}/slack/test`, { method: "POST", body: { channel_id: channelId } });
}
