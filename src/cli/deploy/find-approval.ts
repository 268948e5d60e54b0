/** Which request a command is about: by id, by branch, by commit, else by what is checked out (docs/spec/deploy.md R-CLI-8). */
import { textIn } from "../../client/api-client.ts";
import { DeployRefusal } from "../../client/deploy-refusal.ts";
import { checkApprovalId, listApprovals, readApproval, type ApprovalObject } from "./approval-object.ts";
import { chosenApp } from "./chosen-app.ts";
import { expandedCommit, headCommit } from "./chosen-commit.ts";
import { CliFault } from "./cli-outcome.ts";
import type { GatewayFlags } from "./gateway-flags.ts";
import { openGateways, type Gateway } from "./open-gateway.ts";

export interface FindFlags extends GatewayFlags {
  readonly branch?: string;
  readonly commit?: string;
}

export interface Found {
  readonly gateway: Gateway;
  readonly approval: ApprovalObject;
  /** More than one was named, so that texts name the one that was meant. */
  readonly isOneOfSeveral: boolean;
}

/** `wanted`: the status that comes first where several requests fit; the newest of the others after it. */
export async function findApproval(id: string | undefined, flags: FindFlags, wanted: string | null): Promise<Found> {
  const checked = id === undefined ? null : checkApprovalId(id);
  const gateways = openGateways(flags);
  const isOneOfSeveral = gateways.length > 1;
  const search = checked === null ? await searchOf(flags) : null;
  for (const gateway of gateways) {
    const approval =
      search === null ? await byId(gateway, checked ?? "", isOneOfSeveral) : await bySearch(gateway, search, wanted);
    if (approval !== null) return { gateway, approval, isOneOfSeveral };
  }
  throw new CliFault(search === null ? "deploy approval request not found" : search.notFound);
}

/** Where only one rack was named, its own words are better. */
async function byId(gateway: Gateway, id: string, isOneOfSeveral: boolean): Promise<ApprovalObject | null> {
  try {
    return await readApproval(gateway, id);
  } catch (error) {
    if (isOneOfSeveral && error instanceof DeployRefusal && error.parts.status === 404) return null;
    throw error;
  }
}

interface Search {
  readonly query: Readonly<Record<string, string>>;
  readonly notFound: string;
}

export async function searchOf(flags: FindFlags): Promise<Search> {
  const app = chosenApp(flags.app);
  const none = `no deploy approval request found for app "${app}"`;
  if (flags.branch !== undefined) {
    return { query: { app, git_branch: flags.branch }, notFound: `${none} branch "${flags.branch}"` };
  }
  const commit = flags.commit === undefined ? await headCommit() : await expandedCommit(flags.commit);
  return { query: { app, git_commit: commit }, notFound: `${none} commit "${commit}"` };
}

async function bySearch(gateway: Gateway, { query }: Search, wanted: string | null): Promise<ApprovalObject | null> {
  const approvals = await listApprovals(gateway, { ...query, limit: "50" });
  const fitting = approvals.filter(({ json }) => query["app"] === textIn(json, "app"));
  return fitting.find(({ status }) => status === wanted) ?? fitting[0] ?? null;
}
