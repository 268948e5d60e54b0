/**
 * The transaction that makes a deploy approval: at most one lives per scope, app, commit and token, older ones of the branch make
 * room, and nothing is made that nobody could approve. Implements docs/spec/deploy.md R-REQ-4, R-REQ-5, R-REQ-8 and R-REQ-11.
 */
import { createRequest, type NewRequest } from "../../core/create-request.ts";
import { decide, type Command, type Outcome } from "../../core/decide.ts";
import { evaluateGroup } from "../../core/evaluate-group.ts";
import { expressionData, factsNeeded, factsNeededLater, type Facts, type FactsNeeded } from "../../core/facts.ts";
import { stageGroups } from "../../core/groups.ts";
import type { RequestId } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import { isRefusal, type Refusal } from "../../core/refusal.ts";
import { isLive, type Exclusion, type Request } from "../../core/request.ts";
import type { Step } from "../../core/step.ts";
import { metadataText } from "../../gates/deploy/ci-metadata.ts";
import { DEPLOY_ARTIFACT } from "../../gates/deploy/default-policy.ts";
import { deployStatus, isTerminal } from "../../gates/deploy/deploy-status.ts";
import { deployBoundPayload } from "../../gates/deploy/bound-payload.ts";
import {
  approvalExists,
  approvalsDisabled,
  noEligibleApprover,
  policyUnavailable,
  targetTokenUnsuitable,
} from "../../gates/deploy/request-refusals.ts";
import type { ChangeSet, CompiledPolicy } from "../../ports/change-set.ts";
import type { Carried, LiveKeys, StoreCommand, World } from "../../ports/command-store.ts";
import type { DeployApprovalRecord } from "../../ports/deploy-records.ts";
import { recordsBy } from "../../ports/records.ts";
import type { Application } from "../application.ts";
import { digestOf } from "../digest.ts";
import { newEffect } from "../effects/new-effect.ts";
import { describe, hidden } from "../entry-writer.ts";
import { base64url, ledgerActor, ledgerId } from "../ledger-names.ts";
import { NO_CHANGE } from "../no-change.ts";
import { joinedChanges } from "../person-changes.ts";
import { recordRequest } from "../record-request.ts";
import { requestPage } from "../request-page.ts";
import { excludedPeople } from "./approval-exclusions.ts";
import { approvalStanding } from "./approval-standing.ts";
import { callingToken } from "./deploy-caller.ts";
import { artifactOf, contextOf, liveKeyOf, recordOf, warning, type AskedDeploy } from "./new-deploy-approval.ts";
import { refusedByGate } from "./refused-by-gate.ts";
import type { DeployAppSettings } from "./settings-desk.ts";
import { targetGone, targetKey, targetNeeds } from "./target-token.ts";

export interface DeployCreated {
  readonly id: RequestId;
}

const SALT_BYTES = 16;

export function creationCommand(app: Application, asked: AskedDeploy): StoreCommand<DeployCreated | Refusal> {
  const { scope, members, known, target, settings } = asked;
  const keys: LiveKeys = { startsWith: `deploy:${scope}/${members.app}@`, endsWith: `#${targetKey(target)}` };
  const making: Making = { app, asked, keys, salt: base64url(app.random(SALT_BYTES)) };
  const policyKey = settings.app.deployPolicy.value;
  return {
    name: "create_deploy_approval",
    needs: {
      activePolicyKeys: [policyKey],
      liveKeys: [keys],
      approvalsOfLiveKeys: [keys],
      records: [
        app.deploy.settings.needs(app),
        recordsBy("deployApproval", "commit", [known.commit]),
        ...targetNeeds(target),
      ],
    },
    gather: (world) => gathered(making, world, policyKey),
    carryOut: (world, facts) => carryOut(making, world, facts),
  };
}

interface Making {
  readonly app: Application;
  readonly asked: AskedDeploy;
  readonly keys: LiveKeys;
  readonly salt: string;
}

