/** What GitHub sends when a run waits for a deployment protection rule (docs/spec/deploy.md R-CI-9). */

export interface GithubDelivery {
  /** `X-Hub-Signature-256`. */
  readonly signature: string | undefined;
  /** `X-GitHub-Event`. */
  readonly event: string | undefined;
  /** `X-GitHub-Delivery`. */
  readonly delivery: string | undefined;
  readonly body: Uint8Array;
}

export interface ProtectionRuleRequest {
  readonly delivery: string;
  readonly repo: string;
  readonly environment: string;
  /** The commit that is to be deployed. */
  readonly commit: string;
  readonly branch: string | null;
  /** Who started the run; shown, never trusted. */
  readonly creator: string | null;
  /** What an approval needs to find the run again (R-CI-7). */
  readonly metadata: {
    readonly run_id: string;
    readonly environment: string;
    readonly deployment_callback_url: string;
    readonly deployment_sha: string;
  };
}

export type GithubWebhook =
  | { readonly kind: "requested"; readonly request: ProtectionRuleRequest }
  /** Signed by GitHub and about something else. */
  | { readonly kind: "ignored" }
  | { readonly kind: "refused"; readonly status: 400 | 401 | 413; readonly why: string };

/** Judges the bytes as they came. */
export type GithubWebhookReader = (delivery: GithubDelivery) => GithubWebhook;
