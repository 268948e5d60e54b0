/** What the pages of the deploy gate show (docs/spec/deploy.md sections 2.2 and 11.1), each in a constant number of statements. */
import type { PersonId, RequestId, TaskId } from "../core/ids.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { Instant } from "../core/person.ts";
import type { Request } from "../core/request.ts";
import type { DeployStatus } from "../gates/deploy/deploy-status.ts";
import type { DeployApprovalRecord } from "./deploy-records.ts";
import type { EffectRecord } from "./effects.ts";
import type { Page } from "./page.ts";

/** Who asks: whoever does not read all sees what concerns them (docs/spec/deploy.md R-WIRE-2). */
export interface DeployViewer {
  readonly readsAll: boolean;
  readonly personId: PersonId | null;
  /** The calling token. */
  readonly tokenId: string | null;
}

export interface DeployFilter {
  /** Any of these; absent is every one. */
  readonly statuses?: readonly DeployStatus[];
  readonly branch?: string;
  /** Lower-case hex. */
  readonly commitPrefix?: string;
  readonly app?: string;
  readonly scope?: string;
  /** Literal text, any case, in message, branch, app and names. */
  readonly q?: string;
  /** When it was asked: from `since` on, before `until`. */
  readonly since?: Instant;
  readonly until?: Instant;
  readonly now: Instant;
  readonly limit: number;
  readonly offset?: number;
  readonly cursor?: string;
}

/** A person as the wire names them. */
export interface DeployPerson {
  readonly id: PersonId;
  readonly number: number;
  readonly assignee: string;
  readonly name: string | null;
  readonly email: string | null;
}

export interface DeployToken {
  readonly id: string;
  readonly number: number;
  readonly name: string;
  readonly owners: readonly PersonId[];
  /** Of a service account, which nobody owns. */
  readonly contactId: PersonId | null;
}

/** How a request ended, as its events tell. */
export interface DeployEnd {
  readonly type: "request_cancelled" | "request_rejected" | "grant_revoked";
  readonly at: Instant;
  /** Assignee name of whoever did it; null where the engine did. */
  readonly actorId: string | null;
}

/** All that the object on the wire is made of. */
export interface DeployApprovalView {
  readonly record: DeployApprovalRecord;
  readonly request: Request;
  /** The pinned policy's document. */
  readonly policy: JsonObject;
  readonly end: DeployEnd | null;
  /** In the order in which they were decided. */
  readonly effects: readonly EffectRecord[];
  /** Of the latest accepted upload. */
  readonly objectSha256: string | null;
  readonly people: readonly DeployPerson[];
  readonly tokens: readonly DeployToken[];
}

/** One entry of the ledger about a request, with who did it as the database knows them. */
export interface DeployEntry {
  readonly seq: number;
  readonly text: string;
  /** Base64 of its chain hash and of the one before. */
  readonly hash: string;
  readonly previousHash: string;
  /** Path in the entry → what is committed to there; gone where it was erased. */
  readonly openings: Readonly<Record<string, JsonValue>>;
  readonly actor: DeployPerson | null;
  readonly token: string | null;
}

export interface DeployReader {
  /** Undefined when it is unknown or not the viewer's to see. */
  deployApproval(id: string, viewer: DeployViewer): Promise<DeployApprovalView | undefined>;
  /** Newest first. */
  deployApprovals(filter: DeployFilter, viewer: DeployViewer): Promise<Page<DeployApprovalView>>;
  /** The version on the wire, for whoever waits; undefined like the request itself. */
  deployVersion(id: string, viewer: DeployViewer): Promise<number | undefined>;
  deployApprovalOfTask(id: TaskId): Promise<DeployApprovalRecord | undefined>;
  /** Ids of tokens that go by this name or number, newest first. */
  tokensNamed(nameOrNumber: string): Promise<readonly string[]>;
  /** How many requests of this machine wait or are approved. */
  openDeployApprovals(machineId: string): Promise<number>;
  /** Commit of the newest deployment. */
  lastDeployed(scope: string, app: string): Promise<string | null>;
  /** The Git identities among these, by address or account, that belong to people here; folded as the engine folds names. */
  knownNames(folded: readonly string[]): Promise<ReadonlySet<string>>;
  deployEntries(
    id: RequestId,
    part: { readonly limit: number; readonly offset: number },
  ): Promise<{ readonly entries: readonly DeployEntry[]; readonly total: number }>;
}
