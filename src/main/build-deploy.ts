/**
 * Puts the deploy gate's outside together from the server's environment: version control, CI providers, archive and manifest
 * readers (docs/spec/deploy.md R-GITHUB-1, R-CI-4, R-CI-7). Credentials come from the environment alone.
 */
import { createHmac } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { ArchiveThreads } from "../adapters/archive/archive-threads.ts";
import { createBuildkite } from "../adapters/buildkite/buildkite.ts";
import { createCiWebhook } from "../adapters/ci-webhook/ci-webhook.ts";
import { CircleciClient } from "../adapters/circleci/circleci-client.ts";
import { createCircleci } from "../adapters/circleci/circleci.ts";
import { createGithubActions } from "../adapters/github/github-actions.ts";
import { GithubClient } from "../adapters/github/github-client.ts";
import type { GithubCredential } from "../adapters/github/github-credential.ts";
import { createGithub } from "../adapters/github/github-repository.ts";
import { readGithubWebhook } from "../adapters/github/github-webhook.ts";
import { createGitlab } from "../adapters/gitlab/gitlab.ts";
import { manifestReader } from "../adapters/manifest/manifest-reader.ts";
import { createProviderExchange, type ExchangeFetch } from "../adapters/outbound/provider-exchange.ts";
import { createImageRegistries } from "../adapters/registry/image-registries.ts";
import { createSlack } from "../adapters/slack/slack.ts";
import type { DeployParts } from "../app/deploy/deploy-parts.ts";
import { createDeploySettingsDesk } from "../app/deploy/settings-desk.ts";
import type { EnvironmentMarker } from "../gates/deploy/drift.ts";
import type { EnvironmentSetting } from "../gates/deploy/environment-settings.ts";
import type { Chat } from "../ports/chat.ts";
import type { CiProvider } from "../ports/ci-provider.ts";
import type { GithubWebhookReader } from "../ports/github-webhook.ts";
import type { ImageRegistries } from "../ports/image-registries.ts";
import type { Racks } from "../ports/rack.ts";
import type { VersionControl } from "../ports/version-control.ts";
import type { Environment } from "./config.ts";

export interface BuildDeployOptions {
  readonly environment: Environment;
  readonly settings: readonly EnvironmentSetting[];
  readonly racks: Racks;
  readonly clock: () => number;
  /** For addresses that people set. */
  readonly guardedFetch: ExchangeFetch;
  /** From which the secrets of CI webhooks are derived, one per rack and app. */
  readonly webhookKey: Uint8Array;
  /** Absent where none is configured. */
  readonly registries?: ImageRegistries;
}

export interface BuiltDeploy {
  readonly parts: DeployParts;
  close(): Promise<void>;
}

export function buildDeploy(options: BuildDeployOptions): BuiltDeploy {
  const archives = new ArchiveThreads();
  const github = githubClient(options);
  const versionControl = new Map<string, VersionControl>(github === null ? [] : [["github", createGithub(github)]]);
  const ci = ciProviders(options, github);
  return {
    parts: {
      racks: options.racks,
      settings: createDeploySettingsDesk({
        environment: options.settings,
        patterns: (pattern) => (manifestReader.expression(pattern) === null ? "it is no RE2 expression" : null),
        clock: options.clock,
      }),
      versionControl: (provider) => versionControl.get(provider) ?? null,
      ci: (provider) => ci.get(provider) ?? null,
      chat: slackOf(options.environment),
      githubWebhook: githubWebhookOf(options.environment),
      archives,
      manifests: manifestReader,
      registries: options.registries ?? NO_REGISTRIES,
      environmentMarker: environmentMarker(options.webhookKey),
      githubUrl: githubUrlOf(options.environment),
      secretEnvNames: (set(options.environment, "CONVOX_SECRET_ENV_VARS") ?? "")
        .split(/[\s,]+/)
        .filter((name) => name !== ""),
    },
    close: () => archives.close(),
  };
}

/** For programs that serve nobody. */
export function withoutRacks(clock: () => number): DeployParts {
  return buildDeploy({
    ...{ environment: {}, settings: [], racks: { all: () => [], find: () => undefined }, clock },
    guardedFetch: () => Promise.reject(new Error("this program calls nobody")),
    webhookKey: new Uint8Array(32),
  }).parts;
}

const NO_REGISTRIES = createImageRegistries({
  registries: [],
  fetch: () => Promise.reject(new Error("no registry is configured (this is a bug)")),
});

const MARK_LENGTH = 22;

