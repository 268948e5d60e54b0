/**
 * A run of GitHub Actions waits for our protection rule: approval is asked for the app that names its repository and environment, in
 * the name of the token that the app's settings name. Implements docs/spec/deploy.md R-CI-9.
 */
import { mayAct } from "../../core/person-status.ts";
import { permits, type Permission } from "../../core/permission.ts";
import { isRefusal } from "../../core/refusal.ts";
import { permissionsOf } from "../../core/roles.ts";
import { isSameRepo } from "../../gates/deploy/vcs-links.ts";
import type { ProtectionRuleRequest } from "../../ports/github-webhook.ts";
import type { MachineRecord } from "../../ports/identity-records.ts";
import type { Rack } from "../../ports/rack.ts";
import { recordsBy } from "../../ports/records.ts";
import { admitted } from "../admitted-actor.ts";
import type { Application } from "../application.ts";
import { isReplay } from "../idempotency.ts";
import { ledgerId } from "../ledger-names.ts";
import { machineActor } from "../machine-actor.ts";
import { readTokenLimits } from "../token-limits.ts";
import { tokenPermissions } from "../token-permissions.ts";
import { createDeployApproval } from "./create-deploy-approval.ts";
import type { DeployCaller } from "./deploy-caller.ts";
import { isGateRefusal } from "./refused-by-gate.ts";

export type GithubRequested =
  | { readonly status: "created"; readonly id: string }
  /** One for this commit lives already; the run waits for it too. */
  | { readonly status: "joined"; readonly id: string }
  /** This delivery was answered before. */
  | { readonly status: "repeated" }
  /** Nothing was made, and a repetition would change nothing. */
  | { readonly status: "refused"; readonly why: string }
  /** Something did not answer: the delivery may be sent again. */
  | { readonly status: "unavailable"; readonly why: string };

const SEEN = "github_delivery";
/** GitHub lets people send one again for three days. */
const SEEN_MS = 7 * 24 * 60 * 60_000;

export async function requestFromGithub(
  installation: Application,
  asked: ProtectionRuleRequest,
): Promise<GithubRequested> {
  const { delivery } = asked;
  const seen = await installation.reader.records(recordsBy("spentProof", "value", [delivery]));
  if (seen.some(({ scope }) => scope === SEEN)) return { status: "repeated" };
  const outcome = await requested(installation, asked);
  if (outcome.status !== "unavailable") {
    const now = installation.clock();
    const spent = { scope: SEEN, value: delivery, answer: null, spentAt: now, expiresAt: now + SEEN_MS };
    await installation.scratch.add("spentProof", spent);
  }
  return outcome;
}

async function requested(installation: Application, asked: ProtectionRuleRequest): Promise<GithubRequested> {
  const places = await placesOf(installation, asked);
  const [place, second] = places;
  const unmapped = (why: string): Promise<GithubRequested> => remarked(installation, asked, why);
  if (place === undefined) return unmapped("no app is set up for this repository and environment");
  if (second !== undefined) return unmapped("more than one app is set up for this repository and environment");
  const { app, rack, appName, tokenName } = place;
  if (tokenName === null) return unmapped("github_actions_token is not set for this app");
  const caller = await callerOf(app, tokenName);
  if (caller === null) return unmapped("github_actions_token names no token that lives and may ask for approvals");
  const body = {
    ...{ app: appName, git_commit_hash: asked.commit, message: messageOf(asked), ci_metadata: { ...asked.metadata } },
    ...(asked.branch === null ? {} : { git_branch: asked.branch }),
  };
  return answered(await createDeployApproval(app, caller, { rack, body }, null));
}

/** Whoever looks at the run reads why nobody decides about it; that they cannot be told changes nothing. */
async function remarked(
  { deploy }: Application,
  { repo, metadata }: ProtectionRuleRequest,
  why: string,
): Promise<GithubRequested> {
  const comment = `Countersign asks nobody about this deployment, and does not approve it: ${why}.`;
  await deploy.ci("github_actions")?.remark?.({ repo, metadata, comment });
  return refused(why);
}

