/**
 * What is known when a gated call is judged, and what the judgement may be. Values only: whoever judges asks nobody. The words
 * of docs/spec/deploy.md section 4.
 */
import type { Instant } from "../../core/person.ts";
import type { DeployRefusal } from "./deploy-refusal.ts";
import type { ApprovedBuildForm } from "./build-form.ts";
import type { DeployApproval, DeployBuild, DeployObject } from "./deploy-records.ts";
import { deployStatus, mayFinish } from "./deploy-status.ts";
import type { HeaderPair, RackHeaders } from "./rack-headers.ts";
import type { GatedAction } from "./rack-routes.ts";

export interface GatedCall {
  readonly action: GatedAction;
  /** Of the matched route. */
  readonly params: Readonly<Record<string, string>>;
  readonly isSocket: boolean;
  readonly headers: RackHeaders;
  /** Text of the body; "" for an upload, whose archive is judged while it streams. */
  readonly body: string;
}

/** Whose credential it is: a token by its public id, or a person (deploy R-REQ-15). */
export type GatedCaller = { readonly tokenId: string } | { readonly personId: string };

/** What an app's settings say about calls under approval. */
export interface GatedSettings {
  readonly approvedManifests: readonly string[];
  readonly approvedBuildArgs: readonly string[];
  readonly approvedDeployCommands: readonly string[];
  readonly maxBuildAttempts: number;
}

/** A build or a release as the rack tells it. */
export interface RackBuild {
  readonly id: string;
  readonly status: string;
  readonly release: string;
  readonly gitSha: string;
  readonly manifest: string;
}

export interface RackRelease {
  readonly id: string;
  readonly build: string;
}

/** Null: not asked yet. `gone`: the rack knows none. `silent`: it did not answer. */
export interface RackAnswers {
  readonly build: RackBuild | "gone" | "silent" | null;
  readonly release: RackRelease | "gone" | "silent" | null;
}

export interface GatedFacts {
  /** When the call's headers were accepted (deploy R-EXPIRY-3). */
  readonly now: Instant;
  readonly scope: string;
  readonly caller: GatedCaller;
  /** Requests for this caller in this scope, newest first: at least the live, those of the last hours and the newest per app. */
  readonly approvals: readonly DeployApproval[];
  /** Object records of the app: those that the call names and those that the approvals' builds were made from. */
  readonly objects: readonly DeployObject[];
  readonly settings: GatedSettings;
  readonly answers: RackAnswers;
  /** Where a person finds a request. */
  readonly requestLink: (approvalId: string) => string;
}

/** What is carried through the whole call; no second look-up decides anything (deploy R-BIND-3). */
export type GatedPermit =
  | {
      readonly action: "object_create";
      readonly key: string;
      /** Those whose archive it can be; which one is told by admitArchive, once its content is known. */
      readonly approvals: readonly DeployApproval[];
    }
  | {
      readonly action: "build_create";
      readonly approval: DeployApproval;
      readonly object: DeployObject;
      readonly form: ApprovedBuildForm;
      readonly body: string;
      readonly attempt: number;
    }
  | {
      readonly action: "build_read" | "build_logs" | "release_read" | "process_terminate";
      readonly approval: DeployApproval;
    }
  | {
      readonly action: "process_start" | "process_exec";
      readonly approval: DeployApproval;
      readonly command: string;
      /** In place of the options that the client sent. */
      readonly options: readonly HeaderPair[];
    }
  | {
      readonly action: "release_promote";
      readonly approval: DeployApproval;
      readonly build: DeployBuild;
      readonly releaseId: string;
      readonly body: string;
      readonly attempt: number;
    };

/** What the rack has to be asked before anything can be said; ask, fill in `answers`, judge again. */
export interface RackQuestion {
  readonly kind: "build" | "release";
  readonly id: string;
}

export type GatedVerdict =
  { readonly permit: GatedPermit } | { readonly ask: RackQuestion } | { readonly refusal: DeployRefusal };

/** A parameter of the route; "" where it has none of that name, which nothing on record is called. */
export function paramOf({ params }: Pick<GatedCall, "params">, name: "app" | "id" | "name" | "pid"): string {
  return params[name] ?? "";
}

/** The requests of this caller for the app of the call; those of others are nobody's business here. */
export function approvalsOfCall(call: GatedCall, facts: GatedFacts): readonly DeployApproval[] {
  const named = paramOf(call, "app");
  return approvalsOfCaller(facts).filter(({ app }) => app === named);
}

export function approvalsOfCaller({ approvals, scope, caller }: GatedFacts): readonly DeployApproval[] {
  return approvals.filter((approval) => approval.scope === scope && isFor(approval, caller));
}

function isFor(approval: DeployApproval, caller: GatedCaller): boolean {
  return "tokenId" in caller
    ? approval.targetTokenId === caller.tokenId
    : approval.targetTokenId === null && approval.targetPersonId === caller.personId;
}

/** Approved, and not expired, at the instant of the call. */
export function liveApprovals(call: GatedCall, facts: GatedFacts): readonly DeployApproval[] {
  return approvalsOfCall(call, facts).filter(({ standing }) => deployStatus(standing, facts.now) === "approved");
}

/** Approved, or ended less than an hour ago: enough to look and to clean up (deploy R-STATE-8). */
export function finishableApprovals(call: GatedCall, facts: GatedFacts): readonly DeployApproval[] {
  return approvalsOfCall(call, facts).filter(({ standing }) => mayFinish(standing, facts.now));
}

export function latestBuild({ builds }: DeployApproval): DeployBuild | undefined {
  return builds.toSorted((one, other) => one.attempt - other.attempt).at(-1);
}
