/** Setting up identity providers (docs/spec/identity.md section 7). */
import { z } from "zod";
import {
  changeIdentityProvider,
  createIdentityProvider,
  deleteIdentityProvider,
  listIdentityProviders,
  ownIdentityProvider,
} from "../../app/identity-provider.ts";
import { readProviderSettings } from "../../app/identity-provider-settings.ts";
import { openConnection } from "../../app/oidc-provider.ts";
import { isRefusal, type Refusal } from "../../core/refusal.ts";
import {
  changeIdentityProviderSchema,
  createIdentityProviderSchema,
  identityProviderOutSchema,
  providerTestSchema,
} from "../../contract/identity-providers.ts";
import type { IdentityProviderRecord } from "../../ports/identity-records.ts";
import { NO_CONTENT, ok } from "../answers.ts";
import type { Authorized } from "../authorized.ts";
import { endpoint, type Endpoint, type Outcome } from "../endpoint.ts";
import { tooManyTests } from "../outbound-tests.ts";
import { pathText } from "../path-values.ts";
import { identityProviderOut, settingsIn } from "../wire/identity-provider-out.ts";

const tag = "identity providers";

export function identityProviderRoutes(): readonly Endpoint[] {
  return [list(), create(), change(), remove(), test()];
}

function list(): Endpoint {
  return endpoint({
    method: "GET",
    url: "/identity-providers",
    summary: "Who vouches for people here",
    tag,
    answers: { 200: z.array(identityProviderOutSchema) },
    async handle({ caller: { app } }) {
      const records = await listIdentityProviders(app);
      return ok(records.map((record) => identityProviderOut(record, app.identity.publicUrl)));
    },
  });
}

function create(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/identity-providers",
    summary: "Add an identity provider",
    tag,
    body: createIdentityProviderSchema,
    answers: { 201: identityProviderOutSchema },
    async handle({ body, caller }) {
      const made = await createIdentityProvider(caller.app, caller.actor, {
        ...{ name: body.name, issuer: body.issuer, clientId: body.client_id, clientSecret: body.client_secret },
        ...{ enabled: body.enabled, settings: settingsIn(body.settings) },
      });
      return shown(caller, made, 201);
    },
  });
}

function change(): Endpoint {
  return endpoint({
    method: "PATCH",
    url: "/identity-providers/:id",
    summary: "Change an identity provider",
    tag,
    body: changeIdentityProviderSchema,
    answers: { 200: identityProviderOutSchema },
    async handle({ params, body, caller }) {
      const changed = await changeIdentityProvider(caller.app, caller.actor, {
        id: pathText(params, "id"),
        change: (record) => ({
          name: body.name ?? record.name,
          issuer: body.issuer ?? record.issuer,
          clientId: body.client_id ?? record.clientId,
          clientSecret: body.client_secret,
          enabled: body.enabled ?? record.enabled,
          settings: body.settings === undefined ? readProviderSettings(record.settings) : settingsIn(body.settings),
        }),
      });
      return shown(caller, changed, 200);
    },
  });
}

function remove(): Endpoint {
  return endpoint({
    method: "DELETE",
    url: "/identity-providers/:id",
    summary: "Remove an identity provider",
    tag,
    answers: { 204: z.null() },
    async handle({ params, caller }) {
      const removed = await deleteIdentityProvider(caller.app, caller.actor, pathText(params, "id"));
      return isRefusal(removed) ? removed : NO_CONTENT;
    },
  });
}

function test(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/identity-providers/:id/test",
    summary: "Ask an identity provider what it says of itself",
    tag,
    answers: { 200: providerTestSchema },
    async handle({ params, caller }) {
      const tooMany = await tooManyTests(caller);
      if (tooMany !== null) return tooMany;
      const record = await ownIdentityProvider(caller.app, pathText(params, "id"));
      return isRefusal(record) ? record : inspected(caller, record);
    },
  });
}

async function inspected({ app }: Authorized, record: IdentityProviderRecord): Promise<Outcome> {
  const connection = openConnection(app, record);
  if (isRefusal(connection)) return connection;
  const found = await app.identityProviders.inspect(connection);
  if ("fault" in found) return ok({ ok: false, code: found.fault, detail: found.detail });
  return ok({
    ok: true,
    authorization_endpoint: found.authorizationEndpoint,
    token_endpoint: found.tokenEndpoint,
    jwks_uri: found.jwksUri,
    keys: found.keys,
    names_itself: found.namesItself,
  });
}

function shown({ app }: Authorized, record: IdentityProviderRecord | Refusal, status: 200 | 201): Outcome {
  return isRefusal(record) ? record : { status, body: identityProviderOut(record, app.identity.publicUrl) };
}
