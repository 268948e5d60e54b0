/**
 * Which settings are there, what may they be, and what are they when nobody says? Implements docs/guide/configuration.md.
 * `awe` holds the settings that the generic API shares with AWE, under AWE's names; `countersign` holds our own.
 * Settings of parts that are not built yet are accepted with their bounds, so that an existing file keeps working; those
 * that would switch such a part on are refused.
 */
import { z } from "zod";

function wholeNumber(least: number, most: number, otherwise: number): z.ZodDefault<z.ZodInt> {
  return z.int().min(least).max(most).default(otherwise);
}

const text = z
  .string()
  .max(4096)
  .refine((value) => !value.includes("\0"), "must not contain NUL");
const flag = z.boolean();
const texts = z.array(text).max(1000);
const secret = text.meta({ secret: true });

const webhook = z.strictObject({
  timeout_seconds: wholeNumber(1, 60, 10),
  max_attempts: wholeNumber(1, 50, 6),
  backoff_seconds: z.array(z.int().min(1)).min(1).max(49).default([60, 300, 900, 3600, 21_600]),
  poll_interval_seconds: wholeNumber(1, 86_400, 2),
  batch_size: wholeNumber(1, 10_000, 20),
  concurrency: wholeNumber(1, 1_000, 32),
  per_host: wholeNumber(1, 1_000, 4),
  order_hold_seconds: wholeNumber(0, 86_400, 300),
  include_data: flag.default(true),
  standard_headers: flag.default(true),
  log_days: wholeNumber(1, 36_500, 90),
});

const resolver = z.strictObject({
  http_timeout_seconds: wholeNumber(1, 30, 5),
  inline_seconds: wholeNumber(1, 60, 6),
  cache_seconds: wholeNumber(0, 86_400, 60),
  members_max: wholeNumber(1, 1_000_000, 5000),
});

const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"] as const;

const keycloak = z.strictObject({
  base_url: text.default("").refine((url) => url === "", "is not available in this version: leave it empty"),
  realm: text.default("staff"),
  admin_client_id: text.default("awe-admin-resolver"),
  admin_client_secret: secret.default(""),
  issuer: text.default(""),
  additional_issuers: texts.default([]),
  jwks_url: text.default(""),
  audience: text.default(""),
  verify_ssl: flag.default(true),
  algorithms: z.array(z.enum(ALGORITHMS)).min(1).default(["RS256", "PS256", "ES256", "EdDSA"]),
  role_clients: texts.default(["awe-admin-portal"]),
});

const notifier = z
  .strictObject({
    enabled: flag.default(false),
    smtp_host: text.default(""),
    smtp_port: wholeNumber(1, 65_535, 587),
    smtp_user: text.default(""),
    smtp_password: secret.default(""),
    from_address: text.default("no-reply@localhost"),
    use_tls: flag.default(true),
    admin_addresses: texts.default([]),
    base_url: text.default(""),
    /** Of a server at Postmark: set, mail goes over its API instead of SMTP. */
    postmark_token: secret.default(""),
    postmark_stream: text.default("outbound"),
    postmark_url: text.default("https://api.postmarkapp.com"),
  })
  .refine(({ enabled, smtp_host: host, postmark_token: token }) => !enabled || host !== "" || token !== "", {
    ...{ path: ["smtp_host"], message: "says which server takes the mail: it is needed when notifier.enabled is true" },
  });

const awe = z.strictObject({
  service_id: text.default("openg2p.awe"),
  api_version: text.default("1.0"),
  module: text.default("default"),
  webhook,
  outbound: z.strictObject({ allow: texts.default([]), allow_http: flag.default(false) }),
  resolver,
  sla: z.strictObject({ check_interval_seconds: wholeNumber(10, 86_400, 300) }),
  keycloak,
  auth: z.strictObject({ machine_claims: z.record(z.string().min(1), texts).default({}) }),
  access: z.strictObject({ read_scope: z.enum(["participants", "authenticated"]).default("participants") }),
  decisions: z.strictObject({ admin_override: z.enum(["allow", "reason", "off"]).default("allow") }),
  requests: z.strictObject({
    default_ttl_hours: wholeNumber(1, 87_600, 8760),
    enforce_artifact_type: flag.default(true),
  }),
  policies: z.strictObject({
    activation_policy: text.default("").refine((key) => key === "", "is not available in this version: leave it empty"),
  }),
  delegation: z.strictObject({ max_days: wholeNumber(1, 3_650, 90) }),
  idempotency: z.strictObject({ ttl_hours: wholeNumber(1, 87_600, 720) }),
  limits: z.strictObject({ per_minute: wholeNumber(0, 1_000_000, 0) }),
  notifier,
});

