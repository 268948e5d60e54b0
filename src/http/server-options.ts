/** What the HTTP layer is given. Built in src/main. */
import type { WebhookSender } from "../ports/webhook-sender.ts";
import type { FastifyBaseLogger } from "fastify";
import type { Application } from "../app/application.ts";
import type { EvidenceSource } from "../app/evidence-parts.ts";
import type { TokenDesk } from "../app/token-desk.ts";
import type { Caller } from "./authorized.ts";
import type { Problem } from "./problem.ts";
import type { BrowserSettings } from "./session-cookie.ts";
import type { ServiceInfo } from "./service-info.ts";
import type { TokenVerifier } from "./token-verification/token-verifier.ts";

export interface ServerOptions {
  readonly app: Application;
  readonly verifier: TokenVerifier;
  readonly tokens: TokenDesk;
  /** Whose workload's token is this? Null when no registered provider issued it; absent where none can be registered. */
  readonly workloadCaller?: (token: string) => Promise<Caller | Problem | null>;
  /** Tokens are read without verifying; the routes of development mode exist (R-DEV). */
  readonly development: boolean;
  readonly service: ServiceInfo;
  readonly ledger: LedgerWatch;
  readonly secrets: SecretsWatch;
  /** Absent where no callbacks are sent. */
  readonly webhooks?: WebhookSender;
  /** Absent where the ledger is not given away. */
  readonly ledgerExport?: LedgerExport;
  readonly evidence: EvidenceSource;
  readonly events: CommitSignal;
  readonly access: AccessSettings;
  readonly browser: BrowserSettings;
  /** Whether terminals of the older kind may wait for their person (R-TERM-5). */
  readonly cliPolling: "same_address" | "off";
  /** Proxies whose X-Forwarded-For is believed (R-SESS-7), as CIDR ranges. */
  readonly trustedProxies: readonly string[];
  readonly limits: Limits;
  /** Whom `GET /v1/dev/people` offers; asked in development mode only. */
  readonly developmentPeople: readonly DevelopmentPerson[];
  /** The built console; null when it was not built. */
  readonly uiDirectory: string | null;
  readonly log: FastifyBaseLogger | false;
}

/** Whether the ledger verifies; while it does not, everything is read-only (docs/spec/ledger.md R-QUAR-1). */
export interface LedgerWatch {
  readonly quarantined: boolean;
  readonly finding: string | null;
}

/** Whether what is sealed can be opened (docs/spec/identity.md R-SEAL-4). */
export interface SecretsWatch {
  areReadable(): Promise<boolean>;
}

/** The ledger for whoever verifies it without trusting this server. */
export interface LedgerExport {
  /** Chunks of whole lines: every entry, then how many there were. */
  lines(): AsyncIterable<string>;
  /** The newest signed note; null before the first. */
  newestCheckpoint(): Promise<string | null>;
}

/** Wakes whoever waits for events, after a commit of this process. */
export interface CommitSignal {
  subscribe(listener: () => void): () => void;
}

export interface AccessSettings {
  /** Clients whose roles count besides the realm's (R-AUTH-23). */
  readonly roleClients: readonly string[];
  /** Claim → values that mark a machine, besides the known markers (R-AUTH-6). */
  readonly machineClaims: Readonly<Record<string, readonly string[]>>;
}

export interface Limits {
  /** Writes per caller and minute; 0 = no limit (R-API-7). */
  readonly perMinute: number;
  readonly streamsPerPerson: number;
  /** Of one credential at the deploy gate's API; absent = without limit. */
  readonly deploy?: { readonly perSecond: number; readonly burst: number };
}

export interface DevelopmentPerson {
  readonly assignee: string;
  readonly name: string | null;
  readonly roles: readonly ("AWE_ADMIN" | "AWE_VIEWER")[];
}

/** R-API-7; a body is read up to here and no further. */
export const BODY_BYTES_MAX = 1024 * 1024;
