import type { DeploySettingWords } from "./setting-text.ts";

export interface SettingTab {
  readonly value: string;
  readonly word: string;
  readonly settings: readonly DeploySettingWords[];
}

type Row = Omit<DeploySettingWords, "endpoint">;

function group(endpoint: string, rows: readonly Row[]): readonly DeploySettingWords[] {
  return rows.map((row) => ({ ...row, endpoint }));
}

function own(row: Row): DeploySettingWords {
  return { ...row, endpoint: row.key.replaceAll("_", "-"), own: true };
}

const ciProviders = ["circleci", "github_actions", "gitlab", "buildkite", "webhook"];
const vcsProviders = ["github", "bitbucket", "gitlab"];

/** Settings of one app, in the tabs of its page (docs/spec/deploy.md section 17). */
export const appTabs: readonly SettingTab[] = [
  {
    value: "approvals",
    word: "Approvals",
    settings: group("deploy-gate", [
      {
        key: "deploy_policy",
        name: "Policy",
        effect: "Who must approve. Empty: the rack’s default policy.",
        kind: "text",
      },
      {
        key: "deploy_approval_window_minutes",
        name: "Time to deploy",
        effect: "How long an approval lasts.",
        kind: "number",
        unit: "minutes",
      },
      {
        key: "deploy_approval_pending_ttl_minutes",
        name: "Time to decide",
        effect: "A request that nobody decides expires after this time.",
        kind: "number",
        unit: "minutes",
      },
      {
        key: "supersede_pending",
        name: "Newer commits supersede",
        effect: "A request for a newer commit of a branch ends the older one that still waits.",
        kind: "switch",
      },
    ]),
  },
  {
    value: "repository",
    word: "Repository and CI",
    settings: group("vcs-ci-deploy", [
      {
        key: "vcs_provider",
        name: "Version control",
        effect: "Where the commits are looked up.",
        kind: "choice",
        options: vcsProviders,
      },
      { key: "vcs_repo", name: "Repository", effect: "The repository of this app, as owner/repo.", kind: "text" },
      {
        key: "github_verification",
        name: "Verify commits",
        effect: "A commit must be known to the repository before it may be asked for.",
        kind: "switch",
      },
      {
        key: "verify_git_commit_mode",
        name: "Accepted commits",
        effect: "Only the latest commit of its branch, or any on it.",
        kind: "choice",
        options: ["latest", "branch"],
      },
      {
        key: "require_pr_for_branch",
        name: "Needs a pull request",
        effect: "A branch must have an open pull request.",
        kind: "switch",
      },
      {
        key: "allow_deploy_from_default_branch",
        name: "Deploy the default branch",
        effect: "Commits of the default branch may be deployed without a pull request.",
        kind: "switch",
      },
      {
        key: "default_branch",
        name: "Default branch",
        effect: "The branch that others are merged into.",
        kind: "text",
      },
      {
        key: "github_post_pr_comment",
        name: "Comment on the pull request",
        effect: "The pull request is told how the request goes.",
        kind: "switch",
      },
      {
        key: "ci_provider",
        name: "CI",
        effect: "Which CI goes on after the approval.",
        kind: "choice",
        options: ciProviders,
      },
      {
        key: "circleci_approval_job_name",
        name: "Approval job",
        effect: "The job of the workflow that waits for the approval.",
        kind: "text",
      },
      {
        key: "circleci_auto_approve_on_approval",
        name: "Continue CI after approval",
        effect: "The waiting job is approved as soon as the request is.",
        kind: "switch",
      },
      {
        key: "circleci_cancel_on_rejection",
        name: "Cancel CI after rejection",
        effect: "The waiting workflow is cancelled when the request is rejected.",
        kind: "switch",
      },
    ]),
  },
  {
    value: "source",
    word: "Source",
    settings: group("deploy-gate", [
      {
        key: "verify_source",
        name: "Compare the archive",
        effect: "Whether the uploaded source must be the approved commit.",
        kind: "choice",
        options: ["auto", "enforce", "warn", "off"],
      },
      {
        key: "source_path",
        name: "Path in the repository",
        effect: "The folder that the archive is made from.",
        kind: "text",
      },
      {
        key: "allowed_untracked_paths",
        name: "Further files",
        effect: "Globs of files that an archive may hold besides the commit’s.",
        kind: "list",
      },
      {
        key: "approved_manifests",
        name: "Manifests",
        effect: "Manifest files that a build may be made with.",
        kind: "list",
      },
      {
        key: "approved_build_args",
        name: "Build arguments",
        effect: "Arguments that a build may be given, as NAME or NAME=value.",
        kind: "list",
      },
      {
        key: "max_build_attempts",
        name: "Build attempts",
        effect: "How often a build may be started with one approval.",
        kind: "number",
      },
      {
        key: "drift_env",
        name: "Environment changed meanwhile",
        effect: "What happens when the environment changed after the approval.",
        kind: "choice",
        options: ["record", "deny"],
      },
      {
        key: "drift_base",
        name: "Other release meanwhile",
        effect: "What happens when another release was promoted after the approval.",
        kind: "choice",
        options: ["record", "deny"],
      },
    ]),
  },
  {
    value: "images",
    word: "Images",
    settings: [
      own({
        key: "service_image_patterns",
        name: "Image patterns",
        effect: "What an image must be called, by service: lines as web = .*:{{GIT_COMMIT}}",
        kind: "map",
      }),
      ...group("deploy-gate", [
        {
          key: "image_repositories",
          name: "Image repositories",
          effect: "Repositories that images may come from.",
          kind: "list",
        },
        {
          key: "require_image_digest",
          name: "Needs digests",
          effect: "Every image of a request is named by its digest.",
          kind: "switch",
        },
        {
          key: "image_digest_resolution",
          name: "Look digests up",
          effect: "Whether the registry is asked what a tag means, and whether that is enforced.",
          kind: "choice",
          options: ["off", "record", "enforce"],
        },
      ]),
    ],
  },
  {
    value: "commands",
    word: "Commands",
    settings: [
      own({
        key: "approved_deploy_commands",
        name: "Approved commands",
        effect: "Commands that may be run with an approval, exactly as written, one on each line.",
        kind: "list",
      }),
    ],
  },
  {
    value: "environment",
    word: "Environment",
    settings: [
      own({
        key: "protected_env_vars",
        name: "Protected variables",
        effect: "Nobody changes these through the gate.",
        kind: "list",
      }),
      own({ key: "secret_env_vars", name: "Secret variables", effect: "Values of these are masked.", kind: "list" }),
    ],
  },
  {
    value: "elsewhere",
    word: "Other systems",
    settings: group("deploy-gate", [
      {
        key: "github_environment",
        name: "GitHub environment",
        effect: "The environment whose waiting deployments are approved.",
        kind: "text",
      },
      {
        key: "github_actions_token",
        name: "GitHub Actions token",
        effect: "Name of the token that GitHub Actions exchanges its identity for.",
        kind: "text",
      },
      {
        key: "ci_webhook_url",
        name: "CI webhook",
        effect: "An address that is told when a request ends.",
        kind: "text",
      },
    ]),
  },
];

