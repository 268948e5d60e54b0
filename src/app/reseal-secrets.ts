/** Seals what stands in these records with the key that seals now, in one transaction (docs/spec/identity.md R-SEAL-3). */
import type { ChatIntegrationRecord } from "../ports/chat.ts";
import type { World } from "../ports/command-store.ts";
import type { FactorRecord, IdentityProviderRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { WebhookSecretRecord } from "../ports/webhook-records.ts";
import { SecretUnreadable, type SealedPlace } from "../ports/sealing.ts";
import type { Application } from "./application.ts";
import { tokenPlace } from "./deploy/chat-integration.ts";
import { describe, hidden } from "./entry-writer.ts";
import { factorSecret } from "./factor-places.ts";
import { secretPlace } from "./effects/webhook-secret.ts";
import { NO_CHANGE } from "./no-change.ts";
import { clientSecretPlace } from "./oidc-provider.ts";

export interface Resealed {
  readonly resealed: number;
  /** Could not be opened, and stay as they are. */
  readonly unreadable: number;
}

export async function resealSecrets(
  app: Application,
  kind: "factor" | "identityProvider" | "chatIntegration" | "webhookSecret",
  ids: readonly string[],
): Promise<Resealed> {
  return app.store.submit<Resealed>({
    name: "reseal_secrets",
    needs: { records: [kind === "chatIntegration" ? recordsBy(kind, "orgId", ids) : recordsBy(kind, "id", ids)] },
    carryOut(world) {
      const factors = kind === "factor" ? resealedFactors(app, world, ids) : [];
      const providers = kind === "identityProvider" ? resealedProviders(app, world, ids) : [];
      const chats = kind === "chatIntegration" ? resealedChats(app, world, ids) : [];
      const webhooks = kind === "webhookSecret" ? resealedWebhooks(app, world, ids) : [];
      const resealed = factors.length + providers.length + chats.length + webhooks.length;
      const answer = { resealed, unreadable: ids.length - resealed };
      if (resealed === 0) return { answer, changes: NO_CHANGE };
      const entry = describe(
        {
          ...{
            org: null,
            kind: "setting.changed",
            actor: "sys_server",
            credential: null,
            resource: null,
            request: null,
          },
          data: { key: "sealing.key", old: null, new: hidden({ kind, resealed }) },
        },
        app,
      );
      const records = { factor: factors, identityProvider: providers, chatIntegration: chats, webhookSecret: webhooks };
      return { answer, changes: { entries: [entry], records } };
    },
  });
}

function resealedFactors(app: Application, world: World, ids: readonly string[]): readonly FactorRecord[] {
  return ids
    .flatMap((id) => world.records("factor", "id", id))
    .flatMap((factor) => {
      const secret = resealed(app, factor.secret, factorSecret(factor.id));
      return secret === null ? [] : [{ ...factor, secret }];
    });
}

function resealedProviders(app: Application, world: World, ids: readonly string[]): readonly IdentityProviderRecord[] {
  return ids
    .flatMap((id) => world.records("identityProvider", "id", id))
    .flatMap((provider) => {
      const clientSecret = resealed(app, provider.clientSecret, clientSecretPlace(provider));
      return clientSecret === null ? [] : [{ ...provider, clientSecret }];
    });
}

/** Both secrets of a line, or neither: half a line would sign for nobody. */
function resealedWebhooks(app: Application, world: World, ids: readonly string[]): readonly WebhookSecretRecord[] {
  return ids
    .flatMap((id) => world.records("webhookSecret", "id", id))
    .flatMap((record) => {
      const secret = resealed(app, record.secret, secretPlace(record, "secret"));
      const previous = resealed(app, record.previous, secretPlace(record, "previous"));
      const isWhole = secret !== null && (previous === null) === (record.previous === null);
      return isWhole ? [{ ...record, secret, previous }] : [];
    });
}

function resealedChats(app: Application, world: World, ids: readonly string[]): readonly ChatIntegrationRecord[] {
  return ids
    .flatMap((id) => world.records("chatIntegration", "orgId", id))
    .flatMap((chat) => {
      const botToken = resealed(app, chat.botToken, tokenPlace(chat.orgId));
      return botToken === null ? [] : [{ ...chat, botToken }];
    });
}

function resealed({ seals }: Application, sealed: string | null, place: SealedPlace): string | null {
  if (sealed === null) return null;
  try {
    return seals.seal(seals.open(sealed, place), place);
  } catch (error) {
    if (error instanceof SecretUnreadable) return null;
    throw error;
  }
}