function gathered({ app, asked, keys, salt }: Making, world: World, policyKey: string): FactsNeeded {
  const active = world.activePolicy(policyKey);
  const id = world.newId<"request">();
  const later = world
    .requestsWithLiveKey(keys)
    .map((request) => factsNeededLater(world.pinnedPolicy(request).policy, request, world.now + 1_000));
  const own =
    active === undefined
      ? []
      : [
          factsNeeded(
            active.policy.stages,
            expressionData(subjectOf({ app, asked, keys, salt }, world, { id, active })),
          ),
        ];
  const all = [...own, ...later];
  return { names: all.flatMap(({ names }) => names), lookups: all.flatMap(({ lookups }) => lookups) };
}

/** As much of the request as expressions see, before it exists. */
function subjectOf(
  making: Making,
  world: World,
  { id, active }: { readonly id: RequestId; readonly active: CompiledPolicy },
): Parameters<typeof expressionData>[0] {
  const made = newRequest(making, world, { id, active, settings: making.asked.settings });
  const { actor } = made;
  return {
    ...{ requester: actor.assignee, artifactType: made.artifactType, artifactId: made.artifactId, revision: 1 },
    creator: {
      ...{ issuer: actor.issuer, subject: actor.subject, clientId: actor.clientId, assignee: actor.assignee },
      ...{ personId: actor.person?.id ?? null, machine: actor.machine, standsFor: actor.standsFor },
    },
    policy: pinOf(active),
    context: made.context,
  };
}

function pinOf({ version }: CompiledPolicy): Request["policy"] {
  return { id: version.id, key: version.key, version: version.version, digest: version.digest };
}

const HOUR_MINUTES = 60;

function newRequest(
  { app, asked, salt }: Making,
  world: World,
  about: { readonly id: RequestId; readonly active: CompiledPolicy; readonly settings: DeployAppSettings },
): NewRequest {
  const { id, active, settings } = about;
  const { actor } = asked.caller;
  const most = active.policy.requestTtlHours;
  const asks = settings.app.pendingTtlMinutes.value;
  const bound = {
    ...{ artifactType: DEPLOY_ARTIFACT, artifactId: artifactOf(asked), requester: actor.assignee, revision: 1, salt },
    ...{ context: contextOf(app, asked, world.now), policy: active.version },
  };
  return {
    ...{ id, orgId: app.orgId, gate: "deploy", liveKey: liveKeyOf(asked), actor, requester: null, salt },
    ...{ artifactType: bound.artifactType, artifactId: bound.artifactId, context: bound.context },
    expiresInHours: null,
    expiresInMinutes: most === null ? asks : Math.min(asks, most * HOUR_MINUTES),
    digest: digestOf(deployBoundPayload(bound), app.sha256),
  };
}

function carryOut(making: Making, world: World, facts: Facts): Carried<DeployCreated | Refusal> {
  const { app, asked } = making;
  const settings = app.deploy.settings.at(world, app, { scope: asked.scope, app: asked.members.app });
  if (!settings.global.deployApprovalsEnabled.value) return no(refusedByGate(approvalsDisabled()));
  if (targetGone(asked.target, world)) return no(refusedByGate(targetTokenUnsuitable()));
  const found = world.requestsWithLiveKey(making.keys).map((request) => ticked(app, world, facts, request));
  const expired = found.flatMap(({ changes }) => changes);
  const live = found.map(({ outcome }) => outcome.request).filter((request) => isStillLive(request, world.now));
  const same = live.find(({ liveKey }) => liveKey === liveKeyOf(asked));
  if (same !== undefined) return existing(making, world, same, joinedChanges(expired));
  const active = world.activePolicy(settings.app.deployPolicy.value);
  if (active === undefined) return no(refusedByGate(policyUnavailable(settings.app.deployPolicy.value)));
  const id = world.newId<"request">();
  const step = begun(making, world, { id, active, settings, facts });
  if (isRefusal(step)) return no(step);
  const actor = asked.caller.actor;
  const made = recordRequest(
    { before: null, after: step.request, events: step.events, actor, newId: world.newId },
    app,
  );
  const record = withApprovers(recordOf(app, asked, id, world.now), step.request);
  const older = settings.app.supersedePending.value ? live.filter((request) => makesRoom(asked, request)) : [];
  const superseded = older.map((request) => supersededBy(app, world, facts, { request, id, actor }));
  const entries = [...made.entries, ...digestEntries(app, asked, step.request)];
  const own: ChangeSet = { ...made, entries, records: { ...made.records, deployApproval: [record] } };
  return { answer: { id }, changes: joinedChanges([...expired, ...superseded, own]) };
}

