/** What the HTTP layer is given, from the configuration. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import type { LedgerReader } from "../adapters/postgres/ledger-reader.ts";
import type { Application } from "../app/application.ts";
import type { EvidenceSource } from "../app/evidence-parts.ts";
import { createTokenDesk } from "../app/token-desk.ts";
import { isInRange } from "../http/address-range.ts";
import type { LedgerWatch, SecretsWatch, ServerOptions } from "../http/server-options.ts";
import type { ServiceInfo } from "../http/service-info.ts";
import { createDevelopmentVerifier } from "../http/token-verification/development-verifier.ts";
import { createJwksVerifier } from "../http/token-verification/jwks-verifier.ts";
import type { TokenVerifier } from "../http/token-verification/token-verifier.ts";
import { workloadCaller } from "../http/token-verification/workload-caller.ts";
import type { WebhookSender } from "../ports/webhook-sender.ts";
import type { CommitSignal } from "./commit-signal.ts";
import type { Config } from "./config-schema.ts";
import { demoPeople } from "./demo/demo-people.ts";
import { exportLedger } from "./export-ledger.ts";
import { fetchJson } from "./fetch-json.ts";
import { packageRoot } from "./package-root.ts";
import { productVersion } from "./product-version.ts";

export interface HttpParts {
  readonly config: Config;
  readonly development: boolean;
  readonly app: Application;
  readonly guard: LedgerWatch;
  readonly ledger: LedgerReader;
  readonly commits: CommitSignal;
  readonly log: Logger;
  readonly csrfToken: (sessionId: string) => string;
  readonly evidence: EvidenceSource;
  readonly secrets: SecretsWatch;
  readonly webhooks: WebhookSender;
}

const STREAMS_PER_PERSON = 5;

export function serverOptions(parts: HttpParts): ServerOptions {
  const { config, development, app, guard, ledger, commits, log, csrfToken, evidence, secrets, webhooks } = parts;
  const { auth, keycloak, limits } = config.awe;
  const uiDirectory = join(packageRoot(), "dist", "ui");
  return {
    ...{ app, development, log, evidence, secrets, webhooks },
    ledger: guard,
    ledgerExport: {
      lines: () => exportLedger(ledger),
      newestCheckpoint: async () => (await ledger.newestCheckpoint())?.note ?? null,
    },
    verifier: verifierOf(config, { development, clock: app.clock, log }),
    workloadCaller: (token) => workloadCaller(app, token),
    tokens: createTokenDesk(app.clock, isInRange),
    service: serviceInfo(config),
    events: {
      subscribe: (listener) =>
        commits.subscribe(() => {
          listener();
        }),
    },
    access: {
      roleClients: keycloak.role_clients,
      machineClaims: auth.machine_claims,
    },
    browser: { origin: new URL(app.identity.publicUrl).origin, csrfToken },
    cliPolling: config.countersign.cli_polling,
    trustedProxies: config.countersign.trusted_proxy_cidrs,
    limits: { perMinute: limits.per_minute, streamsPerPerson: STREAMS_PER_PERSON, ...deployRate(config) },
    developmentPeople: demoPeople,
    uiDirectory: existsSync(join(uiDirectory, "index.html")) ? uiDirectory : null,
  };
}

function deployRate({ countersign: own }: Config): Pick<ServerOptions["limits"], "deploy"> {
  const { deploy_rate_per_second: perSecond, deploy_rate_burst: burst } = own;
  return perSecond === 0 ? {} : { deploy: { perSecond, burst } };
}

function verifierOf(
  { awe: { keycloak } }: Config,
  { development, clock, log }: { development: boolean; clock: () => number; log: Logger },
): TokenVerifier {
  if (development) return createDevelopmentVerifier(clock);
  if (keycloak.issuer === "") return refuseEveryToken;
  return createJwksVerifier(
    {
      issuer: keycloak.issuer,
      additionalIssuers: keycloak.additional_issuers,
      jwksUrl: keycloak.jwks_url === "" ? null : keycloak.jwks_url,
      audience: keycloak.audience === "" ? null : keycloak.audience,
      algorithms: keycloak.algorithms,
    },
    {
      fetchJson: (url) => fetchJson(url, keycloak.verify_ssl),
      clock,
      warn: (cause) => {
        log.warn({ err: cause }, "the identity provider's keys could not be fetched");
      },
    },
  );
}

/** Without a configured issuer no token of people or services is anybody's. */
const refuseEveryToken: TokenVerifier = {
  verify: () => Promise.resolve({ fault: "no issuer of such tokens is configured" }),
};

function serviceInfo({ awe, countersign }: Config): ServiceInfo {
  const { build_time: buildTime, git_commit: gitCommit } = countersign;
  return {
    serviceId: awe.service_id,
    apiVersion: awe.api_version,
    module: awe.module,
    serviceVersion: productVersion(),
    buildTime: buildTime === "" ? null : buildTime,
    gitCommit: gitCommit === "" ? null : gitCommit,
    webhook: {
      maxAttempts: awe.webhook.max_attempts,
      backoffSeconds: awe.webhook.backoff_seconds,
      timeoutSeconds: awe.webhook.timeout_seconds,
    },
    sla: { checkIntervalSeconds: awe.sla.check_interval_seconds },
  };
}