/** Settings of a whole rack. */
export const rackSettings: readonly DeploySettingWords[] = [
  ...group("deploy-approvals", [
    {
      key: "deploy_approvals_enabled",
      name: "Deploy approvals",
      effect: "Without them gated calls pass, and are only recorded.",
      kind: "switch",
    },
    {
      key: "deploy_approval_required_for",
      name: "Needed by",
      effect: "Who needs an approval: gated tokens, every token, or everyone.",
      kind: "choice",
      options: ["gated", "tokens", "everyone"],
    },
    {
      key: "default_deploy_policy",
      name: "Default policy",
      effect: "Who must approve where an app says nothing else.",
      kind: "text",
    },
    {
      key: "deploy_approval_window_minutes",
      name: "Time to deploy",
      effect: "How long an approval lasts.",
      kind: "number",
      unit: "minutes",
    },
    {
      key: "deploy_approval_pending_ttl_minutes",
      name: "Time to decide",
      effect: "A request that nobody decides expires after this time.",
      kind: "number",
      unit: "minutes",
    },
    {
      key: "deploy_approval_max_extensions",
      name: "Extensions",
      effect: "How often an approval may be extended.",
      kind: "number",
    },
    {
      key: "deploy_approval_max_window_minutes",
      name: "Longest approval",
      effect: "No extension goes beyond this time after the approval.",
      kind: "number",
      unit: "minutes",
    },
  ]),
  ...group("allow-destructive-actions", [
    {
      key: "allow_destructive_actions",
      name: "Destructive actions",
      effect: "Apps and racks may be deleted through the gate.",
      kind: "switch",
    },
  ]),
  ...group("vcs-and-ci-defaults", [
    {
      key: "default_vcs_provider",
      name: "Version control",
      effect: "Used by apps that name none.",
      kind: "choice",
      options: vcsProviders,
    },
    {
      key: "default_ci_provider",
      name: "CI",
      effect: "Used by apps that name none.",
      kind: "choice",
      options: ciProviders,
    },
  ]),
  ...group("mfa-configuration", [
    {
      key: "mfa_require_all_users",
      name: "Second factor for everybody",
      effect: "Without it only those who may change something must have one.",
      kind: "switch",
    },
    {
      key: "mfa_step_up_window_minutes",
      name: "Factor asked again after",
      effect: "How long a proven factor counts for acts that ask for a recent one.",
      kind: "number",
      unit: "minutes",
    },
    {
      key: "mfa_trusted_device_ttl_days",
      name: "Trusted devices",
      effect: "How long a device stands for the factor at sign-in.",
      kind: "number",
      unit: "days",
    },
  ]),
  ...group("session-configuration", [
    {
      key: "session_timeout_minutes",
      name: "Idle sessions end after",
      effect: "A browser’s session ends when nothing was done for this time.",
      kind: "number",
      unit: "minutes",
    },
    {
      key: "cli_session_max_days",
      name: "Terminals stay signed in",
      effect: "The longest that a session of a terminal lasts.",
      kind: "number",
      unit: "days",
    },
    {
      key: "api_token_max_days",
      name: "Longest token",
      effect: "No deploy token is made to last longer.",
      kind: "number",
      unit: "days",
    },
  ]),
];
