/** The secrets that calls to callers' addresses are signed with, and the public keys (docs/spec/engine.md R-HOOK-5, R-HOOK-15 to R-HOOK-18). */
import { z } from "zod";
import { testWebhook } from "../../app/effects/test-webhook.ts";
import {
  createSecret,
  listSecrets,
  revokeSecret,
  rotateSecret,
  type ShownSecret,
} from "../../app/effects/webhook-secret.ts";
import {
  createSecretSchema,
  rotateSecretSchema,
  secretOutSchema,
  shownSecretSchema,
  testedSchema,
  testSecretSchema,
  webhookKeysSchema,
  type SecretOut,
} from "../../contract/webhook-secrets.ts";
import { wireTime, wireTimeOrNull } from "../../contract/wire-time.ts";
import { isRefusal, refuse } from "../../core/refusal.ts";
import type { WebhookSecretRecord } from "../../ports/webhook-records.ts";
import { created, ok } from "../answers.ts";
import { endpoint, type Endpoint } from "../endpoint.ts";
import { tooManyTests } from "../outbound-tests.ts";
import { pathText } from "../path-values.ts";
import type { ServerOptions } from "../server-options.ts";

const tag = "administration";

export function webhookSecretRoutes({ webhooks }: Pick<ServerOptions, "webhooks">): readonly Endpoint[] {
  return [listing(), creating(), rotating(), revoking(), testing(webhooks)];
}

/** Anybody may check a signature. */
export function webhookKeysRoute({ webhooks }: Pick<ServerOptions, "webhooks">): Endpoint {
  return endpoint({
    method: "GET",
    url: "/webhook-keys",
    summary: "The keys that verify the v1a signatures of webhooks",
    tag: "service",
    answers: { 200: webhookKeysSchema },
    handle: () =>
      Promise.resolve(
        ok({
          keys: (webhooks?.keys ?? []).map(({ id, publicKey }) => ({
            id,
            algorithm: "ed25519",
            public_key: publicKey,
          })),
        }),
      ),
  });
}

function listing(): Endpoint {
  return endpoint({
    method: "GET",
    url: "/admin/secrets",
    summary: "Whose secrets there are; never the secrets",
    tag,
    answers: { 200: z.array(secretOutSchema) },
    async handle({ caller: { app } }) {
      const [secrets, uses] = await Promise.all([listSecrets(app), app.reader.secretUses()]);
      return ok(secrets.map((record) => secretOut(record, uses.get(record.name) ?? null)));
    },
  });
}

function creating(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/admin/secrets",
    summary: "Make a secret for a caller; it is shown once",
    tag,
    body: createSecretSchema,
    answers: { 201: shownSecretSchema },
    async handle({ caller, body }) {
      const made = await createSecret(caller.app, caller.actor, {
        ...{ name: body.id ?? null, callerService: body.caller_service, secret: body.secret ?? null },
        ...{ allowedCallers: body.allowed_callers ?? null, allowedUrls: body.allowed_urls ?? null },
      });
      return isRefusal(made) ? made : created(shown(made));
    },
  });
}

function rotating(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/admin/secrets/:id/rotate",
    summary: "Replace a secret; both sign for the overlap",
    tag,
    body: rotateSecretSchema,
    answers: { 200: shownSecretSchema },
    async handle({ caller, body, params }) {
      const rotated = await rotateSecret(caller.app, caller.actor, {
        ...{ name: pathText(params, "id"), secret: body.secret ?? null, effectiveAt: body.effective_at ?? null },
        overlapSeconds: body.overlap_seconds,
      });
      return isRefusal(rotated) ? rotated : ok(shown(rotated));
    },
  });
}

function revoking(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/admin/secrets/:id/revoke",
    summary: "End a secret: nothing more is sent for its caller",
    tag,
    answers: { 200: secretOutSchema },
    async handle({ caller, params }) {
      const revoked = await revokeSecret(caller.app, caller.actor, pathText(params, "id"));
      return isRefusal(revoked) ? revoked : ok(secretOut(revoked, null));
    },
  });
}

function testing(webhooks: ServerOptions["webhooks"]): Endpoint {
  return endpoint({
    method: "POST",
    url: "/admin/secrets/:id/test",
    summary: "Send a signed test event to an address now",
    tag,
    body: testSecretSchema,
    answers: { 200: testedSchema },
    async handle({ caller, body, params, gone }) {
      if (webhooks === undefined) return refuse("not_available", "No callbacks are sent here");
      const tooMany = await tooManyTests(caller);
      if (tooMany !== null) return tooMany;
      const asked = { name: pathText(params, "id"), url: body.url };
      const tested = await testWebhook(caller.app, webhooks, asked, gone());
      return isRefusal(tested) ? tested : ok({ ...tested });
    },
  });
}

function shown({ record, secret }: ShownSecret): SecretOut & { secret: string } {
  return { ...secretOut(record, null), secret };
}

function secretOut(record: WebhookSecretRecord, lastUsedAt: number | null): SecretOut {
  const { name, callerService, status, allowedCallers, allowedUrls } = record;
  return {
    ...{ id: name, caller_service: callerService, status, created_at: wireTime(record.createdAt) },
    ...{ effective_at: wireTime(record.effectiveAt), previous_until: wireTimeOrNull(record.previousUntil) },
    last_used_at: wireTimeOrNull(lastUsedAt),
    allowed_callers: allowedCallers === null ? null : [...allowedCallers],
    allowed_urls: allowedUrls === null ? null : [...allowedUrls],
  };
}
