/** The one identity provider that the environment may name: made or brought up to date at start (docs/guide/configuration.md). */
import { isRefusal, type Refusal } from "../core/refusal.ts";
import type { IdentityProviderRecord } from "../ports/identity-records.ts";
import type { Application } from "./application.ts";
import {
  changeIdentityProvider,
  createIdentityProvider,
  listIdentityProviders,
  type ProviderDraft,
} from "./identity-provider.ts";
import { readProviderSettings, writeProviderSettings } from "./identity-provider-settings.ts";
import { asciiDomain } from "./oidc-email.ts";
import { openConnection } from "./oidc-provider.ts";

export interface EnvironmentProvider {
  readonly name: string;
  readonly issuer: string;
  readonly clientId: string;
  /** Null for a public client. */
  readonly clientSecret: string | null;
  readonly domains: readonly string[];
}

/** Null when everything is as the environment says; writes nothing when it was already. */
export async function keepEnvironmentProvider(
  app: Application,
  { name, issuer, clientId, clientSecret, domains }: EnvironmentProvider,
): Promise<Refusal | null> {
  const known = (await listIdentityProviders(app)).find((record) => record.name.toLowerCase() === name.toLowerCase());
  const draftFor = (record: IdentityProviderRecord | null): ProviderDraft => {
    const settings = { ...readProviderSettings(record?.settings ?? {}), domains };
    return { name: record?.name ?? name, issuer, clientId, clientSecret, enabled: record?.enabled ?? true, settings };
  };
  if (known !== undefined && isSame(app, known, draftFor(known))) return null;
  const answer =
    known === undefined
      ? await createIdentityProvider(app, "environment", draftFor(null))
      : await changeIdentityProvider(app, "environment", { id: known.id, change: draftFor });
  return isRefusal(answer) ? answer : null;
}

function isSame(app: Application, record: IdentityProviderRecord, draft: ProviderDraft): boolean {
  const connection = openConnection(app, record);
  if (isRefusal(connection) || connection.clientSecret !== draft.clientSecret) return false;
  const domains = draft.settings.domains.map((domain) => asciiDomain(domain) ?? domain);
  const wanted = writeProviderSettings({ ...draft.settings, domains });
  return (
    record.issuer === draft.issuer &&
    record.clientId === draft.clientId &&
    JSON.stringify(writeProviderSettings(readProviderSettings(record.settings))) === JSON.stringify(wanted)
  );
}
