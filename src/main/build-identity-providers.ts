/** Puts together what verifies other issuers' tokens: every call to them goes through the guarded fetch. */
import { createIdentityProviders } from "../adapters/oidc/openid-providers.ts";
import { createGuardedFetch, type GuardedFetchSettings } from "../adapters/outbound/guarded-fetch.ts";
import { outboundUrlFault } from "../adapters/outbound/outbound-url.ts";
import type { Application } from "../app/application.ts";
import { KeySet } from "../http/token-verification/key-set.ts";
import { createWorkloadTokens } from "../http/token-verification/workload-tokens.ts";

export interface IdentityProviderParts {
  readonly outbound: GuardedFetchSettings;
  readonly clock: () => number;
  /** Told about every fetch of keys that failed. */
  readonly warn: (cause: unknown) => void;
}

export function buildIdentityProviders({
  outbound,
  clock,
  warn,
}: IdentityProviderParts): Pick<Application, "identityProviders" | "workloadTokens"> {
  const fetch = createGuardedFetch(outbound);
  const fetchJson = async (url: string): Promise<unknown> => {
    const answer = await fetch(url, { headers: { accept: "application/json" } });
    if (!answer.ok) throw new Error(`${url} answered ${String(answer.status)}`);
    return answer.json();
  };
  const world = { fetchJson, clock, warn };
  return {
    identityProviders: createIdentityProviders({
      ...{ fetch, clock, development: outbound.development },
      tell: (issuer, { fault, detail }) => {
        warn(new Error(`${issuer}: ${fault}: ${detail}`));
      },
      urlFault: (url) => outboundUrlFault(url, outbound),
      keysAt: (issuer, jwksUrl) => new KeySet({ issuer, jwksUrl }, world),
    }),
    workloadTokens: createWorkloadTokens(world),
  };
}