const rack = z.strictObject({
  name: text,
  host: text,
  username: text.default("convox"),
  /** Which variable, or which file, holds its token: the token itself has no place here. */
  token_env: text.default(""),
  token_file: text.default(""),
  alias: text.default(""),
  display_name: text.default(""),
  /** Left out: `pin` where pinning is switched on, else `system`. */
  tls: z.enum(["system", "pin", "insecure"]).optional(),
  /** Authorities in PEM that are believed besides those of the system. */
  tls_ca_file: text.default(""),
  enabled: flag.default(true),
});

const registry = z.strictObject({
  /** As images name it: `ghcr.io`, `docker.io`. */
  name: text,
  /** Left out: `https://` and the name. */
  url: text.default(""),
  /** The host of its token service, where that is another one. */
  token_host: text.default(""),
  username: text.default(""),
  /** Which variable, or which file, holds its password: the password itself has no place here. */
  password_env: text.default(""),
  password_file: text.default(""),
});

const countersign = z.strictObject({
  host: text.default("127.0.0.1"),
  port: wholeNumber(0, 65_535, 8000),
  data_dir: text.min(1).default("./data"),
  /** Empty: the database that comes with Countersign. */
  database_url: secret.default(""),
  /** Where people reach this installation; it names the ledger when it is made. */
  public_url: text
    .default("")
    .refine(
      (url) => url === "" || /^https?:\/\/[a-z0-9.:[\]-]+(?:\/[A-Za-z0-9._~-]+)*\/?$/.test(url),
      "must be an address such as https://approvals.example.com",
    ),
  /** Directory of initdb and postgres for the database that comes with Countersign. */
  pg_bin_dir: text.default(""),
  /** Proxies whose X-Forwarded-For is believed, as CIDR ranges. */
  trusted_proxy_cidrs: texts.default([]),
  /** Addresses of people to invite at start, separated by commas; whoever is known already stays as they are. */
  admin_users: text.default(""),
  deployer_users: text.default(""),
  operations_users: text.default(""),
  viewer_users: text.default(""),
  /** Idle end of a browser session; more than 60 is shown as a deviation. */
  session_timeout_minutes: wholeNumber(1, 1_440, 60),
  /** The older terminal sign-in (identity R-TERM-5): from the browser's own address, or not at all. */
  cli_polling: z.enum(["same_address", "off"]).default("same_address"),
  cli_session_max_days: wholeNumber(1, 90, 1),
  step_up_window_minutes: wholeNumber(1, 60, 10),
  /** Administrative acts with a person's forwarded token: a sign-in within that window, or a factor of ours (R-STEP-7). */
  step_up_for_jwt: flag.default(false),
  trusted_device_days: wholeNumber(1, 365, 30),
  factor_cool_down_hours: wholeNumber(0, 168, 24),
  backup_codes_decide: flag.default(true),
  /** Certificates in PEM of makers of authenticators, for organizations that list models of keys. */
  attestation_roots_file: text.default(""),
  mfa_require_all_users: flag.default(false),
  api_token_max_days: wholeNumber(1, 3_650, 365),
  /** Calls of one credential to the deploy gate's API, the proxy aside; 0 is without limit. */
  deploy_rate_per_second: wholeNumber(0, 100_000, 50),
  deploy_rate_burst: wholeNumber(1, 1_000_000, 200),
  /** Requests that one machine may make, in a minute and at a time, through any API; 0 is without limit. */
  machine_rate_per_minute: wholeNumber(0, 1_000_000, 60),
  machine_requests_open: wholeNumber(0, 1_000_000, 500),
  /** One identity provider, made or brought up to date at start; others are set up in the console. Empty: none. */
  oidc_issuer: text.default(""),
  oidc_client_id: text.default(""),
  oidc_client_secret: secret.default(""),
  oidc_name: text.min(1).max(128).default("Single sign-on"),
  /** Whose addresses may sign in, separated by commas; empty: every domain. */
  oidc_domains: text.default(""),
  /** One rack from the environment; it is the first, and so the default, of all. Empty: none. */
  rack_host: text.default(""),
  rack_token: secret.default(""),
  rack_username: text.default("convox"),
  rack_name: text.default("default"),
  rack_alias: text.default(""),
  rack_display_name: text.default(""),
  enable_rack_tls_pinning: flag.default(false),
  /** Racks without TLS beyond this machine, and racks whose certificate is not verified. */
  allow_insecure_rack: flag.default(false),
  racks: z.array(rack).max(100).default([]),
  /** Registries that may be asked what an image's tag leads to. */
  registries: z.array(registry).max(100).default([]),
  dev_bind: z.enum(["", "container"]).default(""),
  log_level: z.enum(["silent", "error", "warn", "info", "debug"]).default("warn"),
  build_time: text.default(""),
  git_commit: text.default(""),
});

