/** A workload's token as a credential of the API (docs/spec/identity.md R-WID-1). */
import type { Application } from "../../app/application.ts";
import { readTokenLimits } from "../../app/token-limits.ts";
import { presentWorkload } from "../../app/workload-caller.ts";
import { isRefusal } from "../../core/refusal.ts";
import type { Caller } from "../authorized.ts";
import { problemOfRefusal, type Problem } from "../problem.ts";

/** Null when no registered provider issued it: somebody else may know it. */
export async function workloadCaller(app: Application, token: string): Promise<Caller | Problem | null> {
  const presented = await presentWorkload(app, token);
  if (presented === null) return null;
  if (isRefusal(presented)) {
    const refused = problemOfRefusal(presented);
    return { ...refused, headers: { ...refused.headers, "WWW-Authenticate": "Bearer" } };
  }
  const { actor, orgId, expiresAt, singleUse, identity, provider } = presented;
  return {
    ...{ kind: "machine_jwt", actor, roles: [], app: app.forOrganization(orgId), expiresAt, singleUse },
    ...{ session: null, sessionToken: null, enrolled: false },
    ...{ limits: readTokenLimits(provider.limits), workload: identity },
  };
}
