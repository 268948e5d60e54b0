/**
 * `exec` and `run`: a command in a process of the rack, its output as raw bytes, its exit code as ours (docs/spec/deploy.md
 * R-CLI-4, R-CLI-9). `run` starts a process that sleeps, runs the command in it, and stops it.
 */
import { Buffer } from "node:buffer";
import { setTimeout as sleep } from "node:timers/promises";
import { textIn } from "../../client/api-client.ts";
import { chosenApp } from "./chosen-app.ts";
import { CliFault, EXIT } from "./cli-outcome.ts";
import { printJson, wantsJson, warn } from "./cli-output.ts";
import type { GatewayFlags } from "./gateway-flags.ts";
import { openGateway, type Gateway } from "./open-gateway.ts";
import { streamFromRack, type RackInput } from "./rack-socket.ts";
import { neededText, rackCall, rackPath } from "./rack-wire.ts";

export interface ExecFlags extends GatewayFlags {
  readonly entrypoint?: true;
}

export interface RunFlags extends ExecFlags {
  readonly detach?: true;
  readonly release?: string;
  readonly cpu?: string;
  readonly memory?: string;
  readonly env?: readonly string[];
  /** Seconds that the process lives at most. */
  readonly timeout: string;
}

const START_POLL_MS = 500;
const START_MAX_MS = 300_000;

/** The exit status of the command, here as below. */
export async function execCommand(pid: string, words: readonly string[], flags: ExecFlags): Promise<number> {
  return execute(openGateway(flags), { app: chosenApp(flags.app), pid, command: commandOf(words) }, flags);
}

export async function runCommand(service: string, words: readonly string[], flags: RunFlags): Promise<number> {
  const gateway = openGateway(flags);
  const app = chosenApp(flags.app);
  const command = commandOf(words);
  if (!/^[1-9]\d{0,4}$/.test(flags.timeout)) throw new CliFault("--timeout is a number of seconds");
  const started = await rackCall(gateway, "POST", rackPath`/apps/${app}/services/${service}/processes`, {
    headers: startHeaders(flags.detach === true ? command : `sleep ${flags.timeout}`, flags),
    asking: { inputTaken: true },
  });
  const pid = neededText(started, "id");
  if (flags.detach === true) {
    if (wantsJson(flags)) printJson(started);
    else console.log(pid);
    return EXIT.done;
  }
  const stop = stopOnce(gateway, app, pid);
  const interrupted = (): void => {
    void stop().finally(() => process.exit(EXIT.interrupted));
  };
  process.once("SIGINT", interrupted);
  try {
    await running(gateway, app, pid);
    return await execute(gateway, { app, pid, command }, flags);
  } finally {
    process.removeListener("SIGINT", interrupted);
    await stop();
  }
}

function commandOf(words: readonly string[]): string {
  const command = words.join(" ").trim();
  // It travels in a header.
  if (!/^[\x20-\x7e\t]+$/.test(command)) throw new CliFault("a command is one line of plain characters");
  return command;
}

function startHeaders(command: string, { release, cpu, memory, env = [] }: RunFlags): Readonly<Record<string, string>> {
  return {
    Command: command,
    ...(release === undefined ? {} : { Release: release }),
    ...(cpu === undefined ? {} : { Cpu: cpu }),
    ...(memory === undefined ? {} : { Memory: memory }),
    ...(env.length === 0 ? {} : { Environment: environmentText(env) }),
  };
}

function environmentText(pairs: readonly string[]): string {
  const query = new URLSearchParams();
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 1) throw new CliFault("--env is NAME=VALUE");
    query.set(pair.slice(0, at), pair.slice(at + 1));
  }
  return query.toString();
}

async function running(gateway: Gateway, app: string, pid: string): Promise<void> {
  const deadline = Date.now() + START_MAX_MS;
  while (Date.now() < deadline) {
    const answer = await rackCall(gateway, "GET", rackPath`/apps/${app}/processes/${pid}`);
    const status = textIn(answer, "status") ?? "";
    if (status === "running") return;
    if (["failed", "crashed", "complete"].includes(status)) throw new CliFault(`process ${pid} is ${status}`);
    await sleep(START_POLL_MS);
  }
  throw new CliFault(`process ${pid} did not start in time`);
}

/** A process that could not be stopped ends by itself after its sleep: told, and no reason to lose the command's exit code. */
function stopOnce(gateway: Gateway, app: string, pid: string): () => Promise<void> {
  let stopped: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    try {
      await rackCall(gateway, "DELETE", rackPath`/apps/${app}/processes/${pid}`);
    } catch (error) {
      warn(`process ${pid} could not be stopped: ${error instanceof Error ? error.message : "no reason given"}`);
    }
  };
  return () => (stopped ??= stop());
}

interface Execution {
  readonly app: string;
  readonly pid: string;
  readonly command: string;
}

async function execute(gateway: Gateway, { app, pid, command }: Execution, flags: ExecFlags): Promise<number> {
  const { stdin, stdout } = process;
  const isTerminal = stdin.isTTY && stdout.isTTY;
  const code = await streamFromRack(gateway, {
    path: rackPath`/apps/${app}/processes/${pid}/exec`,
    headers: {
      Command: command,
      ...(flags.entrypoint === true ? { Entrypoint: "true" } : {}),
      ...(isTerminal ? { Height: String(stdout.rows), Width: String(stdout.columns) } : { Tty: "false" }),
    },
    asking: { inputTaken: true },
    onOutput: (bytes) => stdout.write(bytes),
    onOpen: (input) => {
      passInput(input, isTerminal);
    },
  }).finally(() => {
    // What nobody reads any more must not keep the process; a terminal may still be asked something.
    if (isTerminal) stdin.setRawMode(false).pause();
    else stdin.destroy();
  });
  if (code === null) throw new CliFault("the stream ended without the command's exit code");
  return code;
}

/** On a terminal every key goes to the command, Ctrl-C too. */
function passInput(input: RackInput, isTerminal: boolean): void {
  const { stdin } = process;
  if (isTerminal) stdin.setRawMode(true);
  stdin.on("data", (chunk: Buffer | string) => {
    input.write(Buffer.from(chunk));
  });
  stdin.once("end", () => {
    input.end();
  });
}
