/**
 * Setting up which platform's workloads are which machine. Implements docs/spec/identity.md R-WID-1 and R-WID-2; what they may do
 * is bounded like a token's (R-TOK-4, R-TOK-5), by whoever sets it up.
 */
import { decides, readPermission, type Permission } from "../core/permission.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { DescribedEntry } from "../ports/change-set.ts";
import type { Carried, World } from "../ports/command-store.ts";
import type { WorkloadProviderRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { describe } from "./entry-writer.ts";
import { ledgerActor, ledgerId } from "./ledger-names.ts";
import { NO_CHANGE } from "./no-change.ts";
import { makerNeeds, makerPermissions, type TokenCaller } from "./token-maker.ts";
import { beyond } from "./token-permissions.ts";
import {
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
  readonly enabled: boolean;
}

export type WorkloadPatch = Partial<
  Pick<WorkloadDraft, "name" | "audience" | "subjects" | "claims" | "scopes" | "enabled">
>;

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
    const { machineId, name, preset, audience, subjects, claims, enabled } = draft;
    return {
      ...{ id: world.newId(), orgId: app.orgId, machineId, name, preset, issuer, audience, subjects: [...subjects] },
      ...{ claims: { ...claims }, scopes: checked.scopes, enabled, createdAt: world.now, updatedAt: world.now },
      deletedAt: null,
    };
  });
}

export async function changeWorkloadProvider(
  app: Application,
  caller: TokenCaller,
  { id, patch }: { readonly id: string; readonly patch: WorkloadPatch },
): Promise<Answer> {
  const known = (await listWorkloadProviders(app)).find((record) => record.id === id);
  if (known === undefined) return notFound();
  const after = { ...known, ...patch, claims: patch.claims ?? readWorkloadClaims(known.claims) };
  const checked = checkedRules(app, after);
  if (isRefusal(checked)) return checked;
  return change(app, caller, known, (world, before) => {
    const old = before.find((record) => record.id === id && record.deletedAt === null);
    if (old === undefined) return notFound();
    const { name, audience, subjects, claims, enabled } = after;
    const rest = { name, audience, subjects: [...subjects], claims: { ...claims }, scopes: checked.scopes, enabled };
    return { ...old, ...rest, updatedAt: Math.max(world.now, old.updatedAt) };
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
  const read = rules.scopes.map((scope) => readPermission(scope));
  const scopes = [...new Set(read.filter((scope) => scope !== null))];
  if (read.includes(null)) return faulty("scopes", "A scope is a permission such as approval:request:create");
  const deciding = scopes.filter(decides);
  if (deciding.length === 0) return { scopes };
  return refuse("machine_cannot_decide", `No machine may hold ${deciding.join(", ")}`);
}

type Make = (world: World, before: readonly WorkloadProviderRecord[]) => Answer;

interface Place {
  readonly issuer: string;
  readonly machineId: string;
}

function change(app: Application, caller: TokenCaller, place: Place, make: Make): Promise<Answer> {
  return app.store.submit<Answer>({
    name: "change_workload_provider",
    needs: {
      records: [
        ...makerNeeds(caller),
        recordsBy("workloadProvider", "orgId", [app.orgId]),
        recordsBy("workloadProvider", "issuer", [place.issuer]),
        recordsBy("machine", "id", [place.machineId]),
      ],
    },
    carryOut(world): Carried<Answer> {
      const permissions = makerPermissions(app, world, caller);
      if (isRefusal(permissions)) return { answer: permissions, changes: NO_CHANGE };
      const own = world.records("workloadProvider", "orgId", app.orgId);
      const made = make(world, own);
      if (isRefusal(made)) return { answer: made, changes: NO_CHANGE };
      const refused = made.deletedAt === null ? refusal(app, world, { made, own, permissions }) : null;
      if (refused !== null) return { answer: refused, changes: NO_CHANGE };
      const records = { workloadProvider: [made] };
      return { answer: made, changes: { entries: [told(app, caller, made)], records } };
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