/** What the images of the committed manifest led to when it was asked for (R-IMAGE-8). */
function digestEntries(
  app: Application,
  { images, scope, members, caller }: AskedDeploy,
  request: Request,
): ChangeSet["entries"] {
  const resolved = images.filter(({ built }) => built !== true);
  if (resolved.length === 0) return [];
  const { actor } = caller;
  const told = resolved.map(({ key, image, digest }) => ({ service: key, image, digest }));
  const frame = {
    ...{ org: ledgerId("org", request.orgId), kind: "deploy.images_resolved", actor: ledgerActor(actor, app.sha256) },
    ...{ credential: actor.credential, resource: { digest: request.digest, gate: request.gate } },
    ...{
      request: ledgerId("req", request.id),
      data: { app: hidden(members.app), ctx: hidden({ scope, images: told }) },
    },
  } as const;
  return [describe(frame, app)];
}

function no(refusal: Refusal): Carried<Refusal> {
  return { answer: refusal, changes: NO_CHANGE };
}

/** As long as its grant may still be used it holds the key. */
function isStillLive(request: Request, now: number): boolean {
  return !isTerminal(deployStatus(approvalStanding(request, { deployedAt: null }), now));
}

interface Acted {
  readonly outcome: Outcome;
  readonly changes: readonly ChangeSet[];
}

/** Expiries that are due come first, so that what is over never blocks (R-REQ-4). */
function ticked(app: Application, world: World, facts: Facts, before: Request): Acted {
  return acted(app, world, facts, { before, command: { type: "tick" } });
}

function acted(
  app: Application,
  world: World,
  facts: Facts,
  { before, command }: { readonly before: Request; readonly command: Command },
): Acted {
  const { policy } = world.pinnedPolicy(before);
  const outcome = decide(before, command, { policy, facts, now: world.now, settings: app.settings });
  const after = outcome.request;
  if (after === before) return { outcome, changes: [] };
  const actor = "actor" in command ? command.actor : null;
  return {
    outcome,
    changes: [recordRequest({ before, after, events: outcome.events, actor, newId: world.newId }, app)],
  };
}

/** Older, of the same branch, for another commit, and nobody has approved it yet. */
function makesRoom({ members, known }: AskedDeploy, { status, context }: Request): boolean {
  const isOfBranch = members.branch !== null && context["git_branch"] === members.branch;
  return isLive(status) && isOfBranch && context["git_commit_hash"] !== known.commit;
}

function supersededBy(
  app: Application,
  world: World,
  facts: Facts,
  about: { readonly request: Request; readonly id: RequestId; readonly actor: AskedDeploy["caller"]["actor"] },
): ChangeSet {
  const { request, id, actor } = about;
  const command = { type: "cancel", actor, reason: null, gate: { cause: "superseded", supersededBy: id } } as const;
  const changes = acted(app, world, facts, { before: request, command }).changes;
  const told = world
    .records("deployApproval", "requestId", request.id)
    .map((record): DeployApprovalRecord => ({ ...record, version: record.version + 1, supersededBy: id }));
  return joinedChanges(changes.length === 0 ? [] : [...changes, { entries: [], records: { deployApproval: told } }]);
}

interface Beginning {
  readonly id: RequestId;
  readonly active: CompiledPolicy;
  readonly settings: DeployAppSettings;
  readonly facts: Facts;
}

