/**
 * What became of calls whose outcome never arrived? The rack is asked until it tells, for an hour (docs/spec/deploy.md R-STATE-6); a build that
 * it never named is given up, so that another may be tried.
 */
import { GATE_VIEWER } from "./gate-viewer.ts";
import { isId } from "../../core/ids.ts";
import type { Actor } from "../../core/person.ts";
import type { DeployBuild, DeployPromote } from "../../gates/deploy/deploy-records.ts";
import { RackFault } from "../../gates/deploy/rack-fault.ts";
import { isJsonObject } from "../../core/json.ts";
import type { DeployApprovalRecord } from "../../ports/deploy-records.ts";
import type { Rack } from "../../ports/rack.ts";
import { recordsBy } from "../../ports/records.ts";
import type { Application } from "../application.ts";
import { memberActor } from "../identify.ts";
import { ledgerId } from "../ledger-names.ts";
import { machineActor } from "../machine-actor.ts";
import { approvalCommand } from "./approval-change.ts";
import { callEntry, type CallAbout, type CallApproval } from "./call-entry.ts";
import { withBuild } from "./record-build.ts";
import { recordPromote } from "./record-promote.ts";

const TOGETHER_MAX = 50;
/** Longer than a rack may take to answer a promote or a build: until then whoever sent it still waits. */
const FRESH_MS = 310_000;
/** After that an unknown promote counts as failed. */
const ASKED_MS = 60 * 60_000;

export interface Reconciling {
  /** Sent before this process began: nobody waits for its answer any more. */
  readonly startedAt: number;
}

/** Answers how many outcomes were found out. */
export async function reconcilePromotes(app: Application, { startedAt }: Reconciling): Promise<number> {
  const records = await app.reader.deployApprovalsInDoubt(TOGETHER_MAX);
  let found = 0;
  for (const record of records) {
    const own = app.forOrganization(record.orgId);
    const now = app.clock();
    const isAbandoned = (at: number): boolean => at < startedAt || now - at > FRESH_MS;
    const promote = record.promotes.find(({ outcome, startedAt: at }) => outcome === "pending" && isAbandoned(at));
    const build = record.builds.find(({ status, startedAt: at }) => status === "creating" && isAbandoned(at));
    if (promote !== undefined && (await settlePromote(own, record, promote))) found += 1;
    if (build !== undefined && (await giveUpBuild(own, record, build))) found += 1;
  }
  return found;
}

type Found = "deployed" | "failed" | null;

async function settlePromote(app: Application, record: DeployApprovalRecord, promote: DeployPromote): Promise<boolean> {
  const rack = app.deploy.racks.find(record.scope);
  const about = await aboutOf(app, record, "release.promote");
  if (about === null) return false;
  const isOver = app.clock() - promote.startedAt > ASKED_MS;
  const outcome = (rack === undefined ? null : await outcomeOn(rack, record, promote)) ?? (isOver ? "failed" : null);
  if (outcome === null) return false;
  const by =
    record.targetTokenId === null ? { personId: record.targetPersonId ?? "" } : { tokenId: record.targetTokenId };
  return recordPromote(app, {
    ...{
      approval: about.approval,
      attempt: promote.attempt,
      about: about.about,
      releaseId: promote.releaseId,
      outcome,
    },
    ...{ status: null, durationMs: app.clock() - promote.startedAt, admittedAt: promote.startedAt, by },
  });
}

/** Null: the rack does not tell yet. */
async function outcomeOn(rack: Rack, { app }: DeployApprovalRecord, { releaseId }: DeployPromote): Promise<Found> {
  try {
    const { status, json } = await rack.ask({ path: `/apps/${encodeURIComponent(app)}`, actor: GATE });
    if (status === 404) return "failed";
    if (status !== 200 || !isJsonObject(json)) return null;
    if (json["release"] === releaseId) return json["status"] === "updating" ? null : "deployed";
    return json["status"] === "updating" ? null : "failed";
  } catch (error) {
    if (error instanceof RackFault) return null;
    throw error;
  }
}

const GATE = { name: "countersign", email: "" } as const;

async function giveUpBuild(app: Application, record: DeployApprovalRecord, build: DeployBuild): Promise<boolean> {
  const about = await aboutOf(app, record, "build.create");
  if (about === null) return false;
  return app.store.submit(
    approvalCommand({
      ...{ name: "give_up_build", approval: about.approval, otherwise: false },
      change({ record: current }) {
        const gone = { id: null, status: "gone", release: "" };
        const changed = withBuild(
          current,
          ({ attempt, status }) => attempt === build.attempt && status === "creating",
          gone,
        );
        if (changed === current) return null;
        const entry = callEntry(app, "call_ended", about.about, { status: null, more: { code: "outcome_unknown" } });
        return { record: changed, entries: [entry], answer: true };
      },
    }),
  );
}

/** In the name of whoever sent it. */
async function aboutOf(
  app: Application,
  record: DeployApprovalRecord,
  action: "release.promote" | "build.create",
): Promise<{ readonly approval: CallApproval; readonly about: CallAbout } | null> {
  const actor = await senderOf(app, record);
  const request = isId<"request">(record.requestId)
    ? await app.reader.request(record.requestId, GATE_VIEWER)
    : undefined;
  if (actor === null || request === undefined) return null;
  const approval = { id: record.id, requestId: request.id, digest: request.digest };
  const route = action === "release.promote" ? "/apps/{app}/releases/{id}/promote" : "/apps/{app}/builds";
  const about: CallAbout = {
    ...{ orgId: app.orgId, actor, credentialKind: actor.machine ? "api_token" : "cli_session", scope: record.scope },
    ...{ app: record.app, action, method: "POST", route, names: {}, address: "", userAgent: null },
    ...{ requestId: app.newId(), approval },
  };
  return { approval, about };
}

async function senderOf(
  app: Application,
  { targetTokenId, targetPersonId }: DeployApprovalRecord,
): Promise<Actor | null> {
  if (targetTokenId === null) {
    const [person] = await app.reader.records(
      recordsBy("person", "id", targetPersonId === null ? [] : [targetPersonId]),
    );
    const member = person === undefined ? undefined : await app.reader.person(person.id);
    return member === undefined ? null : { ...memberActor(member, ""), credential: null };
  }
  const token = await app.reader.token(targetTokenId);
  if (token === undefined) return null;
  return machineActor(token.machine, { permissions: [], credential: ledgerId("tok", targetTokenId) });
}
