/** Who calls the deploy gate's API, and what of it concerns them (docs/spec/deploy.md section 11.1). */
import { permits, type Permission } from "../../core/permission.ts";
import type { Actor } from "../admitted-actor.ts";
import type { DeployViewer } from "../../ports/deploy-reader.ts";
import type { RackActor } from "../../ports/rack.ts";
import { tokenOf } from "../grant-act.ts";
import type { WorkloadIdentity } from "../workload-identity.ts";

export interface DeployCaller {
  readonly actor: Actor;
  readonly roles: readonly string[];
  /** What narrows a token; null where nothing does. */
  readonly limits: { readonly racks: readonly string[] | null; readonly apps: readonly string[] | null } | null;
  /** Which job of which pipeline calls (R-OIDC-1); null for people and for tokens that somebody made. */
  readonly workload: WorkloadIdentity | null;
}

/** Who it is, without what narrows it. */
export type DeployIdentity = Pick<DeployCaller, "actor" | "workload">;

const APPROVE: Permission = "gateway:deploy_approval_request:approve";

export function mayApprove({ permissions, machine }: Actor): boolean {
  return !machine && permits(permissions, APPROVE);
}

/** The calling token's public id, of a workload that of its provider; null for people. */
export function callingToken({ actor, workload }: DeployIdentity): string | null {
  return workload?.tokenId ?? (actor.machine ? tokenOf(actor) : null);
}

/** With approve, or as an auditor, all; else what one made, what is for one's token, what is for the tokens one owns. */
export function deployViewer(caller: DeployIdentity): DeployViewer {
  const { actor } = caller;
  return {
    readsAll: mayApprove(actor) || actor.viewer,
    personId: actor.person?.id ?? null,
    tokenId: callingToken(caller),
  };
}

/** How the rack's own log names them. */
export function rackActor({ machine, displayName, email, assignee }: Actor): RackActor {
  return machine ? { name: `token:${displayName}`, email: "" } : { name: email ?? assignee, email: email ?? assignee };
}

/** True where a token may be used for this rack and app (identity R-TOK-7). */
export function coversPlace(
  limits: DeployCaller["limits"],
  { scope, app }: { readonly scope: string; readonly app: string },
): boolean {
  const within = (list: readonly string[] | null | undefined, name: string): boolean => list?.includes(name) ?? true;
  return within(limits?.racks, scope) && within(limits?.apps, app);
}
