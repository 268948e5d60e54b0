import type { UseQueryResult } from "@tanstack/react-query";
import { useQuery } from "@tanstack/react-query";

import { call } from "./call.ts";
import type { Answer } from "./read.ts";
import { json, list, nullable, object, orElse, text } from "./read.ts";

const readOrganization = object({
  id: text,
  name: text,
  slug: nullable(text),
  status: orElse(text, "active"),
  created_at: nullable(text),
});
export type Organization = Answer<typeof readOrganization>;

export function useOrganizations(): UseQueryResult<readonly Organization[]> {
  return useQuery({ queryKey: ["organizations"], queryFn: () => call(list(readOrganization), "/v1/orgs") });
}

export interface OrganizationDraft {
  readonly name: string;
  readonly slug: string;
}

export function saveOrganization(id: string | null, draft: OrganizationDraft): Promise<unknown> {
  return call(json, id === null ? "/v1/orgs" : `/v1/orgs/${encodeURIComponent(id)}`, {
    method: id === null ? "POST" : "PATCH",
    body: draft,
  });
}

export function switchOrganization(id: string, act: "suspend" | "reactivate"): Promise<unknown> {
  return call(json, `/v1/orgs/${encodeURIComponent(id)}/${act}`, { method: "POST", body: {} });
}
