/** Runs a Postgres program to its end: without our environment, outside our directory, as the service user. */
import { spawn } from "node:child_process";
import type { ServiceUser } from "./service-user.ts";

export interface ProgramResult {
  readonly isSuccess: boolean;
  /** Standard output and error together, as they came. */
  readonly output: string;
}

export interface ProgramOptions {
  readonly user: ServiceUser | undefined;
  readonly timeoutMs: number;
}

/**
 * PG* settings of the caller must not reach the server; `/` is a directory every user can be in. A password-less `nobody`
 * has no home, so none is given.
 */
export const PROGRAM_ENVIRONMENT = {
  PATH: "/usr/local/bin:/usr/bin:/bin",
  LC_ALL: "C",
  TZ: "UTC",
} as const;

export async function runProgram(
  file: string,
  programArguments: readonly string[],
  options: ProgramOptions,
): Promise<ProgramResult> {
  return await new Promise((resolve) => {
    const child = spawn(file, [...programArguments], {
      cwd: "/",
      env: PROGRAM_ENVIRONMENT,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: options.timeoutMs,
      killSignal: "SIGKILL",
      ...options.user,
    });
    const chunks: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (chunk: string) => chunks.push(chunk));
    }
    child.on("error", (error) => resolve({ isSuccess: false, output: error.message }));
    child.on("close", (code) => resolve({ isSuccess: code === 0, output: chunks.join("").trim() }));
  });
}
