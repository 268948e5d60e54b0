/** What the worker found out at a CI, written where the request keeps it, with its entry (docs/spec/deploy.md R-CI-2, R-CI-4 step 5). */
import type { JsonObject } from "../../../core/json.ts";
import type { CiProblem } from "../../../gates/deploy/ci-metadata.ts";
import type { DescribedEntry } from "../../../ports/change-set.ts";
import { describe, hidden } from "../../entry-writer.ts";
import { ledgerId } from "../../ledger-names.ts";
import { approvalCommand } from "../approval-change.ts";
import type { CallApproval } from "../call-entry.ts";
import type { DeploySubject } from "./deploy-subject.ts";

export interface UnblockedRun {
  /** 0 is the request's own. */
  readonly run: number;
  /** By the provider: who approved it, where it is. */
  readonly told: JsonObject;
}

/** Once per run: an unblock whose answer was lost is found done, and told the second time only if it was not yet. */
export async function recordUnblocked(
  subject: DeploySubject,
  provider: string,
  runs: readonly UnblockedRun[],
): Promise<void> {
  const { app } = subject;
  await app.store.submit(
    approvalCommand<null>({
      ...{ name: "record_ci_unblocked", approval: linkOf(subject), otherwise: null },
      change({ record }) {
        const known = record.ci.unblocked ?? [];
        const fresh = runs.filter(({ run }) => !known.includes(run));
        if (fresh.length === 0) return null;
        const unblocked = [...known, ...fresh.map(({ run }) => run)].toSorted((one, other) => one - other);
        const facts = { action: "ci.unblock", provider, runs: fresh.map(({ run, told }) => ({ run, ...told })) };
        return {
          ...{ record: { ...record, ci: { ...record.ci, unblocked } }, answer: null },
          entries: [workerEntry(subject, "deploy.ci_unblocked", facts)],
        };
      },
    }),
  );
}

export async function recordCiProblems(subject: DeploySubject, problems: readonly CiProblem[]): Promise<void> {
  const { app } = subject;
  await app.store.submit(
    approvalCommand<null>({
      ...{ name: "record_ci_problems", approval: linkOf(subject), otherwise: null },
      change({ record }) {
        const fresh = problems.filter(({ code }) => !record.ci.problems.some((known) => known.code === code));
        if (fresh.length === 0) return null;
        const isTold = record.warnings.some(({ code }) => code === NOT_READY);
        const message = fresh.map((problem) => problem.message).join("; ");
        const warnings = isTold ? record.warnings : [...record.warnings, { code: NOT_READY, message }];
        const ci = { ...record.ci, ready: false, problems: [...record.ci.problems, ...fresh] };
        const facts = { action: "ci.verify", problems: fresh.map(({ code }) => code) };
        return {
          ...{ record: { ...record, ci, warnings }, answer: null },
          entries: [workerEntry(subject, "deploy.call_ended", facts)],
        };
      },
    }),
  );
}

const NOT_READY = "ci_not_ready";

/** The request as commands on its record name it. */
export function linkOf({ view }: Pick<DeploySubject, "view">): CallApproval {
  return { id: view.record.id, requestId: view.request.id, digest: view.request.digest };
}

type WorkerKind = "deploy.ci_unblocked" | "deploy.call_ended";

/** The server itself did it, outside of any call. */
export function workerEntry(subject: DeploySubject, kind: WorkerKind, facts: JsonObject): DescribedEntry {
  const { app, view } = subject;
  const { record, request } = view;
  const about = { scope: record.scope, app: record.app, deploy_approval_request_id: record.id };
  return describe(
    {
      ...{ org: ledgerId("org", record.orgId), kind, actor: "sys_worker", credential: null },
      resource: { digest: request.digest, gate: "deploy" },
      request: ledgerId("req", request.id),
      data: { app: hidden(record.app), ctx: hidden({ ...about, ...facts }) },
    },
    app,
  );
}