function answered(made: Awaited<ReturnType<typeof createDeployApproval>>): GithubRequested {
  if ("waitSeconds" in made) return { status: "unavailable", why: "too many deploy approval requests" };
  if (isReplay(made)) throw new Error("no key was given (this is a bug)");
  if (!isRefusal(made)) return { status: "created", id: made.id };
  if (!isGateRefusal(made)) return refused(made.message);
  const { gate, about } = made;
  if (gate.code === "deploy_approval_exists" && about !== null) return { status: "joined", id: about };
  return gate.status >= 500 ? { status: "unavailable", why: gate.message } : refused(gate.message);
}

function refused(why: string): GithubRequested {
  return { status: "refused", why };
}

interface GithubPlace {
  readonly app: Application;
  readonly rack: Rack;
  readonly appName: string;
  readonly tokenName: string | null;
}

/** In whichever organization: the repository and the environment say which. */
async function placesOf(
  installation: Application,
  { repo, environment }: ProtectionRuleRequest,
): Promise<readonly GithubPlace[]> {
  const { racks, settings } = installation.deploy;
  const scopes = racks.all().map(({ info }) => info.name);
  const found: GithubPlace[] = [];
  for (const { id, status } of await installation.reader.organizations()) {
    if (status !== "active") continue;
    const app = installation.forOrganization(id);
    for (const { scope, app: appName } of await settings.places(app, scopes)) {
      const { app: own } = await settings.ofApp(app, scope, appName);
      const { vcsRepo, githubEnvironment, githubActionsToken } = own;
      const isOurs =
        vcsRepo.value !== null && isSameRepo(vcsRepo.value, repo) && githubEnvironment.value === environment;
      const rack = racks.find(scope);
      if (isOurs && rack !== undefined) found.push({ app, rack, appName, tokenName: githubActionsToken.value });
    }
  }
  return found;
}

const CREATE: Permission = "gateway:deploy_approval_request:create";

/** The machine behind the token, with what the token may do now. */
async function callerOf(app: Application, tokenName: string): Promise<DeployCaller | null> {
  const ids = await app.reader.tokensNamed(tokenName);
  const now = app.clock();
  const live = (await app.reader.records(recordsBy("apiToken", "id", ids))).filter(
    ({ orgId, revokedAt, expiresAt }) =>
      orgId === app.orgId && revokedAt === null && (expiresAt === null || expiresAt > now),
  );
  const [token, second] = live;
  if (token === undefined || second !== undefined) return null;
  const [machine] = await app.reader.records(recordsBy("machine", "id", [token.machineId]));
  if (machine?.disabledAt !== null) return null;
  const owners = await ownersOf(app, machine);
  if (owners !== null && owners.length === 0) return null;
  const { scopes, creatorPermissions } = token;
  const permissions = tokenPermissions({ scopes, creatorPermissions, owners });
  if (!permits(permissions, CREATE)) return null;
  const actor = admitted(machineActor(machine, { permissions, credential: ledgerId("tok", token.id) }));
  return { actor, roles: [], limits: readTokenLimits(token.limits), workload: null };
}

/** What the active ones hold; null for a service account, which nobody caps. */
async function ownersOf(
  app: Application,
  { owners }: MachineRecord,
): Promise<readonly (readonly Permission[])[] | null> {
  if (owners.length === 0) return null;
  const members = await Promise.all(owners.map((id) => app.reader.person(id)));
  return members.flatMap((member) =>
    member !== undefined && mayAct(member.record.status) ? [permissionsOf(member.roles)] : [],
  );
}

const NAME_MAX = 100;

/** Who started the run is shown, and trusted for nothing. */
function messageOf({ environment, creator, metadata }: ProtectionRuleRequest): string {
  const by = creator === null ? "" : `, started by ${creator.replaceAll(/\p{C}/gu, "").slice(0, NAME_MAX)}`;
  const name = environment.replaceAll(/\p{C}/gu, "");
  return `GitHub Actions run ${metadata.run_id} waits to deploy to ${name}${by}`;
}
