/** The configured provider behind a sign-in: found, enabled, of an organization that is not suspended, its secret opened. */
import { isId } from "../core/ids.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { IdentityProviderRecord } from "../ports/identity-records.ts";
import type { ProviderConnection, ProviderFault } from "../ports/identity-provider.ts";
import { recordsBy } from "../ports/records.ts";
import { SecretUnreadable, type SealedPlace } from "../ports/sealing.ts";
import type { Application } from "./application.ts";
import { readProviderSettings, type ProviderSettings } from "./identity-provider-settings.ts";

export interface FoundProvider {
  readonly record: IdentityProviderRecord;
  readonly settings: ProviderSettings;
  readonly connection: ProviderConnection;
  /** Of the provider's organization: whoever signs in here signs in there. */
  readonly app: Application;
}

/** Unknown, switched off and deleted ones are the same to whoever asks. */
export async function findProvider(app: Application, id: string): Promise<FoundProvider | Refusal> {
  const [record] = isId(id) ? await app.reader.records(recordsBy("identityProvider", "id", [id])) : [];
  if (record?.deletedAt !== null || !record.enabled) return refuse("not_found", "There is no such identity provider");
  const [organization] = await app.reader.records(recordsBy("organization", "id", [record.orgId]));
  if (organization?.status !== "active") return refuse("org_suspended", "This organization is suspended");
  const connection = openConnection(app, record);
  if (isRefusal(connection)) return connection;
  const own = record.orgId === app.orgId ? app : app.forOrganization(record.orgId);
  return { record, settings: readProviderSettings(record.settings), connection, app: own };
}

export function openConnection(
  app: Application,
  { id, orgId, issuer, clientId, clientSecret }: IdentityProviderRecord,
): ProviderConnection | Refusal {
  if (clientSecret === null) return { issuer, clientId, clientSecret };
  try {
    return { issuer, clientId, clientSecret: app.seals.open(clientSecret, clientSecretPlace({ id, orgId })) };
  } catch (error) {
    if (!(error instanceof SecretUnreadable)) throw error;
    return refuse("secret_unreadable", "The client secret of this identity provider cannot be opened");
  }
}

export function clientSecretPlace({ id, orgId }: Pick<IdentityProviderRecord, "id" | "orgId">): SealedPlace {
  return { table: "identity_providers", column: "client_secret", row: id, orgId };
}

/** Each provider has a path of its own, so that no issuer's answer is taken for another's (R-IDP-3). */
export function callbackPathOf(record: Pick<IdentityProviderRecord, "id">, settings: ProviderSettings): string {
  return settings.callbackPath ?? `/auth/oidc/${record.id}/callback`;
}

export function redirectUriOf(app: Application, { record, settings }: FoundProvider): string {
  return `${app.identity.publicUrl}${callbackPathOf(record, settings)}`;
}

/** The sentence for whoever signs in; the detail is the operator's. */
export function providerRefusal({ fault }: ProviderFault): Refusal {
  return refuse(fault, SENTENCES[fault]);
}

const SENTENCES = {
  identity_provider_unreachable: "The identity provider does not answer: try again in a moment",
  identity_provider_misconfigured: "The identity provider is set up wrongly: tell an administrator",
  id_token_invalid: "The identity provider's answer does not verify: start the sign-in again",
  login_state_invalid: "This sign-in was not started here, was used before, or took too long: start it again",
} as const satisfies Record<ProviderFault["fault"], string>;
