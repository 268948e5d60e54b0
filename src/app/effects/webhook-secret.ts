/**
 * The secrets that calls to callers' addresses are signed with: made, rotated with an overlap, revoked; shown once. Implements
 * docs/spec/engine.md R-HOOK-6, R-HOOK-15, R-HOOK-16 and R-HOOK-18.
 */
import type { JsonObject } from "../../core/json.ts";
import type { Instant } from "../../core/person.ts";
import type { Actor } from "../admitted-actor.ts";
import { refuse, type Refusal } from "../../core/refusal.ts";
import type { Creator, RequestCallback } from "../../core/request.ts";
import type { Carried, World } from "../../ports/command-store.ts";
import { recordsBy } from "../../ports/records.ts";
import type { SealedPlace } from "../../ports/sealing.ts";
import type { WebhookSecretRecord } from "../../ports/webhook-records.ts";
import type { Application } from "../application.ts";
import { auditRecord } from "../audit.ts";
import { describe, hidden } from "../entry-writer.ts";
import { base64url, ledgerActor, ledgerId } from "../ledger-names.ts";
import { NO_CHANGE } from "../no-change.ts";

/** For callers that have none of their own. */
export const DEFAULT_SECRET = "default";
const SECRET_BYTES = 32;

export interface NewSecret {
  /** Null: made up. */
  readonly name: string | null;
  readonly callerService: string;
  readonly secret: string | null;
  readonly allowedCallers: readonly string[] | null;
  readonly allowedUrls: readonly string[] | null;
}

export interface SecretRotation {
  readonly secret: string | null;
  /** Null: now. */
  readonly effectiveAt: Instant | null;
  readonly overlapSeconds: number;
}

/** The secret in the clear goes to whoever made it, once. */
export interface ShownSecret {
  readonly record: WebhookSecretRecord;
  readonly secret: string;
}

export async function listSecrets(app: Application): Promise<readonly WebhookSecretRecord[]> {
  const records = await app.reader.records(recordsBy("webhookSecret", "orgId", [app.orgId]));
  return records.toSorted((left, right) => left.createdAt - right.createdAt || left.id.localeCompare(right.id));
}

export function createSecret(app: Application, actor: Actor, draft: NewSecret): Promise<ShownSecret | Refusal> {
  return change(app, (world, known) => {
    const name = draft.name ?? world.newId();
    const isTaken = known.some(
      (other) => other.name === name || (other.status === "active" && other.callerService === draft.callerService),
    );
    if (isTaken) return refused("wrong_state", "There is a secret for this caller, or by this id, already: rotate it");
    const made = newSecret(app, world, { ...draft, name });
    return told(app, world, { actor, action: "secret.create", before: null, after: made.record }, made);
  });
}

/** Made at the first start, and for each organization. */
export async function keepDefaultSecret(app: Application): Promise<void> {
  if ((await listSecrets(app)).some(({ name }) => name === DEFAULT_SECRET)) return;
  await change<ShownSecret>(app, (world, known) => {
    if (known.some(({ name }) => name === DEFAULT_SECRET)) return refused("wrong_state", "It is there");
    const draft = { name: DEFAULT_SECRET, callerService: DEFAULT_SECRET, secret: null };
    const made = newSecret(app, world, { ...draft, allowedCallers: null, allowedUrls: null });
    return told(app, world, { actor: null, action: "secret.create", before: null, after: made.record }, made);
  });
}

export function rotateSecret(
  app: Application,
  actor: Actor,
  about: { readonly name: string } & SecretRotation,
): Promise<ShownSecret | Refusal> {
  return change(app, (world, known) => {
    const before = known.find(({ name }) => name === about.name);
    if (before === undefined) return noSuchSecret();
    if (before.secret === null) return refused("wrong_state", "This secret is revoked: make a new one for the caller");
    const secret = about.secret ?? base64url(app.random(SECRET_BYTES));
    const effectiveAt = Math.max(world.now, about.effectiveAt ?? world.now);
    const signing = secretsAt(app, before, world.now).current;
    const record: WebhookSecretRecord = {
      ...before,
      secret: app.seals.seal(secret, secretPlace(before, "secret")),
      previous: signing === null ? null : app.seals.seal(signing, secretPlace(before, "previous")),
      effectiveAt,
      previousUntil: signing === null ? null : effectiveAt + about.overlapSeconds * 1_000,
    };
    return told(app, world, { actor, action: "secret.rotate", before, after: record }, { record, secret });
  });
}

export function revokeSecret(app: Application, actor: Actor, name: string): Promise<WebhookSecretRecord | Refusal> {
  return change(app, (world, known) => {
    const before = known.find((record) => record.name === name);
    if (before === undefined) return noSuchSecret();
    if (before.status === "revoked") return { answer: before, changes: NO_CHANGE };
    const ended = { status: "revoked", secret: null, previous: null, previousUntil: null } as const;
    const record: WebhookSecretRecord = { ...before, ...ended, revokedAt: world.now };
    return told(app, world, { actor, action: "secret.revoke", before, after: record }, record);
  });
}

