/** What a request permits now; looked at, not used (R-GRANT-4). For who made it, and for administrators. */
import { isCreator } from "../core/cancel-request.ts";
import type { Grant } from "../core/grant.ts";
import type { RequestId } from "../core/ids.ts";
import { tryCompilePolicy } from "../core/compile-policy.ts";
import type { Actor } from "./admitted-actor.ts";
import { Bug, refuse, type Refusal } from "../core/refusal.ts";
import type { Request } from "../core/request.ts";
import { verdictOn, type Verdict } from "../core/verdict.ts";
import type { Viewer } from "../ports/reader.ts";
import type { Application } from "./application.ts";
import { unsupportedGrant } from "./grant-support.ts";

export interface ShownVerdict {
  readonly verdict: Verdict;
  readonly grant: Grant | null;
}

/** Undefined when the request is unknown or not the viewer's to see. */
export async function showVerdict(
  app: Application,
  id: RequestId,
  viewer: Viewer,
  actor: Actor,
): Promise<ShownVerdict | Refusal | undefined> {
  const request = await app.reader.request(id, viewer);
  if (request === undefined) return undefined;
  if (!actor.admin && !isCreator(request, actor)) {
    return refuse("forbidden", "Only an administrator or who made the request is told what it permits");
  }
  const verdict = verdictOn(request, app.clock());
  const isSupported = verdict.verdict !== "permit" || (await supports(app, request));
  const shown: Verdict = isSupported ? verdict : { verdict: "deny", reason: "grant_not_supported" };
  return { verdict: shown, grant: request.grant };
}

async function supports(app: Application, request: Request): Promise<boolean> {
  const [version, recorded] = await Promise.all([
    app.reader.policyById(request.policy.id),
    app.reader.recordedOf(request.id),
  ]);
  const compiled = version === undefined ? undefined : tryCompilePolicy(version.document);
  if (version === undefined || compiled?.ok !== true) throw new Bug("the policy of a request cannot be read");
  const policy = { version, policy: compiled.policy };
  return unsupportedGrant({ request, policy, recorded, sha256: app.sha256 }) === null;
}
