/** The identity provider that the configuration names, if any; one that cannot be used stops the start (docs/spec/identity.md R-IDP-1). */
import type { Application } from "../app/application.ts";
import { keepEnvironmentProvider } from "../app/identity-provider-environment.ts";
import type { Config } from "./config-schema.ts";
import { StartRefused } from "./start-refused.ts";

export async function keepConfiguredProvider(app: Application, { countersign }: Config): Promise<void> {
  const { oidc_issuer: issuer, oidc_client_id: clientId, oidc_client_secret: secret } = countersign;
  if (issuer === "") return;
  if (clientId === "") throw refusedStart("it needs countersign.oidc_client_id beside it");
  const refused = await keepEnvironmentProvider(app, {
    ...{ name: countersign.oidc_name, issuer, clientId, clientSecret: secret === "" ? null : secret },
    domains: countersign.oidc_domains
      .split(",")
      .map((domain) => domain.trim())
      .filter((domain) => domain !== ""),
  });
  if (refused !== null) throw refusedStart(refused.message);
}

function refusedStart(why: string): StartRefused {
  return new StartRefused("identity_provider_misconfigured", `countersign.oidc_issuer cannot be used: ${why}.`);
}