/** Ids name the caller: a request that is bound to an older one is signed with the one its caller has now (R-HOOK-16). */
export function secretFor(
  secrets: readonly WebhookSecretRecord[],
  { secretId }: Pick<RequestCallback, "secretId">,
  creator: Pick<Creator, "subject" | "clientId">,
): WebhookSecretRecord | undefined {
  const active = secrets.filter(({ status }) => status === "active");
  const of = (service: string | null): WebhookSecretRecord | undefined =>
    active.find(({ callerService }) => callerService === service);
  if (secretId !== null) return of(secrets.find(({ name }) => name === secretId)?.callerService ?? null);
  return of(creator.subject) ?? of(creator.clientId) ?? active.find(({ name }) => name === DEFAULT_SECRET);
}

export interface SigningSecrets {
  readonly current: string | null;
  readonly previous: string | null;
}

/** Throws SecretUnreadable. */
export function secretsAt(
  { seals }: Pick<Application, "seals">,
  record: WebhookSecretRecord,
  now: Instant,
): SigningSecrets {
  const { secret, previous, effectiveAt, previousUntil } = record;
  const opened = (sealed: string | null, column: "secret" | "previous"): string | null =>
    sealed === null ? null : seals.open(sealed, secretPlace(record, column));
  if (now < effectiveAt && previous !== null) return { current: opened(previous, "previous"), previous: null };
  const isOverlap = previousUntil !== null && now < previousUntil;
  return { current: opened(secret, "secret"), previous: isOverlap ? opened(previous, "previous") : null };
}

export function secretPlace(
  { id, orgId }: Pick<WebhookSecretRecord, "id" | "orgId">,
  column: "secret" | "previous",
): SealedPlace {
  return { table: "webhook_secrets", column, row: id, orgId };
}

function change<Answer extends object>(
  app: Application,
  carryOut: (world: World, known: readonly WebhookSecretRecord[]) => Carried<Answer | Refusal>,
): Promise<Answer | Refusal> {
  return app.store.submit<Answer | Refusal>({
    name: "change_webhook_secret",
    needs: { records: [recordsBy("webhookSecret", "orgId", [app.orgId])] },
    alone: true,
    carryOut: (world) => carryOut(world, world.records("webhookSecret", "orgId", app.orgId)),
  });
}

function newSecret(app: Application, world: World, draft: NewSecret & { readonly name: string }): ShownSecret {
  const secret = draft.secret ?? base64url(app.random(SECRET_BYTES));
  const place = { id: world.newId(), orgId: app.orgId };
  const { name, callerService, allowedCallers, allowedUrls } = draft;
  const record: WebhookSecretRecord = {
    ...{ ...place, name, callerService, allowedCallers, allowedUrls, status: "active" },
    secret: app.seals.seal(secret, secretPlace(place, "secret")),
    ...{ previous: null, previousUntil: null, effectiveAt: world.now, createdAt: world.now, revokedAt: null },
  };
  return { record, secret };
}

interface SecretAct {
  /** Null: the installation itself. */
  readonly actor: Actor | null;
  readonly action: "secret.create" | "secret.rotate" | "secret.revoke";
  readonly before: WebhookSecretRecord | null;
  readonly after: WebhookSecretRecord;
}

/** What changed, never the secret itself. */
function told<Answer>(
  app: Application,
  world: World,
  { actor, action, before, after }: SecretAct,
  answer: Answer,
): Carried<Answer> {
  const entry = describe(
    {
      ...{ org: ledgerId("org", app.orgId), kind: "webhook.changed", resource: null, request: null },
      actor: actor === null ? "sys_server" : ledgerActor(actor, app.sha256),
      credential: actor?.credential ?? null,
      data: { key: action, old: hidden(before === null ? null : shown(before)), new: hidden(shown(after)) },
    },
    app,
  );
  const content = {
    ...{ action, resourceType: "secret", resourceId: after.name, summary: `${action} for ${after.callerService}` },
    ...{ before: before === null ? null : shown(before), after: shown(after), metadata: {} },
  };
  const audit = actor === null ? [] : [auditRecord(actor, { entry: 0, world }, content)];
  return { answer, changes: { entries: [entry], audit, records: { webhookSecret: [after] } } };
}

function shown({ name, callerService, status, effectiveAt, previousUntil }: WebhookSecretRecord): JsonObject {
  const time = (at: Instant | null): string | null => (at === null ? null : new Date(at).toISOString());
  return {
    ...{ id: name, caller_service: callerService, status },
    ...{ effective_at: time(effectiveAt), previous_until: time(previousUntil) },
  };
}

function refused(code: "wrong_state", message: string): Carried<Refusal> {
  return { answer: refuse(code, message), changes: NO_CHANGE };
}

function noSuchSecret(): Carried<Refusal> {
  return { answer: refuse("webhook_secret_not_found", "There is no such secret"), changes: NO_CHANGE };
}
