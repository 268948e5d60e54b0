/** What commands on policies have in common: the line is read whole, changed alone, and the change is in the audit list. */
import type { NewId } from "../core/ids.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { Instant } from "../core/person.ts";
import type { Actor } from "./admitted-actor.ts";
import type { PolicyProblem } from "../core/policy.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { PolicyVersion } from "../ports/change-set.ts";
import type { Carried, StoreCommand, World } from "../ports/command-store.ts";
import type { Application } from "./application.ts";
import { auditRecord } from "./audit.ts";
import { describe } from "./entry-writer.ts";
import { ledgerActor, ledgerId } from "./ledger-names.ts";
import { digestOf } from "./digest.ts";
import { NO_CHANGE } from "./no-change.ts";

export interface PolicyVersionName {
  readonly key: string;
  readonly version: number;
}

export interface PolicyChange {
  /** The version that the caller acted on, as it is afterwards. */
  readonly version: PolicyVersion;
  /** Everything that changed with it, the version included. */
  readonly versions: readonly PolicyVersion[];
  readonly deleted?: true;
  readonly kind: "policy.drafted" | "policy.activated" | "policy.deactivated";
  readonly replaced?: number;
  readonly action: string;
  readonly summary: string;
  readonly before: JsonValue;
  readonly after: JsonValue;
}

export interface PolicyAct {
  readonly name: string;
  readonly actor: Actor;
  readonly key: string;
  /** Null: nothing to change, the version is as asked for. */
  change(line: readonly PolicyVersion[], world: World): PolicyChange | Refusal | PolicyVersion;
}

export function policyCommand(app: Application, act: PolicyAct): StoreCommand<PolicyVersion | Refusal> {
  return {
    name: act.name,
    needs: { policyKeys: [act.key] },
    alone: true,
    carryOut(world): Carried<PolicyVersion | Refusal> {
      const change = act.change(world.policyLine(act.key), world);
      if (isRefusal(change) || !("versions" in change)) return { answer: change, changes: NO_CHANGE };
      if (isManaged(world.policyLine(act.key))) return { answer: managedLine(act.key), changes: NO_CHANGE };
      const { version, replaced } = change;
      const entry = describe(
        {
          org: ledgerId("org", app.orgId),
          kind: change.kind,
          actor: ledgerActor(act.actor, app.sha256),
          credential: act.actor.credential,
          resource: null,
          request: null,
          data: {
            key: version.key,
            version: version.version,
            digest: version.digest,
            ...(replaced === undefined ? {} : { replaced }),
          },
        },
        app,
      );
      const audit = auditRecord(
        act.actor,
        { entry: 0, world },
        {
          action: change.action,
          resourceType: "policy",
          resourceId: `${version.key}:v${String(version.version)}`,
          summary: change.summary,
          before: change.before,
          after: change.after,
          metadata: {},
        },
      );
      const policies = change.deleted === true ? { deletedPolicies: change.versions } : { policies: change.versions };
      return { answer: version, changes: { entries: [entry], audit: [audit], ...policies } };
    },
  };
}

/** A line that came with the product belongs to it, with every version (R-POLICY-10). */
export function isManaged(line: readonly PolicyVersion[]): boolean {
  return line.some(({ managed }) => managed);
}

function managedLine(key: string): Refusal {
  return refuse("wrong_state", `Policy '${key}' is part of the product: copy it under another key to change it`);
}

export function findVersion(
  line: readonly PolicyVersion[],
  wanted: { readonly key: string; readonly version: number },
): PolicyVersion | Refusal {
  const found = line.find((candidate) => candidate.version === wanted.version);
  return found ?? refuse("policy_not_found", `Policy '${wanted.key}' v${String(wanted.version)} not found`);
}

/** Drafts may change; versions that were ever active are immutable (R-POLICY-2). */
export function editableDraft(
  line: readonly PolicyVersion[],
  wanted: { readonly key: string; readonly version: number },
): PolicyVersion | Refusal {
  const found = findVersion(line, wanted);
  if (isRefusal(found) || found.status === "draft") return found;
  const why = `Cannot edit v${String(found.version)}: status is '${found.status}'.`;
  const hint = "Active/archived versions are immutable — create a new draft version instead.";
  return refuse("wrong_state", `${why} ${hint}`);
}

/** A version as the audit list shows it: what was said, and its place in the line. */
export function policySnapshot(version: PolicyVersion): JsonObject {
  return {
    ...version.document,
    id: version.id,
    version: version.version,
    status: version.status,
    digest: version.digest,
    created_by: version.createdBy,
    updated_by: version.updatedBy,
  };
}

export interface DraftInput {
  readonly document: JsonObject;
  readonly problems: readonly PolicyProblem[];
  readonly key: string;
  readonly version: number;
  readonly author: string;
  readonly now: Instant;
  readonly newId: NewId;
}

export function newDraft(input: DraftInput, app: Application): PolicyVersion {
  return {
    id: input.newId(),
    orgId: app.orgId,
    key: input.key,
    version: input.version,
    status: "draft",
    managed: false,
    document: input.document,
    digest: digestOf(input.document, app.sha256),
    problems: input.problems,
    createdBy: input.author,
    createdAt: input.now,
    updatedBy: null,
    updatedAt: input.now,
    activatedAt: null,
  };
}

export function archived(version: PolicyVersion, now: number): PolicyVersion {
  return { ...version, status: "archived", updatedAt: now };
}