/** HMAC with a key of its own: equal values have equal marks for one app and name alone. */
export function environmentMarker(serverKey: Uint8Array): EnvironmentMarker {
  const key = createHmac("sha256", serverKey).update("environment marks").digest();
  const mac = (text: string): string =>
    createHmac("sha256", key).update(text).digest("base64url").slice(0, MARK_LENGTH);
  return {
    keyId: mac("key").slice(0, 8),
    mark: (place, name, value) => mac(`value ${JSON.stringify([place, name])} ${value}`),
  };
}

/** The secret with which calls to an app's `ci_webhook_url` are signed, as Standard Webhooks writes it. */
function ciWebhookSecret(key: Uint8Array, scope: string, app: string): string {
  const bytes = createHmac("sha256", key).update(`ci-webhook ${scope}/${app}`).digest();
  return `whsec_${bytes.toString("base64")}`;
}

/** The hosts of configured providers are the operator's own choice: no guard stands before them. */
const trustedExchange = createProviderExchange((url, init) => fetch(url, init));

function githubClient({ environment, clock }: BuildDeployOptions): GithubClient | null {
  const credential = githubCredential(environment);
  if (credential === null) return null;
  const apiUrl = set(environment, "GITHUB_API_URL") ?? "https://api.github.com";
  const pause = async (ms: number, signal: AbortSignal | undefined): Promise<void> => {
    await setTimeout(ms, undefined, { signal }).catch(() => undefined);
  };
  return new GithubClient({ apiUrl, credential }, { exchange: trustedExchange, clock, pause });
}

function githubCredential(environment: Environment): GithubCredential | null {
  const token = set(environment, "GITHUB_TOKEN");
  if (token !== null) return { kind: "token", token };
  const appId = set(environment, "GITHUB_APP_ID");
  const privateKey = set(environment, "GITHUB_APP_PRIVATE_KEY");
  return appId === null || privateKey === null ? null : { kind: "app", appId, privateKey };
}

function ciProviders(
  { environment, clock, guardedFetch, webhookKey }: BuildDeployOptions,
  github: GithubClient | null,
): ReadonlyMap<string, CiProvider> {
  const githubUrl = githubUrlOf(environment);
  const made = new Map<string, CiProvider>();
  const circleci = set(environment, "CIRCLECI_TOKEN");
  if (circleci !== null) {
    const apiUrl = set(environment, "CIRCLECI_API_URL") ?? "https://circleci.com/api/v2";
    made.set(
      "circleci",
      createCircleci({ client: new CircleciClient({ apiUrl, token: circleci }, trustedExchange), githubUrl }),
    );
  }
  if (github !== null) made.set("github_actions", createGithubActions(github, { githubUrl }));
  const gitlab = set(environment, "GITLAB_TOKEN");
  if (gitlab !== null) {
    const url = set(environment, "GITLAB_URL") ?? "https://gitlab.com";
    made.set("gitlab", createGitlab({ url, token: gitlab }, trustedExchange));
  }
  const buildkite = set(environment, "BUILDKITE_TOKEN");
  if (buildkite !== null) {
    const apiUrl = set(environment, "BUILDKITE_API_URL") ?? "https://api.buildkite.com";
    made.set("buildkite", createBuildkite({ apiUrl, token: buildkite, githubUrl }, trustedExchange));
  }
  const secretOf = (scope: string, app: string): string => ciWebhookSecret(webhookKey, scope, app);
  made.set("webhook", createCiWebhook({ exchange: createProviderExchange(guardedFetch), clock, secretOf }));
  return made;
}

/** `GITHUB_WEBHOOK_SECRET` is that of the App's webhook. */
function githubWebhookOf(environment: Environment): GithubWebhookReader | null {
  const secret = set(environment, "GITHUB_WEBHOOK_SECRET");
  const apiUrl = set(environment, "GITHUB_API_URL") ?? "https://api.github.com";
  return secret === null ? null : (delivery) => readGithubWebhook(delivery, { secret, apiUrl });
}

function slackOf(environment: Environment): Chat | null {
  const [clientId, clientSecret] = [set(environment, "SLACK_CLIENT_ID"), set(environment, "SLACK_CLIENT_SECRET")];
  if (clientId === null || clientSecret === null) return null;
  return createSlack(
    { url: set(environment, "SLACK_URL") ?? "https://slack.com", clientId, clientSecret },
    trustedExchange,
  );
}

/** `GITHUB_URL`: where people look at commits, branches and runs. */
function githubUrlOf(environment: Environment): string {
  return (set(environment, "GITHUB_URL") ?? "https://github.com").replace(/\/+$/, "");
}

function set(environment: Environment, name: string): string | null {
  const value = environment[name]?.trim() ?? "";
  return value === "" ? null : value;
}
