/**
 * What the deploy gate asks of a CI: to describe the run that waits, to let it go on, and to tell it that it will not. Calls are effects
 * of the outbox: idempotent, repeated until they are done or permanent. Implements docs/spec/deploy.md R-CI-1.
 */
import type { JsonObject } from "../core/json.ts";
import type { CiProblem } from "../gates/deploy/ci-metadata.ts";
import type { CiObstacle } from "../gates/deploy/ci-problems.ts";
import type { CiSettings, ClosingOutcome } from "../gates/deploy/ci-outcome.ts";
import type { EffectResult } from "../gates/deploy/effect-result.ts";

/** One run of a request; a further run that joined it (R-REQ-4) is a call of its own with that run's metadata. */
export interface CiRequest {
  readonly scope: string;
  readonly app: string;
  /** The approved commit, full. */
  readonly commit: string;
  readonly metadata: JsonObject | null;
  readonly settings: CiSettings;
  /** Shown at the provider: who decided, and where it can be read. */
  readonly comment: string;
  /** Id of the effect, the same for every attempt. */
  readonly effectId: string;
  /** The request as it is on the wire, for receivers of webhooks. */
  readonly object: JsonObject;
  /** Asked as the last thing before a run is let go on: null, or what is answered instead, since the approval has ended (R-CI-1). */
  readonly lastLook?: () => Promise<EffectResult | null>;
}

export interface CiDescription {
  readonly ready: boolean;
  readonly problems: readonly CiProblem[];
  readonly url: string | null;
}

/** It matches when the run exists and belongs to this app and commit; `status` is the provider's word for where it is. */
export type CiVerification = { readonly kind: "matches"; readonly status: string } | CiObstacle;

export interface CiProvider {
  /** From what was sent and what is set; calls nobody. */
  describe(metadata: JsonObject | null, settings: CiSettings): CiDescription;
  /** Asks the provider, and changes nothing there. */
  verify(request: CiRequest): Promise<CiVerification>;
  unblock(request: CiRequest): Promise<EffectResult>;
  close(request: CiRequest, outcome: ClosingOutcome): Promise<EffectResult>;
  /** A word on a run about which nobody here decides: it waits on (R-CI-9). */
  readonly remark?: (run: UndecidedRun) => Promise<EffectResult>;
  /** Asks whose credential it is, where the provider can say (R-CI-6). */
  readonly testToken?: () => Promise<TokenTest>;
}

/** A run that no app's settings name. */
export interface UndecidedRun {
  /** `owner/repo`, as the provider itself said. */
  readonly repo: string;
  readonly metadata: JsonObject;
  readonly comment: string;
}

/** Whose credential is it (R-CI-6)? */
export type TokenTest =
  { readonly valid: true; readonly login: string } | { readonly valid: false; readonly why: string };
