/** What the use cases of the deploy gate are given besides the rest of the application. Built once, in src/main. */
import type { EnvironmentMarker } from "../../gates/deploy/drift.ts";
import type { ArchiveReader } from "../../ports/archive-reader.ts";
import type { Chat } from "../../ports/chat.ts";
import type { CiProvider } from "../../ports/ci-provider.ts";
import type { GithubWebhookReader } from "../../ports/github-webhook.ts";
import type { ImageRegistries } from "../../ports/image-registries.ts";
import type { ManifestReader } from "../../ports/manifest-reader.ts";
import type { Racks } from "../../ports/rack.ts";
import type { VersionControl } from "../../ports/version-control.ts";
import type { DeploySettingsDesk } from "./settings-desk.ts";

export interface DeployParts {
  /** The racks of this installation; none configured = every address below a rack is 404. */
  readonly racks: Racks;
  readonly settings: DeploySettingsDesk;
  /** By the name of `vcs_provider`; null where it has no credential here. */
  readonly versionControl: (provider: string) => VersionControl | null;
  /** By the name of `ci_provider`; null for one that is not known here. */
  readonly ci: (provider: string) => CiProvider | null;
  /** Null where Slack is not set up on this server. */
  readonly chat: Chat | null;
  /** Null where GitHub's webhooks are not taken. */
  readonly githubWebhook: GithubWebhookReader | null;
  readonly archives: ArchiveReader;
  readonly manifests: ManifestReader;
  /** Those that the server is configured for; others are asked nothing (R-IMAGE-8). */
  readonly registries: ImageRegistries;
  /** Keyed: what it makes of a value tells nobody the value (R-BIND-12). */
  readonly environmentMarker: EnvironmentMarker;
  /** Where people look at repositories: `GITHUB_URL`, without a slash at the end. */
  readonly githubUrl: string;
  /** Names that are secret in every environment: `CONVOX_SECRET_ENV_VARS` (R-ENV-1). */
  readonly secretEnvNames?: readonly string[];
}
