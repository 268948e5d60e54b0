/**
 * The authorization table's rows for settings, administration and login of the deploy gate: docs/spec/deploy.md sections 11.2 and
 * 11.3 with the levels of R-MFA-1 (`always` is `fresh`). Machines never administer; they read where the section says "token: yes".
 */
import type { Permission } from "../../core/permission.ts";
import type { Access, Assurance, CredentialKind, Method, Row } from "../authorization-row.ts";

/** People on our own surfaces, whose factors we can ask for. */
const OURS: readonly CredentialKind[] = ["web_session", "cli_session"];
const PEOPLE: readonly CredentialKind[] = ["web_session", "cli_session", "person_jwt"];
const READERS: readonly CredentialKind[] = ["web_session", "cli_session", "person_jwt", "api_token"];

interface Narrower {
  readonly assurance?: Assurance;
  readonly credentials?: readonly CredentialKind[];
  readonly others?: Row["others"];
  readonly enrolment?: boolean;
}

function row(access: Access, method: Method, url: string, narrower: Narrower = {}): Row {
  const { assurance = "session", credentials = OURS, others = null, enrolment = false } = narrower;
  const fixed = { mount: "deploy", permission: null, scope: null } as const;
  return { method, url, access, assurance, credentials, others, enrolment, ...fixed };
}

function needs(permission: Permission, method: Method, url: string, narrower: Narrower = {}): Row {
  const credentials = method === "GET" ? PEOPLE : OURS;
  return { ...row("permission", method, url, { credentials, ...narrower }), permission };
}

function open(method: Method, url: string): Row {
  return { ...row("public", method, url, { assurance: "none", credentials: [] }) };
}

const FRESH: Narrower = { assurance: "fresh" };
const STEP_UP: Narrower = { assurance: "step_up" };

/** Setting and giving back, of a group or of one key. */
function setting(permission: Permission, url: string, proven: Narrower): readonly Row[] {
  return [needs(permission, "PUT", url, proven), needs(permission, "DELETE", url, proven)];
}

const settings: readonly Row[] = [
  needs("gateway:setting:read", "GET", "/settings"),
  ...setting("gateway:setting_group:mfa_configuration", "/settings/mfa-configuration", FRESH),
  ...setting("gateway:setting_group:allow_destructive_actions", "/settings/allow-destructive-actions", FRESH),
  ...setting("gateway:setting_group:vcs_and_ci_defaults", "/settings/vcs-and-ci-defaults", STEP_UP),
  ...setting("gateway:setting_group:deploy_approvals", "/settings/deploy-approvals", FRESH),
  ...setting("gateway:setting_group:session_configuration", "/settings/session-configuration", STEP_UP),
  needs("gateway:setting:read", "GET", "/apps/:app/settings"),
  ...setting("gateway:setting_group:vcs_ci_deploy", "/apps/:app/settings/vcs-ci-deploy", FRESH),
  ...setting("gateway:setting:protected_env_vars", "/apps/:app/settings/protected-env-vars", STEP_UP),
  ...setting("gateway:setting:secret_env_vars", "/apps/:app/settings/secret-env-vars", STEP_UP),
  ...setting("gateway:setting:approved_deploy_commands", "/apps/:app/settings/approved-deploy-commands", FRESH),
  ...setting("gateway:setting:service_image_patterns", "/apps/:app/settings/service-image-patterns", FRESH),
  // Each key has a permission and a level of its own besides: the handler asks for them.
  ...setting("gateway:setting:update", "/apps/:app/settings/deploy-gate", STEP_UP),
];

const END_OTHERS: Narrower = { others: { permission: "gateway:user:update", assurance: "step_up" } };

const people: readonly Row[] = [
  row("any", "GET", "/info", { credentials: READERS, enrolment: true }),
  row("any", "GET", "/roles", { credentials: PEOPLE }),
  needs("gateway:user:read", "GET", "/users"),
  needs("gateway:user:read", "GET", "/users/:email"),
  needs("gateway:user:create", "POST", "/users", FRESH),
  needs("gateway:user:update", "PUT", "/users/:email", FRESH),
  needs("gateway:user:delete", "DELETE", "/users/:email", FRESH),
  row("own", "PUT", "/users/:email/name", STEP_UP),
  row("own", "GET", "/users/:email/sessions"),
  row("own", "POST", "/users/:email/sessions/:id/revoke", END_OTHERS),
  row("own", "POST", "/users/:email/sessions/revoke_all", END_OTHERS),
  needs("gateway:user:update", "POST", "/users/:email/lock", FRESH),
  needs("gateway:user:update", "POST", "/users/:email/unlock", FRESH),
];

