/**
 * The policies that the product brings with it, in one organization: installed when they are missing, replaced by a new version
 * when the product's differs, otherwise left alone. Done at every start and for every new organization. Implements docs/spec/policies.md R-POLICY-10.
 */
import { checkPolicy, hasErrors, type PolicyInstallation } from "../core/check-policy.ts";
import type { JsonObject } from "../core/json.ts";
import { Bug } from "../core/refusal.ts";
import type { AuditRecord, ChangeSet, PolicyVersion } from "../ports/change-set.ts";
import type { Carried, World } from "../ports/command-store.ts";
import type { Application } from "./application.ts";
import { installationFacts } from "./check-directory.ts";
import { digestOf } from "./digest.ts";
import { policyKeyOf } from "./draft-policy.ts";
import { describe } from "./entry-writer.ts";
import { ledgerId } from "./ledger-names.ts";
import { NO_CHANGE } from "./no-change.ts";
import { archived, isManaged, newDraft } from "./policy-command.ts";

export interface ManagedPolicy {
  readonly key: string;
  /** `taken`: the organization has a line of its own by this key, which is never touched. */
  readonly outcome: "installed" | "unchanged" | "taken";
}

/** The name under which the product writes policies. */
const PRODUCT = "countersign";

export async function installManagedPolicies(
  app: Application,
  documents: readonly JsonObject[],
): Promise<readonly ManagedPolicy[]> {
  if (documents.length === 0) return [];
  const installation = await installationFacts(app);
  return await app.store.submit<readonly ManagedPolicy[]>({
    name: "install_managed_policies",
    needs: { policyKeys: documents.map(policyKeyOf) },
    alone: true,
    carryOut: (world) => carryOut(app, world, documents, installation),
  });
}

function carryOut(
  app: Application,
  world: World,
  documents: readonly JsonObject[],
  installation: PolicyInstallation,
): Carried<readonly ManagedPolicy[]> {
  const answer: ManagedPolicy[] = [];
  let changes: ChangeSet = NO_CHANGE;
  for (const document of documents) {
    const key = policyKeyOf(document);
    const line = world.policyLine(key);
    const outcome = outcomeFor(app, line, document);
    answer.push({ key, outcome });
    if (outcome === "installed") changes = withVersion(app, world, { line, document, installation }, changes);
  }
  return { answer, changes };
}

function outcomeFor(app: Application, line: readonly PolicyVersion[], document: JsonObject): ManagedPolicy["outcome"] {
  if (line.length === 0) return "installed";
  if (!isManaged(line)) return "taken";
  const active = line.find(({ status }) => status === "active");
  return active?.digest === digestOf(document, app.sha256) ? "unchanged" : "installed";
}

interface Installing {
  readonly line: readonly PolicyVersion[];
  readonly document: JsonObject;
  readonly installation: PolicyInstallation;
}

function withVersion(
  app: Application,
  world: World,
  { line, document, installation }: Installing,
  before: ChangeSet,
): ChangeSet {
  const { now, newId } = world;
  const key = policyKeyOf(document);
  const problems = checkPolicy(document, installation);
  if (hasErrors(problems)) throw new Bug(`the product's policy '${key}' cannot be activated`);
  const version = (line.at(-1)?.version ?? 0) + 1;
  const draft = newDraft({ document, problems, key, version, author: PRODUCT, now, newId }, app);
  const active: PolicyVersion = { ...draft, status: "active", managed: true, activatedAt: now };
  const replaced = line.find(({ status }) => status === "active");
  const members = { key, version, digest: active.digest };
  const frame = {
    ...{ org: ledgerId("org", app.orgId), actor: "sys_engine", credential: null, resource: null, request: null },
  };
  const entries = [
    describe({ ...frame, kind: "policy.drafted", data: members }, app),
    describe({ ...frame, kind: "policy.activated", data: { ...members, replaced: replaced?.version ?? null } }, app),
  ];
  const record: AuditRecord = {
    ...{ id: newId(), entry: before.entries.length + 1, actor: PRODUCT, actorEmail: null },
    ...{ action: "policy.activate", resourceType: "policy", resourceId: `${key}:v${String(version)}` },
    summary: `Policy '${key}' v${String(version)} came with the product`,
    before: replaced === undefined ? null : { status: "active", version: replaced.version },
    after: { status: "active", version },
    metadata: {},
  };
  return {
    entries: [...before.entries, ...entries],
    policies: [...(before.policies ?? []), ...(replaced === undefined ? [] : [archived(replaced, now)]), active],
    audit: [...(before.audit ?? []), record],
  };
}
