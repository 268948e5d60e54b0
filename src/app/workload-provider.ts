/**
 * Setting up which platform's workloads are which machine. Implements docs/spec/identity.md R-WID-1 and R-WID-2; what they may do
 * is bounded like a token's (R-TOK-4, R-TOK-5), by whoever sets it up. To the deploy gate it is a token without a secret
 * (docs/spec/deploy.md R-OIDC-1), which is written with it.
 */
import type { JsonObject } from "../core/json.ts";
import { decides, type Permission } from "../core/permission.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { DescribedEntry } from "../ports/change-set.ts";
import type { Carried, World } from "../ports/command-store.ts";
import type { ApiTokenRecord, WorkloadProviderRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { approvalsOfTokens, endedApprovals, factsOfApprovals } from "./deploy/end-approvals-of-tokens.ts";
import { describe } from "./entry-writer.ts";
import { knownPermission } from "./known-permission.ts";
import { ledgerActor, ledgerId } from "./ledger-names.ts";
import { NO_CHANGE } from "./no-change.ts";
import { joinedChanges } from "./person-changes.ts";
import { tokenEntry } from "./token-change.ts";
import { makerNeeds, makerPermissions, type TokenCaller } from "./token-maker.ts";
import { beyond } from "./token-permissions.ts";
import {
  deployRulesFault,
  readWorkloadClaims,
  rulesFault,
  usualIssuer,
  type WorkloadClaims,
  type WorkloadPreset,
} from "./workload-rules.ts";

export interface WorkloadDraft {
  readonly machineId: string;
  readonly name: string;
  readonly preset: WorkloadPreset;
  /** Null: the platform's usual one. */
  readonly issuer: string | null;
  readonly audience: string;
  readonly subjects: readonly string[];
  readonly claims: WorkloadClaims;
  readonly scopes: readonly string[];
  /** `{racks?, apps?}` of the deploy gate. */
  readonly limits: JsonObject;
  readonly bindCommit: boolean;
  readonly enabled: boolean;
}

export type WorkloadPatch = Partial<Omit<WorkloadDraft, "machineId" | "preset" | "issuer" | "limits">>;

export interface WorkloadChange {
  readonly id: string;
  readonly patch: WorkloadPatch;
  /** Of racks and apps those that are to change. */
  readonly places: JsonObject;
}

type Answer = WorkloadProviderRecord | Refusal;

export async function listWorkloadProviders(app: Application): Promise<readonly WorkloadProviderRecord[]> {
  const all = await app.reader.records(recordsBy("workloadProvider", "orgId", [app.orgId]));
  return all.filter(({ deletedAt }) => deletedAt === null).sort(oldestFirst);
}

export function oldestFirst(left: WorkloadProviderRecord, right: WorkloadProviderRecord): number {
  return left.createdAt - right.createdAt || left.id.localeCompare(right.id);
}

export async function createWorkloadProvider(
  app: Application,
  caller: TokenCaller,
  draft: WorkloadDraft,
): Promise<Answer> {
  const issuer = draft.issuer ?? usualIssuer(draft.preset);
  if (issuer === null) return faulty("issuer", "The issuer must be named");
  const checked = checkedRules(app, { ...draft, issuer });
  if (isRefusal(checked)) return checked;
  return change(app, caller, { issuer, machineId: draft.machineId }, (world) => {
    const { machineId, name, preset, audience, subjects, claims, limits, bindCommit, enabled } = draft;
    return {
      ...{ id: world.newId(), orgId: app.orgId, machineId, name, preset, issuer, audience, subjects: [...subjects] },
      ...{ claims: { ...claims }, scopes: checked.scopes, limits, bindCommit, enabled },
      ...{ createdAt: world.now, updatedAt: world.now, deletedAt: null },
    };
  });
}

export async function changeWorkloadProvider(
  app: Application,
  caller: TokenCaller,
  { id, patch, places }: WorkloadChange,
): Promise<Answer> {
  const known = (await listWorkloadProviders(app)).find((record) => record.id === id);
  if (known === undefined) return notFound();
  // A list that is null narrows nothing.
  const limits = Object.fromEntries(Object.entries({ ...known.limits, ...places }).filter(([, list]) => list !== null));
  const after = { ...known, ...patch, limits, claims: patch.claims ?? readWorkloadClaims(known.claims) };
  const checked = checkedRules(app, after);
  if (isRefusal(checked)) return checked;
  return change(app, caller, known, (world, before) => {
    const old = before.find((record) => record.id === id && record.deletedAt === null);
    if (old === undefined) return notFound();
    const { name, audience, subjects, claims, bindCommit, enabled } = after;
    const rest = { name, audience, subjects: [...subjects], claims: { ...claims }, scopes: checked.scopes };
    const updatedAt = Math.max(world.now, old.updatedAt);
    return { ...old, ...rest, ...{ limits, bindCommit, enabled, updatedAt } };
  });
}

export async function deleteWorkloadProvider(app: Application, caller: TokenCaller, id: string): Promise<Answer> {
  const known = (await listWorkloadProviders(app)).find((record) => record.id === id);
  if (known === undefined) return notFound();
  return change(app, caller, known, (world, before) => {
    const old = before.find((record) => record.id === id && record.deletedAt === null);
    return old === undefined ? notFound() : { ...old, enabled: false, deletedAt: world.now, updatedAt: world.now };
  });
}

interface Rules {
  readonly preset: WorkloadPreset;
  readonly issuer: string;
  readonly subjects: readonly string[];
  readonly claims: WorkloadClaims;
  readonly scopes: readonly string[];
}

/** What can be said without looking at anybody else. */
function checkedRules(app: Application, rules: Rules): { readonly scopes: readonly Permission[] } | Refusal {
  const address = app.identityProviders.issuerFault(rules.issuer);
  if (address !== null) return faulty("issuer", `The issuer's address is not allowed: ${address}`);
  const fault = rulesFault(rules);
  if (fault !== null) return fault;
  const unknown = rules.scopes.find((scope) => knownPermission(scope) === null);
  if (unknown !== undefined) {
    return faulty("scopes", `'${unknown}' is no known permission, such as approval:request:create`);
  }
  const scopes = [...new Set(rules.scopes.flatMap((scope) => knownPermission(scope) ?? []))];
  const deciding = scopes.filter(decides);
  if (deciding.length > 0) return refuse("machine_cannot_decide", `No machine may hold ${deciding.join(", ")}`);
  return (scopes.some(isOfDeployGate) ? deployRulesFault(rules) : null) ?? { scopes };
}

function isOfDeployGate(scope: Permission): boolean {
  return /^(?:convox|gateway|security|\*):/.test(scope);
}

type Make = (world: World, before: readonly WorkloadProviderRecord[]) => Answer;

interface Place {
  /** Of a provider that is there. */
  readonly id?: string;
  readonly issuer: string;
  readonly machineId: string;
}

/** What approvals are for: it has the provider's id and name, and no secret (deploy R-OIDC-1). */
function standIn(world: World, { actor }: TokenCaller, made: WorkloadProviderRecord): ApiTokenRecord {
  const [before] = world.records("apiToken", "id", made.id);
  const { id, orgId, machineId, name, scopes, limits } = made;
  return {
    ...{ id, orgId, machineId, name, prefix: "rgw_", lastFour: "", scopes, creatorPermissions: scopes, limits },
    ...{ createdBy: before?.createdBy ?? actor.assignee, createdAt: made.createdAt, expiresAt: null },
    ...{ revokedAt: before?.revokedAt ?? made.deletedAt, legacy: false, exchanged: { provider: id }, warnedDays: null },
  };
}

/** Its beginning and its end are those of a token. */
function tokenTold(
  app: Application,
  world: World,
  { actor }: TokenCaller,
  token: ApiTokenRecord,
): readonly DescribedEntry[] {
  const [before] = world.records("apiToken", "id", token.id);
  const [machine] = world.records("machine", "id", token.machineId);
  const isEnding = before?.revokedAt === null && token.revokedAt !== null;
  if (machine === undefined || (before !== undefined && !isEnding)) return [];
  return [tokenEntry(app, { kind: isEnding ? "token.revoked" : "token.created", actor, token, machine })];
}

function change(app: Application, caller: TokenCaller, place: Place, make: Make): Promise<Answer> {
  const tokenIds = place.id === undefined ? [] : [place.id];
  return app.store.submit<Answer>({
    name: "change_workload_provider",
    needs: {
      ...approvalsOfTokens(tokenIds),
      records: [
        ...makerNeeds(caller),
        recordsBy("workloadProvider", "orgId", [app.orgId]),
        recordsBy("workloadProvider", "issuer", [place.issuer]),
        recordsBy("machine", "id", [place.machineId]),
        recordsBy("apiToken", "id", tokenIds),
      ],
    },
    gather: (world) => factsOfApprovals(world, tokenIds),
    carryOut(world, facts): Carried<Answer> {
      const permissions = makerPermissions(app, world, caller);
      if (isRefusal(permissions)) return { answer: permissions, changes: NO_CHANGE };
      const own = world.records("workloadProvider", "orgId", app.orgId);
      const made = make(world, own);
      if (isRefusal(made)) return { answer: made, changes: NO_CHANGE };
      const refused = made.deletedAt === null ? refusal(app, world, { made, own, permissions }) : null;
      if (refused !== null) return { answer: refused, changes: NO_CHANGE };
      const token = standIn(world, caller, made);
      const records = { workloadProvider: [made], apiToken: [token] };
      const entries = [told(app, caller, made), ...tokenTold(app, world, caller, token)];
      const ended =
        made.deletedAt === null ? [] : endedApprovals(app, world, { actor: caller.actor, tokenIds: [made.id], facts });
      return { answer: made, changes: joinedChanges([{ entries, records }, ...ended]) };
    },
  });
}

interface Made {
  readonly made: WorkloadProviderRecord;
  readonly own: readonly WorkloadProviderRecord[];
  readonly permissions: readonly Permission[];
}

function refusal(app: Application, world: World, { made, own, permissions }: Made): Refusal | null {
  const machine = world.records("machine", "id", made.machineId).find(({ orgId }) => orgId === app.orgId);
  if (machine?.disabledAt !== null) return faulty("machine_id", "There is no such machine");
  const name = made.name.toLowerCase();
  if (own.some((other) => other.id !== made.id && other.deletedAt === null && other.name.toLowerCase() === name)) {
    return refuse("already_exists", `There is a workload provider called '${made.name}' already`);
  }
  // A token must lead to one organization only: its audience says which.
  const isTaken = world
    .records("workloadProvider", "issuer", made.issuer)
    .some(({ orgId, deletedAt, audience }) => orgId !== app.orgId && deletedAt === null && audience === made.audience);
  if (isTaken) return refuse("already_exists", "This audience is used already: choose one of your own");
  const wider = made.enabled ? beyond(made.scopes, permissions) : [];
  return wider.length === 0 ? null : refuse("scope_exceeds_creator", `You do not hold ${wider.join(", ")}`);
}

function told(app: Application, { actor }: TokenCaller, made: WorkloadProviderRecord): DescribedEntry {
  return describe(
    {
      ...{ org: ledgerId("org", app.orgId), kind: "workload.changed", actor: ledgerActor(actor, app.sha256) },
      ...{ credential: actor.credential, resource: null, request: null },
      data: { machine: ledgerId("mch", made.machineId), scopes: made.deletedAt === null ? [...made.scopes] : [] },
    },
    app,
  );
}

function notFound(): Refusal {
  return refuse("not_found", "There is no such workload provider");
}

function faulty(member: string, message: string): Refusal {
  return refuse("invalid_input", message, [{ path: ["body", member], message }]);
}
