/** Identity providers as the API shows them: never their secret. */
import {
  readProviderSettings,
  writeProviderSettings,
  type ProviderSettings,
} from "../../app/identity-provider-settings.ts";
import { callbackPathOf } from "../../app/oidc-provider.ts";
import {
  identityProviderSettingsSchema,
  type IdentityProviderOut,
  type IdentityProviderSettings,
} from "../../contract/identity-providers.ts";
import { wireTime } from "../../contract/wire-time.ts";
import type { IdentityProviderRecord } from "../../ports/identity-records.ts";

export function identityProviderOut(record: IdentityProviderRecord, publicUrl: string): IdentityProviderOut {
  const settings = readProviderSettings(record.settings);
  return {
    id: record.id,
    name: record.name,
    issuer: record.issuer,
    client_id: record.clientId,
    client_secret_set: record.clientSecret !== null,
    enabled: record.enabled,
    settings: identityProviderSettingsSchema.parse(writeProviderSettings(settings)),
    callback_url: `${publicUrl}${callbackPathOf(record, settings)}`,
    backchannel_logout_url: `${publicUrl}/auth/oidc/${record.id}/backchannel-logout`,
    created_at: wireTime(record.createdAt),
    updated_at: wireTime(record.updatedAt),
  };
}

export function settingsIn(given: IdentityProviderSettings): ProviderSettings {
  return readProviderSettings({ ...given });
}
