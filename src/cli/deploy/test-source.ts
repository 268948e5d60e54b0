/** `test`: builds a directory, and runs in it what its manifest calls the tests of its services (docs/spec/deploy.md R-CLI-9). */
import { parse } from "yaml";
import { memberOf, textIn } from "../../client/api-client.ts";
import { chosenApp } from "./chosen-app.ts";
import { CliFault, EXIT } from "./cli-outcome.ts";
import { notice, plain } from "./cli-output.ts";
import { buildSource, type BuildFlags } from "./deploy-source.ts";
import { openGateway, type Gateway } from "./open-gateway.ts";
import { neededText, rackCall, rackPath } from "./rack-wire.ts";
import { runCommand } from "./run-command.ts";

export interface TestFlags extends BuildFlags {
  /** Tested instead of the directory. */
  readonly release?: string;
  /** Seconds. */
  readonly timeout: string;
}

interface ServiceTest {
  readonly service: string;
  readonly command: string;
}

/** The exit status: the first test that fails ends it. */
export async function testCommand(directory: string | undefined, flags: TestFlags): Promise<number> {
  const gateway = openGateway(flags);
  const { app, release } = await tested(gateway, directory, flags);
  const { timeout } = flags;
  for (const { service, command } of await testsOf(gateway, app, release)) {
    notice(flags, `Running ${plain(command)} on ${service}`);
    const code = await runCommand(service, [command], { ...flags, app, release, timeout, entrypoint: true });
    if (code !== 0) throw new CliFault(`exit ${String(code)}`);
  }
  return EXIT.done;
}

async function tested(
  gateway: Gateway,
  directory: string | undefined,
  flags: TestFlags,
): Promise<{ readonly app: string; readonly release: string }> {
  if (flags.release !== undefined) return { app: chosenApp(flags.app), release: flags.release };
  return buildSource(gateway, directory, { ...flags, development: true });
}

async function testsOf(gateway: Gateway, app: string, release: string): Promise<readonly ServiceTest[]> {
  const answer = await rackCall(gateway, "GET", rackPath`/apps/${app}/releases/${release}`);
  const services = memberOf(documentIn(neededText(answer, "manifest")), "services");
  if (typeof services !== "object" || services === null) return [];
  return Object.entries(services).flatMap(([service, about]) => {
    const command = textIn(about, "test") ?? "";
    // The values of an environment are not shown to everybody who may run its tests.
    if (command.includes("${")) throw new CliFault(`the test of ${service} needs the environment: run it with run`);
    return command === "" ? [] : [{ service, command }];
  });
}

function documentIn(manifest: string): unknown {
  try {
    const value: unknown = parse(manifest);
    return value;
  } catch {
    throw new CliFault("the manifest of the release cannot be read");
  }
}
