/** A server with a simulated rack, GitHub and CircleCI around it, for the deploy pages; what a pipeline does with its token. */
import { openCircleciSimulator } from "../support/circleci-simulator/circleci-simulator.ts";
import { openGithubSimulator, type GithubSimulator } from "../support/github-simulator/github-simulator.ts";
import { openRackSimulator, type RackSimulator } from "../support/rack-simulator/rack-simulator.ts";
import { tarFile, tarGz } from "../support/tar-archive.ts";
import type { IdentityServer } from "./console-server.ts";
import { isRecord, startIdentityServer } from "./console-server.ts";

export interface DeployConsole {
  readonly server: IdentityServer;
  readonly rack: RackSimulator;
  readonly github: GithubSimulator;
  readonly close: () => Promise<void>;
}

const manifest = "services:\n  web:\n    image: registry.example.com/myapp:latest\n";

/** Apps: `myapp` and `billing` with nothing set, `shop` with a repository, `payroll` under the policy `two-people`. */
export async function startDeployConsole(): Promise<DeployConsole> {
  const [rack, github, circleci] = await Promise.all([
    openRackSimulator(),
    openGithubSimulator(),
    openCircleciSimulator(),
  ]);
  github.repository(shopRepository);
  rack.addApp({ name: "myapp", manifest, env: { PORT: "3000" } });
  for (const name of ["billing", "payroll"]) rack.addApp({ name, manifest, env: {} });
  rack.addApp({ name: "shop", manifest: shopManifest("latest"), env: { PORT: "3000" } });
  const server = await startIdentityServer({
    ...{ RACK_HOST: rack.url, RACK_TOKEN: rack.password, RACK: "production", RACK_USERNAME: rack.username },
    ...{ GITHUB_API_URL: github.url, GITHUB_TOKEN: github.token },
    ...{ CIRCLECI_API_URL: circleci.url, CIRCLECI_TOKEN: circleci.token },
    RGW_APP_SHOP_SETTING_VCS_REPO: shopRepository,
    RGW_APP_SHOP_SETTING_VERIFY_SOURCE: "off",
    RGW_APP_PAYROLL_SETTING_DEPLOY_POLICY: "two-people",
    COUNTERSIGN_FACTOR_COOL_DOWN: "0",
  });
  const close = async (): Promise<void> => {
    await server.stop();
    await Promise.all([rack.close(), github.close(), circleci.close()]);
  };
  return { server, rack, github, close };
}

export const shopRepository = "MyOrg/shop";

function shopManifest(tag: string): string {
  return `services:\n  web:\n    image: registry.example.com/shop:${tag}\n`;
}

/** From archive to promote, as a pipeline goes on once its request is approved. */
export async function deployShop(url: string, token: string, commit: string): Promise<void> {
  const base = `${url}/api/v1/rack-proxy/apps/shop`;
  const call = async (method: string, path: string, body?: Buffer | URLSearchParams): Promise<unknown> => {
    const form = body instanceof URLSearchParams ? { "Content-Type": "application/x-www-form-urlencoded" } : {};
    const sent =
      body === undefined ? {} : { body: body instanceof URLSearchParams ? String(body) : new Uint8Array(body) };
    const response = await fetch(`${base}${path}`, {
      ...{ method, ...sent },
      headers: { Authorization: `Bearer ${token}`, ...form },
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answered ${String(response.status)}: ${text}`);
    return text.startsWith("{") ? JSON.parse(text) : text;
  };
  const member = (answer: unknown, name: string): string => (isRecord(answer) ? String(answer[name]) : "");
  const archive = tarGz([tarFile("convox.yml", shopManifest(commit)), tarFile("Dockerfile", "FROM scratch\n")]);
  const uploaded = await call("POST", "/objects/tmp/shop.tgz", archive);
  const body = new URLSearchParams({ url: member(uploaded, "Url"), "git-sha": commit });
  const built = await call("POST", "/builds", body);
  const release = member(await call("GET", `/builds/${member(built, "id")}`), "release");
  await call("POST", `/releases/${release}/promote`);
}

export interface AskedDeploy {
  readonly commit: string;
  readonly app?: string;
  readonly branch?: string;
  readonly message?: string;
  readonly images?: Readonly<Record<string, string>>;
}

/** Asked for as a pipeline does it; gives the request's id. */
export async function askDeploy(url: string, token: string, asked: AskedDeploy): Promise<string> {
  const { commit, app = "myapp", branch, message = "Fix invoice rounding, #1234", images } = asked;
  const response = await fetch(`${url}/api/v1/deploy-approval-requests`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({
      ...{ message, git_commit_hash: commit, app },
      ...(branch === undefined ? {} : { git_branch: branch }),
      ...(images === undefined ? {} : { images }),
    }),
  });
  const text = await response.text();
  const answer: unknown = JSON.parse(text);
  if (response.status !== 201 || !isRecord(answer))
    throw new Error(`asking answered ${String(response.status)}: ${text}`);
  return String(answer["public_id"]);
}

/** As the pipeline reads it. */
export async function deployOf(url: string, token: string, id: string): Promise<Readonly<Record<string, unknown>>> {
  const response = await fetch(`${url}/api/v1/deploy-approval-requests/${id}`, {
    headers: { Authorization: `Bearer ${token}` },
  });
  const answer: unknown = await response.json();
  return isRecord(answer) ? answer : {};
}
