/** What became of a build under an approval, as the rack itself tells it (docs/spec/deploy.md R-BIND-8, R-BIND-9). */
import type { DeployBuild, DeployBuildStatus } from "../../gates/deploy/deploy-records.ts";
import type { RackBuild } from "../../gates/deploy/gated-facts.ts";
import type { Application } from "../application.ts";
import { approvalCommand } from "./approval-change.ts";
import { callEntry, type CallAbout, type CallApproval } from "./call-entry.ts";

export interface BuildAnswer {
  readonly approval: CallApproval;
  readonly attempt: number;
  readonly about: CallAbout;
  /** Of the rack's answer; null where there was none. */
  readonly status: number | null;
  /** Null where the rack refused, or said nothing that can be read. */
  readonly build: RackBuild | null;
  /** The rack may have created one whose answer is lost; then nobody says yet that there is none. */
  readonly isUnknown: boolean;
  readonly durationMs: number;
}

export function recordBuildAnswer(app: Application, answer: BuildAnswer): Promise<null> {
  const { approval, attempt, about, status, build, isUnknown, durationMs } = answer;
  return app.store.submit(
    approvalCommand({
      ...{ name: "record_build", approval, answer: null, otherwise: null },
      change({ record }) {
        const kinds = build === null ? (["call_ended"] as const) : (["call_ended", "build_created"] as const);
        const figures = { status, durationMs, build: build?.id ?? null, release: released(build?.release ?? "") };
        const found = build ?? (isUnknown ? null : REFUSED);
        const changed = found === null ? record : withBuild(record, (one) => one.attempt === attempt, found);
        return { record: changed, entries: kinds.map((kind) => callEntry(app, kind, about, figures)), answer: null };
      },
    }),
  );
}

const REFUSED = { id: null, status: "failed", release: "" } as const;

/** Somebody was shown the build: what it says now is remembered. Nothing is written where nothing is new. */
export function recordBuildSeen(
  app: Application,
  {
    approval,
    about,
    build,
    durationMs,
  }: {
    readonly approval: CallApproval;
    readonly about: CallAbout;
    readonly build: RackBuild;
    readonly durationMs: number;
  },
): Promise<boolean> {
  return app.store.submit(
    approvalCommand({
      ...{ name: "record_build_seen", approval, otherwise: false },
      change({ record }) {
        const changed = withBuild(record, ({ id }) => id === build.id, build);
        if (changed === record) return null;
        const figures = { status: 200, durationMs, build: build.id, release: released(build.release) };
        const entry = callEntry(app, "call_read", about, figures);
        return { record: changed, entries: [entry], answer: true };
      },
    }),
  );
}

interface Found {
  readonly id: string | null;
  readonly status: string;
  readonly release: string;
}

/** The same record where nothing is new. A release that was told once stays. */
export function withBuild<Kept extends { readonly builds: readonly DeployBuild[]; readonly releaseId: string | null }>(
  record: Kept,
  isMeant: (build: DeployBuild) => boolean,
  found: Found,
): Kept {
  const before = record.builds.find(isMeant);
  if (before === undefined) return record;
  const after: DeployBuild = {
    ...before,
    id: before.id ?? found.id,
    status: statusOf(found.status) ?? before.status,
    releaseId: before.releaseId ?? released(found.release),
  };
  if (after.id === before.id && after.status === before.status && after.releaseId === before.releaseId) return record;
  const builds = record.builds.map((build) => (build === before ? after : build));
  return { ...record, builds, releaseId: after.releaseId ?? record.releaseId };
}

function released(release: string): string | null {
  return release === "" ? null : release;
}

const STATUSES: readonly DeployBuildStatus[] = ["created", "running", "complete", "failed", "gone"];

function statusOf(text: string): DeployBuildStatus | null {
  return STATUSES.find((status) => status === text) ?? null;
}
