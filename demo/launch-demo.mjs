/**
 * Starts the demonstration beside the server and answers with the environment that the server needs for it. Whatever goes wrong
 * here, the server starts: without the deploy gate then.
 */
import { fork } from "node:child_process";
import { join } from "node:path";

/** To load and to open the simulators; a busy machine takes its time. */
const READY_MS = 30_000;

export function launchDemo(root, serverArguments) {
  return new Promise((resolve) => {
    const child = fork(join(root, "demo/run-demo.ts"), serverArguments, {
      cwd: root,
      execArgv: ["--import", join(root, "node_modules/tsx/dist/loader.mjs")],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const answer = (environment) => {
      clearTimeout(late);
      // The server alone decides when this process ends; the demonstration ends with it.
      child.unref();
      child.channel?.unref();
      resolve(environment);
    };
    const without = (why) => {
      process.stdout.write(`The server starts without the demonstration of the deploy gate: ${why}.\n`);
      answer({});
    };
    const late = setTimeout(() => {
      child.kill();
      without("it took too long to get ready");
    }, READY_MS);
    let isAnswered = false;
    child.once("message", ({ environment }) => {
      isAnswered = true;
      answer(environment ?? {});
    });
    child.once("error", (error) => without(error.message));
    child.once("exit", (code) => {
      if (!isAnswered) without(`it ended with ${code ?? "a signal"}`);
    });
  });
}