export const configSchema = z.strictObject({ awe, countersign });

export type Config = z.output<typeof configSchema>;

/** Names that the environment has for a setting besides `AWE__…` and `COUNTERSIGN_…`; the earlier one wins. */
export const ENVIRONMENT_NAMES: Readonly<Record<string, readonly string[]>> = {
  "countersign.host": ["AWE_HOST"],
  "countersign.port": ["AWE_PORT", "PORT"],
  "countersign.database_url": ["RGW_DATABASE_URL", "GATEWAY_DATABASE_URL", "DATABASE_URL"],
  "countersign.log_level": ["LOG_LEVEL"],
  "countersign.api_token_max_days": ["RGW_SETTING_API_TOKEN_MAX_DAYS"],
  "countersign.cli_session_max_days": ["RGW_SETTING_CLI_SESSION_MAX_DAYS"],
  "countersign.pg_bin_dir": ["PG_BIN_DIR"],
  "countersign.build_time": ["BUILD_TIME"],
  "countersign.git_commit": ["GIT_COMMIT"],
  "countersign.trusted_proxy_cidrs": ["TRUSTED_PROXY_CIDRS"],
  "countersign.admin_users": ["ADMIN_USERS"],
  "countersign.deployer_users": ["DEPLOYER_USERS"],
  "countersign.operations_users": ["OPERATIONS_USERS"],
  "countersign.viewer_users": ["VIEWER_USERS"],
  "countersign.session_timeout_minutes": ["RGW_SETTING_SESSION_TIMEOUT_MINUTES"],
  "countersign.step_up_window_minutes": ["RGW_SETTING_MFA_STEP_UP_WINDOW_MINUTES"],
  "countersign.trusted_device_days": ["RGW_SETTING_MFA_TRUSTED_DEVICE_TTL_DAYS"],
  "countersign.mfa_require_all_users": ["RGW_SETTING_MFA_REQUIRE_ALL_USERS"],
  "countersign.factor_cool_down_hours": ["COUNTERSIGN_FACTOR_COOL_DOWN"],
  "awe.notifier.postmark_token": ["POSTMARK_API_TOKEN"],
  "awe.notifier.postmark_stream": ["POSTMARK_STREAM"],
  "awe.notifier.postmark_url": ["POSTMARK_API_BASE"],
  "awe.notifier.from_address": ["POSTMARK_FROM"],
  "countersign.deploy_rate_per_second": ["RATE_LIMIT_RPS"],
  "countersign.deploy_rate_burst": ["RATE_LIMIT_BURST"],
  "countersign.rack_host": ["RACK_HOST"],
  "countersign.rack_token": ["RACK_TOKEN"],
  "countersign.rack_username": ["RACK_USERNAME"],
  "countersign.rack_name": ["RACK"],
  "countersign.rack_alias": ["RACK_ALIAS"],
  "countersign.rack_display_name": ["RACK_DISPLAY_NAME"],
  "countersign.enable_rack_tls_pinning": ["ENABLE_RACK_TLS_PINNING"],
};
