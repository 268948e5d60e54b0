/** `countersign dev` and `countersign serve`: from the command line to a server that ends cleanly. */
import { pino } from "pino";
import { ConfigFault, loadConfig } from "../main/config.ts";
import { faultSentence } from "../main/fault-sentence.ts";
import { StartRefused } from "../main/start-refused.ts";
import { startServer, type RunningServer } from "../main/start-server.ts";

export interface ServerFlags {
  readonly port?: number;
  readonly host?: string;
  readonly data?: string;
  readonly database?: string;
  readonly demo?: boolean;
  readonly exitOnTamper?: true;
  readonly acceptRpIdChange?: true;
  readonly verify: "new" | "full";
}

const EXIT = { refused: 2, tampered: 3 } as const;

export async function runServer(flags: ServerFlags, development: boolean): Promise<void> {
  const stop = new AbortController();
  onSignals(stop);
  let server: RunningServer;
  try {
    server = await start(flags, development);
  } catch (error) {
    process.exitCode = explain(error);
    return;
  }
  announce(server, development);
  if (!stop.signal.aborted) {
    await new Promise((resolve) => {
      stop.signal.addEventListener("abort", resolve, { once: true });
    });
  }
  await server.close();
  // Nothing is open any more; a connection that somebody else keeps open must not keep the process.
  process.exit(0);
}

function start(flags: ServerFlags, development: boolean): Promise<RunningServer> {
  const loaded = loadConfig(process.env, {
    "countersign.port": flags.port,
    "countersign.host": flags.host,
    "countersign.data_dir": flags.data,
    "countersign.database_url": flags.database,
  });
  const log = pino({ level: loaded.config.countersign.log_level }, pino.destination({ dest: 2, sync: true }));
  const exitOnTamper = flags.exitOnTamper === true;
  return startServer(loaded, {
    ...{ development, exitOnTamper, log },
    acceptRpIdChange: flags.acceptRpIdChange === true,
    demo: flags.demo !== false,
    fullVerification: flags.verify === "full",
    environment: process.env,
    say: (line) => {
      console.log(line);
    },
    onTamper: () => {
      if (exitOnTamper) process.exit(EXIT.tampered);
    },
  });
}

/** One press of Ctrl-C can arrive twice, from the terminal and from npm. */
const SAME_SIGNAL_MS = 300;

/** The first signal ends cleanly, the second at once. */
function onSignals(stop: AbortController): void {
  let firstAt = 0;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (!stop.signal.aborted) {
        firstAt = performance.now();
        console.log("Stopping; once more to stop at once.");
        stop.abort();
      } else if (performance.now() - firstAt > SAME_SIGNAL_MS) process.exit(1);
    });
  }
}

/** Says why the server did not start, and answers the exit status. */
function explain(error: unknown): number {
  if (error instanceof ConfigFault) {
    for (const problem of error.problems) console.error(problem);
    return EXIT.refused;
  }
  if (error instanceof StartRefused) {
    console.error(`${error.message} (${error.code})`);
    return error.code === "tampered" ? EXIT.tampered : EXIT.refused;
  }
  console.error(faultSentence(error) ?? error);
  return EXIT.refused;
}

function announce({ publicUrl, dataDir, vkey, finding }: RunningServer, development: boolean): void {
  const api = `${publicUrl}/v1/awe`;
  const lines = [
    ...(development
      ? ["", "Development mode: everybody is believed. For trying things out on this machine only."]
      : []),
    "",
    `console  ${publicUrl}/app`,
    `API      ${api}`,
    `docs     ${api}/docs`,
    `data     ${dataDir}`,
    `ledger   ${vkey}`,
    ...(finding === null ? [] : ["", `The ledger does not verify, so nothing can be changed: ${finding}`]),
    "",
    "try next:",
    ...(development ? [`  open ${publicUrl}/app and sign in as Ana Ruiz or Ben Okafor`] : []),
    `  curl ${api}/health`,
    `  npx countersign verify --data ${dataDir}`,
    "",
  ];
  console.log(lines.join("\n"));
}
