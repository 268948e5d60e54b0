/**
 * Tells the CI of an app what became of a deploy approval: lets the waiting runs go on, or says that they will not. An unblock is
 * looked at against the grant right before it is sent, and never sent for an approval that has ended (docs/spec/deploy.md R-CI-1, R-CI-5).
 */
import type { JsonObject } from "../../../core/json.ts";
import { ciEffectOf, isCiProvider, type CiSettings, type ClosingOutcome } from "../../../gates/deploy/ci-outcome.ts";
import type { DeployStatus } from "../../../gates/deploy/deploy-status.ts";
import type { EffectResult } from "../../../gates/deploy/effect-result.ts";
import { permanent, retry } from "../../../gates/deploy/effect-result.ts";
import type { CiProvider, CiRequest } from "../../../ports/ci-provider.ts";
import type { DeployApprovalView } from "../../../ports/deploy-reader.ts";
import type { EffectHandler, EffectOutcome, EffectRecord } from "../../../ports/effects.ts";
import type { Application } from "../../application.ts";
import { ciSettingsOf } from "../app-repository.ts";
import { approvalStory } from "./approval-story.ts";
import { deploySubject, eventOf, isSubject, statusNow, type DeploySubject } from "./deploy-subject.ts";
import { effectOutcome, notConfigured, withdrawn } from "./effect-outcome.ts";
import { recordCiProblems, recordUnblocked, type UnblockedRun } from "./record-ci.ts";

export interface WorkCiParts {
  readonly app: Application;
  /** The request as its API shows it, for receivers of webhooks. */
  readonly object: (app: Application, view: DeployApprovalView) => JsonObject;
}

const UNAVAILABLE = "ci_unavailable";
const ENDED = permanent("approval_ended", "the approval has ended: nothing was unblocked");

export function workCi(parts: WorkCiParts): EffectHandler {
  return async (effect) => {
    const subject = await deploySubject(parts.app, effect);
    if (!isSubject(subject)) return subject;
    const runs = ciRuns(parts, effect, subject);
    if ("kind" in runs) return runs;
    const { status } = subject;
    switch (eventOf(effect)) {
      case "created":
        return verify(subject, runs);
      case "approved":
      case "ci_joined":
        return status === "approved" ? unblock(subject, runs) : withdrawn("approval_ended", endedSentence(status));
      default:
        return isClosed(status) ? close(runs, status) : withdrawn("approval_live", "The approval still stands");
    }
  };
}

interface CiRun {
  readonly run: number;
  readonly request: CiRequest;
}

interface CiRuns {
  readonly provider: CiProvider;
  readonly settings: CiSettings;
  /** The run that asked (0), and those that joined it. */
  readonly runs: readonly CiRun[];
}

function ciRuns(parts: WorkCiParts, effect: EffectRecord, subject: DeploySubject): CiRuns | EffectOutcome {
  const { app, view, settings: resolved } = subject;
  const { record } = view;
  const settings = ciSettingsOf(resolved.app);
  if (!isCiProvider(settings.provider)) return notConfigured(`No CI '${settings.provider}' is known here`);
  const provider = app.deploy.ci(settings.provider);
  if (provider === null) return notConfigured(`The server has no credential for ${settings.provider}`);
  const { joined } = effect.payload;
  const known = [record.ciMetadata, ...record.ciJoined].map((metadata, run) => ({ run, metadata }));
  // A receiver of webhooks knows itself what waits, and needs no name for it.
  const named = settings.provider === "webhook" ? known : known.filter(({ metadata }) => metadata !== null);
  const runs = typeof joined === "number" ? named.filter(({ run }) => run === joined + 1) : named;
  if (runs.length === 0) return notConfigured("The request names no CI run");
  const shared = {
    ...{ scope: record.scope, app: record.app, commit: record.commit, settings, effectId: effect.id },
    ...{ comment: commentOf(subject), object: parts.object(app, view) },
    lastLook: async () => ((await statusNow(subject)) === "approved" ? null : ENDED),
  };
  return { provider, settings, runs: runs.map(({ run, metadata }) => ({ run, request: { ...shared, metadata } })) };
}

/** Problems that only the provider can tell, found while somebody can still mend them (R-CI-2). */
async function verify(subject: DeploySubject, { provider, settings, runs }: CiRuns): Promise<EffectOutcome> {
  if (ciEffectOf("approved", settings) === null) return notConfigured("No CI is told of approvals of this app");
  const [first] = runs;
  if (first === undefined) return notConfigured("The request names no CI run");
  const found = await provider.verify(first.request);
  if (found.kind === "unknown") {
    return by(settings.provider, effectOutcome(retry(found.why, found.retryAfterSeconds), UNAVAILABLE));
  }
  if (found.kind === "matches") return { kind: "done", result: { status: found.status } };
  await recordCiProblems(subject, found.problems);
  return { kind: "done", result: { problems: found.problems.map(({ code }) => code) } };
}

async function unblock(subject: DeploySubject, { provider, settings, runs }: CiRuns): Promise<EffectOutcome> {
  if (ciEffectOf("approved", settings) === null) return notConfigured("CI is not told of approvals of this app");
  const results: EffectResult[] = [];
  const unblocked: UnblockedRun[] = [];
  for (const { run, request } of runs) {
    const result = await provider.unblock(request);
    results.push(result);
    if (result.result === "done") unblocked.push({ run, told: result.record });
  }
  if (unblocked.length > 0) await recordUnblocked(subject, settings.provider, unblocked);
  return together(results, settings);
}

async function close({ provider, settings, runs }: CiRuns, outcome: ClosingOutcome): Promise<EffectOutcome> {
  if (ciEffectOf(outcome, settings) !== "close") return notConfigured("CI is not told of this end for this app");
  const results: EffectResult[] = [];
  for (const { request } of runs) results.push(await provider.close(request, outcome));
  return together(results, settings);
}

/** All of them, or what is to be done about those that are missing. */
function together(results: readonly EffectResult[], { provider }: CiSettings): EffectOutcome {
  const missing =
    results.find(({ result }) => result === "retry") ?? results.find(({ result }) => result === "permanent");
  if (missing !== undefined) return by(provider, effectOutcome(missing, UNAVAILABLE));
  return { kind: "done", result: { runs: results.flatMap((one) => (one.result === "done" ? [one.record] : [])) } };
}

/** Whoever reads the log looks for the CI by its name (R-CI-4). */
function by(provider: string, outcome: EffectOutcome): EffectOutcome {
  return outcome.kind === "done" ? outcome : { ...outcome, error: { ...outcome.error, detail: { provider } } };
}

function isClosed(status: DeployStatus): status is ClosingOutcome {
  return status !== "pending" && status !== "approved";
}

function endedSentence(status: DeployStatus): string {
  return `The approval is ${status}: nothing was unblocked`;
}

const COMMENT_MAX = 500;

function commentOf(subject: DeploySubject): string {
  const { status, by } = approvalStory(subject);
  const who = by === null ? "" : ` by ${by}`;
  return `Deploy approval ${status}${who}: ${subject.link}`.slice(0, COMMENT_MAX);
}
