/** Logs and commands: what the rack streams (deploy R-RACKSIM-1, rows "logs" and "exec"). */
import { messageOf, RackError } from "./rack-answer.ts";
import { wholeNumber, type RackRoute, type SocketExchange } from "./rack-route.ts";
import type { RackLog } from "./rack-log.ts";
import type { LogStream } from "./simulated-rack.ts";

/** What stands before the exit code in the last text frame. */
const EXIT_TRAILER = "F1E49A85-0AD7-4AEF-A618-C249C6E6568D";

export const SOCKET_ROUTES: readonly RackRoute[] = [
  { method: "SOCKET", path: "/apps/{app}/logs", serve: appLogs },
  { method: "SOCKET", path: "/apps/{app}/builds/{id}/logs", serve: buildLogs },
  { method: "SOCKET", path: "/apps/{app}/processes/{pid}/exec", serve: exec },
  { method: "SOCKET", path: "/apps/{app}/processes/{pid}/logs", serve: processLogs },
  { method: "SOCKET", path: "/apps/{app}/services/{service}/logs", serve: serviceLogs },
  { method: "SOCKET", path: "/system/logs", serve: systemLogs },
];

async function appLogs(exchange: SocketExchange): Promise<void> {
  const app = exchange.rack.app(exchange.parameter("app"));
  await streamed(exchange, { of: "app", app: app.name, id: app.name }, app.log);
}

async function serviceLogs(exchange: SocketExchange): Promise<void> {
  const app = exchange.rack.app(exchange.parameter("app"));
  await streamed(exchange, { of: "service", app: app.name, id: exchange.parameter("service") }, app.log);
}

async function processLogs(exchange: SocketExchange): Promise<void> {
  const app = exchange.rack.app(exchange.parameter("app"));
  const process = app.process(exchange.parameter("pid"));
  await streamed(exchange, { of: "process", app: app.name, id: process.id }, process.log);
}

async function systemLogs(exchange: SocketExchange): Promise<void> {
  await streamed(exchange, { of: "system", app: "", id: "" }, exchange.rack.log);
}

async function buildLogs({ rack, parameter, socket }: SocketExchange): Promise<void> {
  const { log, status } = rack.app(parameter("app")).build(parameter("id"));
  const stopsAtNow = status !== "running";
  for await (const line of log.follow({ stopsAtNow, stop: socket.gone })) await socket.write(line);
}

async function streamed({ rack, call, socket }: SocketExchange, stream: LogStream, log: RackLog): Promise<void> {
  const stopsAtNow = call.header("follow") === "false";
  const chunks = rack.around.onLogs(stream) ?? log.follow({ stopsAtNow, stop: socket.gone });
  for await (const chunk of flowing(chunks)) {
    if (socket.gone.aborted) return;
    await socket.write(chunk);
  }
}

async function* flowing(
  chunks: Iterable<string | Buffer> | AsyncIterable<string | Buffer>,
): AsyncGenerator<string | Buffer, void, undefined> {
  if (Symbol.asyncIterator in chunks) {
    for await (const chunk of chunks) yield chunk;
  } else {
    for (const chunk of chunks) yield chunk;
  }
}

/** A command that could not be run still says that it exited with 0, and then what went wrong. */
async function exec(exchange: SocketExchange): Promise<void> {
  const { call, form, parameter, rack, socket } = exchange;
  const app = rack.app(parameter("app"));
  const height = wholeNumber(call.header("height"));
  const width = wholeNumber(call.header("width"));
  let exitCode = 0;
  try {
    const process = app.process(parameter("pid"));
    const script = rack.around.onExec({
      ...{ app: app.name, pid: process.id, command: form.value("command"), height, width },
      entrypoint: call.header("entrypoint") === "true",
      tty: (call.header("tty") ?? "true") === "true",
      disableStdin: call.header("disable-stdin") === "true",
    });
    for await (const chunk of flowing(script.output ?? [])) {
      if (socket.gone.aborted) return;
      await socket.write(chunk);
    }
    const echoes = script.echo === true && call.header("disable-stdin") !== "true";
    if (echoes) for await (const chunk of socket.input()) await socket.write(chunk);
    exitCode = script.exitCode ?? 0;
  } catch (error) {
    await socket.write(`${EXIT_TRAILER}:0\n`);
    throw error instanceof RackError ? error : new Error(messageOf(error), { cause: error });
  }
  await socket.write(`${EXIT_TRAILER}:${String(exitCode)}\n`);
}
