import type { UseQueryResult } from "@tanstack/react-query";
import { useQuery } from "@tanstack/react-query";

import { call } from "./call.ts";
import type { Answer, JsonObject } from "./read.ts";
import { flag, jsonObject, list, nullable, object, orElse, text } from "./read.ts";

const readRack = object({
  name: text,
  alias: orElse(text, ""),
  host: orElse(text, ""),
  display_name: orElse(text, ""),
  enabled: orElse(flag, true),
  /** `system`, `pin` or `insecure`. */
  tls: orElse(text, "system"),
  fingerprint: nullable(text),
});
export type DeployRack = Answer<typeof readRack>;

const readInfo = object({
  rack: object({ name: text }),
  racks: orElse(list(readRack), []),
  integrations: orElse(jsonObject, {}),
  permissions: orElse(list(text), []),
});
export type DeployInfo = Answer<typeof readInfo>;

export function useDeployInfo(): UseQueryResult<DeployInfo> {
  return useQuery({
    queryKey: ["deploy-info"],
    queryFn: () => call(readInfo, "/api/v1/info"),
    staleTime: 60_000,
  });
}

/** Everything of a rack stands below its name. */
export function rackPath(rack: string): string {
  return `/racks/${encodeURIComponent(rack)}/api/v1`;
}

/** The rack's own answer about itself; asked when the page is opened and on demand, never by a timer. */
export function useRackSystem(rack: string, enabled: boolean): UseQueryResult<JsonObject> {
  return useQuery({
    queryKey: ["deploy-rack", rack],
    queryFn: () => call(jsonObject, `${rackPath(rack)}/rack`),
    enabled,
    retry: false,
    staleTime: 30_000,
  });
}
