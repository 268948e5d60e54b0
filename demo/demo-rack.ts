/**
 * What stands around the server in the demonstration: a rack, GitHub and CircleCI, each a simulator that says so, and the names of
 * the environment by which a server learns of them (docs/guide/deploy-approvals.md). Nothing leaves this machine.
 */
import {
  openCircleciSimulator,
  type CircleciSimulator,
} from "../test/support/circleci-simulator/circleci-simulator.ts";
import { openGithubSimulator, type GithubSimulator } from "../test/support/github-simulator/github-simulator.ts";
import { openRackSimulator, type RackSimulator } from "../test/support/rack-simulator/rack-simulator.ts";

export const APP = "myapp";
export const REPO = "MyOrg/myapp";

export interface DemoSurroundings {
  readonly rack: RackSimulator;
  readonly github: GithubSimulator;
  readonly circleci: CircleciSimulator;
  /** For the server. */
  readonly environment: Readonly<Record<string, string>>;
}

export async function openSurroundings(say: (line: string) => void): Promise<DemoSurroundings> {
  const rack = await openRackSimulator({ name: "production", log: say });
  rack.addApp({ name: APP, manifest: MANIFEST, env: { PORT: "3000" } });
  const github = await openGithubSimulator();
  say(`GitHub simulator listens at ${github.url}: it is a simulator, no repository is changed by it`);
  const circleci = await openCircleciSimulator();
  say(`CircleCI simulator listens at ${circleci.url}: it is a simulator, jobs run on this machine`);
  const environment = {
    ...{ RACK: "production", RACK_HOST: rack.url, RACK_USERNAME: rack.username, RACK_TOKEN: rack.password },
    ...{ GITHUB_API_URL: github.url, GITHUB_TOKEN: github.token },
    ...{ CIRCLECI_API_URL: circleci.url, CIRCLECI_TOKEN: circleci.token },
    RGW_APP_MYAPP_SETTING_VCS_PROVIDER: "github",
    RGW_APP_MYAPP_SETTING_VCS_REPO: REPO,
    RGW_APP_MYAPP_SETTING_CI_PROVIDER: "circleci",
    RGW_APP_MYAPP_SETTING_CIRCLECI_APPROVAL_JOB_NAME: "approve_deploy_production",
    RGW_APP_MYAPP_SETTING_CIRCLECI_AUTO_APPROVE_ON_APPROVAL: "true",
  };
  return { rack, github, circleci, environment };
}

const MANIFEST = "services:\n  web:\n    build: .\n    port: 3000\n";

export interface DemoCommit {
  readonly sha: string;
  readonly branch: string;
  readonly files: Readonly<Record<string, string>>;
}

/** Somebody pushes a change and opens a pull request for it. */
export function pushChange({ github }: DemoSurroundings): DemoCommit {
  const repository = github.repository(REPO);
  const branch = "invoice-rounding";
  const stamp = new Date().toISOString();
  const files = {
    "convox.yml": MANIFEST,
    Dockerfile: "FROM scratch\n",
    "package.json": `${JSON.stringify({ name: APP, private: true, scripts: { test: "echo all tests passed" } })}\n`,
    "invoice.txt": `Amounts are rounded once, at the end. Written ${stamp}.\n`,
  };
  const main =
    repository.history.get(repository.branches.get("main") ?? "") ??
    repository.push("main", repository.commit({ message: "What runs now", files: { "convox.yml": MANIFEST } }));
  const author = { name: "Ada Lovelace", email: "ada@example.com", login: "ada" };
  const commit = repository.commit({ parents: [main], message: `Fix invoice rounding (${stamp})`, author, files });
  repository.push(branch, commit);
  repository.pull(branch, commit, { title: "Fix invoice rounding" });
  return { sha: commit.sha, branch, files };
}