/** The request as far as it gets at once, or why nobody could ever approve it. */
function begun(making: Making, world: World, beginning: Beginning): Step | Refusal {
  const { app } = making;
  const { active, facts } = beginning;
  const { policy, version } = active;
  const unfit = unfitPolicy(active);
  if (unfit !== null) return refusedByGate({ ...policyUnavailable(version.key), hint: [unfit] });
  const setting = { policy, pin: pinOf(active), facts, now: world.now, settings: app.settings };
  const step = createRequest(newRequest(making, world, beginning), setting);
  if (isRefusal(step)) return refusedByGate({ ...policyUnavailable(version.key), hint: [step.message] });
  const { request } = step;
  if (isLive(request.status)) return step;
  if (request.status === "approved") {
    return refusedByGate({ ...policyUnavailable(version.key), hint: ["Its stages ask nobody."] });
  }
  const [first = []] = stageGroups(policy);
  const plans = evaluateGroup(policy, request, first, { facts, now: world.now });
  const excluded = plans.flatMap((plan): readonly Exclusion[] => ("excluded" in plan ? plan.excluded : []));
  const people = [
    ...facts.people.values(),
    ...[...facts.lookups.values()].flatMap((one) => (one.ok ? one.members : [])),
  ];
  const told = excludedPeople(request, excluded, people);
  return refusedByGate(noEligibleApprover(told));
}

/** For deploy requests no stage asks for less than a factor, and no clock approves (R-REQ-9, section 1). */
function unfitPolicy({ policy }: CompiledPolicy): string | null {
  if (policy.stages.some(({ assurance }) => assurance === "session")) {
    return "Every stage of it must ask for a factor: assurance mfa or signed.";
  }
  const isClock = policy.stages.some(({ onBreach }) => onBreach === "auto_approve");
  return isClock ? "No stage of it may approve by itself when its time is over." : null;
}

function withApprovers(record: DeployApprovalRecord, { stages }: Request): DeployApprovalRecord {
  const [open] = stages.filter(({ state }) => state === "open");
  const approvers = open?.tasks.filter(({ kind }) => kind === "approver") ?? [];
  if (open === undefined || approvers.length > 1) return record;
  const told = warning("single_approver_left", `Only ${approvers[0]?.assigneeName ?? "one person"} can approve this.`);
  return { ...record, warnings: [...record.warnings, told] };
}

const JOINED_MAX = 5;

/** 409; and where the target token itself asks from another run of its CI, that one is told of the outcome too (R-REQ-4). */
function existing(
  { app, asked }: Making,
  world: World,
  same: Request,
  expired: ChangeSet,
): Carried<DeployCreated | Refusal> {
  const link = requestPage(app.identity.publicUrl, same);
  const answer = refusedByGate(approvalExists({}, same.id, link), same.id);
  const [record] = world.records("deployApproval", "id", same.id);
  if (record === undefined || !joins(asked, record)) return { answer, changes: expired };
  const { actor } = asked.caller;
  const metadata = asked.members.ciMetadata ?? {};
  const joined: DeployApprovalRecord = {
    ...{ ...record, version: record.version + 1, ciJoined: [...record.ciJoined, metadata] },
  };
  const entry = describe(
    {
      ...{ org: ledgerId("org", same.orgId), kind: "request.commented", actor: ledgerActor(actor, app.sha256) },
      ...{ credential: actor.credential, resource: { digest: same.digest, gate: same.gate } },
      request: ledgerId("req", same.id),
      data: { text: hidden({ ci_joined: metadata }) },
    },
    app,
  );
  const number = joined.ciJoined.length;
  const effect = newEffect({
    ...{ id: world.newId(), orgId: same.orgId, kind: "deploy.ci", lane: `ci:${same.id}:${String(number)}` },
    ...{ position: number, requestId: same.id, at: world.now, endsAt: same.grant?.expiresAt ?? null },
    payload: { event: "ci_joined", sequence: same.eventCount, joined: number - 1 },
  });
  const effects = same.status === "approved" ? [effect] : [];
  const own: ChangeSet = { entries: [entry], records: { deployApproval: [joined], effect: effects } };
  return { answer, changes: joinedChanges([expired, own]) };
}

/** CircleCI's workflow, or the run of GitHub Actions (R-CI-9). */
function runOf(metadata: JsonObject | null): string | null {
  return metadataText(metadata, "workflow_id") ?? metadataText(metadata, "run_id");
}

function joins({ caller, members }: AskedDeploy, record: DeployApprovalRecord): boolean {
  const run = runOf(members.ciMetadata);
  if (run === null || record.targetTokenId === null || callingToken(caller) !== record.targetTokenId) return false;
  const known = [record.ciMetadata, ...record.ciJoined].map((metadata) => runOf(metadata));
  return !known.includes(run) && record.ciJoined.length < JOINED_MAX;
}