const tokens: readonly Row[] = [
  row("own", "GET", "/api-tokens", { credentials: READERS }),
  row("any", "GET", "/api-tokens/permissions", { credentials: PEOPLE }),
  row("own", "GET", "/api-tokens/:id", { credentials: READERS }),
  needs("gateway:api_token:create", "POST", "/api-tokens", FRESH),
  needs("gateway:api_token:update", "PUT", "/api-tokens/:id", FRESH),
  needs("gateway:api_token:delete", "DELETE", "/api-tokens/:id", FRESH),
];

const ENROLLING: Narrower = { assurance: "enrolment", enrolment: true };
const OWN: Narrower = { enrolment: true };

/** Signing in, and one's own factors. */
const login: readonly Row[] = [
  open("POST", "/auth/cli/start"),
  open("POST", "/auth/cli/complete"),
  open("GET", "/auth/cli/callback"),
  open("GET", "/auth/cli/mfa"),
  // The handler proves the factor, and says what is wrong with it in these clients' words.
  row("own", "POST", "/auth/cli/mfa", { credentials: ["web_session"] }),
  open("POST", "/auth/oidc/token"),
  open("GET", "/auth/web/login"),
  open("HEAD", "/auth/web/login"),
  open("GET", "/auth/web/callback"),
  open("GET", "/auth/web/logout"),
  row("any", "POST", "/auth/web/logout", OWN),
  row("own", "GET", "/auth/mfa/status", OWN),
  row("own", "POST", "/auth/mfa/enroll/totp/start", ENROLLING),
  row("own", "POST", "/auth/mfa/enroll/totp/confirm", OWN),
  row("own", "POST", "/auth/mfa/enroll/webauthn/start", ENROLLING),
  row("own", "POST", "/auth/mfa/enroll/webauthn/confirm", OWN),
  row("own", "POST", "/auth/mfa/verify", OWN),
  row("own", "POST", "/auth/mfa/webauthn/assertion/start", OWN),
  row("own", "POST", "/auth/mfa/webauthn/assertion/verify", OWN),
  row("own", "PUT", "/auth/mfa/preferred-method", FRESH),
  row("own", "PUT", "/auth/mfa/methods/:id", FRESH),
  row("own", "DELETE", "/auth/mfa/methods/:id", FRESH),
  row("own", "POST", "/auth/mfa/backup-codes/regenerate", FRESH),
  row("own", "POST", "/auth/mfa/trusted-devices/trust", { ...FRESH, credentials: ["web_session"] }),
  row("own", "DELETE", "/auth/mfa/trusted-devices/:id", FRESH),
];

const racks: readonly Row[] = [
  needs("convox:rack:read", "GET", "/rack", { credentials: READERS }),
  needs("convox:app:read", "GET", "/created-by", { credentials: READERS }),
  needs("security:secret:update", "POST", "/settings/rack-tls-cert/refresh", FRESH),
  // Two texts of refusal: the handler asks for env:read, and for secret:read besides.
  row("own", "GET", "/apps/:app/env", { credentials: READERS }),
  needs("convox:env:set", "PUT", "/apps/:app/env", STEP_UP),
];

const audits: readonly Row[] = [
  needs("ledger:entry:read", "GET", "/audit-logs"),
  needs("ledger:entry:read", "GET", "/audit-logs/export"),
  needs("gateway:job:list", "GET", "/jobs"),
  needs("gateway:job:read", "GET", "/jobs/:id"),
  needs("gateway:job:delete", "DELETE", "/jobs/:id", STEP_UP),
  needs("gateway:job:update", "POST", "/jobs/:id/retry", STEP_UP),
];

export const deployAdministration: readonly Row[] = [...settings, ...people, ...tokens, ...login, ...racks, ...audits];
