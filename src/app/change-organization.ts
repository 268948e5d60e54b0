/** Organizations of the installation: made, renamed, suspended, taken up again (docs/spec/identity.md section 9). */
import type { Actor } from "./admitted-actor.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { Carried, World } from "../ports/command-store.ts";
import type { OrganizationRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { describe, hidden, type EntryData } from "./entry-writer.ts";
import { installManagedPolicies } from "./install-managed-policies.ts";
import { ledgerActor, ledgerId } from "./ledger-names.ts";
import { NO_CHANGE } from "./no-change.ts";

export interface OrganizationInput {
  readonly name: string;
  /** How its people call it in headers and addresses. */
  readonly slug: string;
}

/** What the gates bring with them is there before anybody hears of it; where this stops in between, the next start sees to it. */
export async function createOrganization(
  app: Application,
  actor: Actor,
  input: OrganizationInput,
): Promise<OrganizationRecord | Refusal> {
  const made = await insertOrganization(app, actor, input);
  if (!isRefusal(made)) await installManagedPolicies(app.forOrganization(made.id), app.managedPolicies);
  return made;
}

function insertOrganization(
  app: Application,
  actor: Actor,
  { name, slug }: OrganizationInput,
): Promise<OrganizationRecord | Refusal> {
  const id = app.newId();
  return app.store.submit<OrganizationRecord | Refusal>({
    name: "create_organization",
    needs: { records: [recordsBy("organization", "slug", [slug])] },
    alone: true,
    carryOut(world) {
      if (world.records("organization", "slug", slug).length > 0) return { answer: taken(slug), changes: NO_CHANGE };
      const record: OrganizationRecord = { id, name, slug, status: "active", createdAt: world.now };
      return written(app, actor, record, { kind: "org.created", data: { key: slug, new: hidden(name) } });
    },
  });
}

export async function renameOrganization(
  app: Application,
  actor: Actor,
  input: OrganizationInput & { readonly id: string },
): Promise<OrganizationRecord | Refusal> {
  const { id, name, slug } = input;
  return app.store.submit<OrganizationRecord | Refusal>({
    name: "rename_organization",
    needs: { records: [recordsBy("organization", "id", [id]), recordsBy("organization", "slug", [slug])] },
    alone: true,
    carryOut(world) {
      const known = organizationOf(world, id);
      if (known === undefined) return { answer: unknown(), changes: NO_CHANGE };
      const other = world.records("organization", "slug", slug).find((record) => record.id !== id);
      if (other !== undefined) return { answer: taken(slug), changes: NO_CHANGE };
      const record = { ...known, name, slug };
      const data = { key: "name", old: hidden(known.name), new: hidden(name) };
      return written(app, actor, record, { kind: "setting.changed", data });
    },
  });
}

/** R-ORG-6: while it is suspended none of its credentials is let in; its ledger stays. */
export async function suspendOrganization(
  app: Application,
  actor: Actor,
  change: { readonly id: string; readonly status: "active" | "suspended" },
): Promise<OrganizationRecord | Refusal> {
  const { id, status } = change;
  return app.store.submit<OrganizationRecord | Refusal>({
    name: "suspend_organization",
    needs: { records: [recordsBy("organization", "id", [id])] },
    alone: true,
    carryOut(world) {
      const known = organizationOf(world, id);
      if (known === undefined) return { answer: unknown(), changes: NO_CHANGE };
      if (id === app.orgId && status === "suspended") return { answer: ownOrganization(), changes: NO_CHANGE };
      if (known.status === status) return { answer: known, changes: NO_CHANGE };
      const kind = status === "suspended" ? "org.suspended" : "org.reactivated";
      return written(app, actor, { ...known, status }, { kind, data: { key: known.slug ?? "default" } });
    },
  });
}

function written(
  app: Application,
  actor: Actor,
  record: OrganizationRecord,
  about: { readonly kind: string; readonly data: EntryData },
): Carried<OrganizationRecord> {
  const frame = {
    ...{ org: ledgerId("org", record.id), kind: about.kind, actor: ledgerActor(actor, app.sha256) },
    ...{ credential: actor.credential, resource: null, request: null, data: about.data },
  };
  return { answer: record, changes: { entries: [describe(frame, app)], records: { organization: [record] } } };
}

function organizationOf(world: World, id: string): OrganizationRecord | undefined {
  return world.records("organization", "id", id)[0];
}

function taken(slug: string): Refusal {
  return refuse("already_exists", `There is an organization called '${slug}' already`);
}

function unknown(): Refusal {
  return refuse("not_found", "There is no such organization");
}

function ownOrganization(): Refusal {
  return refuse("wrong_state", "You are signed in to this organization: suspend it from another one");
}
