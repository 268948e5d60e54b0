import type { UseQueryResult } from "@tanstack/react-query";
import { useQuery } from "@tanstack/react-query";

import { call } from "./call.ts";
import type { Answer } from "./read.ts";
import { list, nothing, nullable, object, orElse, text } from "./read.ts";

const readToken = object({
  public_id: text,
  name: text,
  permissions: orElse(list(text), []),
  created_at: text,
  created_by_name: nullable(text),
  expires_at: nullable(text),
  last_used_at: nullable(text),
  racks: nullable(list(text)),
  apps: nullable(list(text)),
  kind: orElse(text, "user"),
  owner_email: nullable(text),
});
export type DeployToken = Answer<typeof readToken>;

export function useDeployTokens(): UseQueryResult<readonly DeployToken[]> {
  return useQuery({ queryKey: ["deploy-tokens"], queryFn: () => call(list(readToken), "/api/v1/api-tokens") });
}

const readRole = object({
  name: text,
  label: orElse(text, ""),
  description: orElse(text, ""),
  permissions: orElse(list(text), []),
});

const readOffered = object({
  permissions: list(text),
  roles: list(readRole),
  default_permissions: orElse(list(text), []),
});
export type OfferedPermissions = Answer<typeof readOffered>;

export function useOfferedPermissions(): UseQueryResult<OfferedPermissions> {
  return useQuery({
    queryKey: ["deploy-token-permissions"],
    queryFn: () => call(readOffered, "/api/v1/api-tokens/permissions"),
    staleTime: 60_000,
  });
}

export interface DeployTokenDraft {
  readonly name: string;
  readonly user_email?: string;
  readonly permissions: readonly string[];
  readonly expires_at: string;
  readonly racks?: readonly string[];
  readonly apps?: readonly string[];
}

const readMade = object({ token: text, name: text });
type MadeDeployToken = Answer<typeof readMade>;

export function makeDeployToken(draft: DeployTokenDraft): Promise<MadeDeployToken> {
  return call(readMade, "/api/v1/api-tokens", { method: "POST", body: draft });
}

export function deleteDeployToken(id: string): Promise<null> {
  return call(nothing, `/api/v1/api-tokens/${encodeURIComponent(id)}`, { method: "DELETE" });
}
