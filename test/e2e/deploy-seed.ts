/** A server with a simulated rack behind it, for the deploy pages: a pipeline's token, and requests asked for with it. */
import { openRackSimulator, type RackSimulator } from "../support/rack-simulator/rack-simulator.ts";
import type { IdentityServer } from "./console-server.ts";
import { isRecord, startIdentityServer } from "./console-server.ts";

export interface DeployConsole {
  readonly server: IdentityServer;
  readonly rack: RackSimulator;
  readonly close: () => Promise<void>;
}

const manifest = "services:\n  web:\n    image: registry.example.com/myapp:latest\n";

export async function startDeployConsole(): Promise<DeployConsole> {
  const rack = await openRackSimulator();
  rack.addApp({ name: "myapp", manifest, env: { PORT: "3000" } });
  rack.addApp({ name: "billing", manifest, env: {} });
  const server = await startIdentityServer({
    ...{ RACK_HOST: rack.url, RACK_TOKEN: rack.password, RACK: "production", RACK_USERNAME: rack.username },
    COUNTERSIGN_FACTOR_COOL_DOWN: "0",
  });
  const close = async (): Promise<void> => {
    await server.stop();
    await rack.close();
  };
  return { server, rack, close };
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
