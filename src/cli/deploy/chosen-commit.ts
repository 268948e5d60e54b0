/** Which commit a command is about: git expands what was written, and says which one is checked out (docs/spec/deploy.md R-REQ-3). */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { CliFault } from "./cli-outcome.ts";

const FULL = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** In full where git knows it, else as it was written: the server may know it, or says what is wrong with it. */
export async function expandedCommit(text: string): Promise<string> {
  const commit = text.trim().toLowerCase();
  if (FULL.test(commit)) return commit;
  try {
    return await git(process.cwd(), "rev-parse", "--verify", "--quiet", "--end-of-options", `${text.trim()}^{commit}`);
  } catch {
    return commit;
  }
}

export async function headCommit(directory = process.cwd()): Promise<string> {
  try {
    return await git(directory, "rev-parse", "--verify", "HEAD^{commit}");
  } catch (error) {
    throw new CliFault(
      `no ID, --branch, or --commit provided, and failed to get current git commit: ${reasonOf(error)}`,
    );
  }
}

/** What is deployed: given, else what is checked out, else what the CI says it has checked out (R-CLI-9). */
export async function sourceCommit(given: string | undefined, directory: string): Promise<string | null> {
  if (given !== undefined) return expandedCommit(given);
  try {
    return await git(directory, "rev-parse", "--verify", "HEAD^{commit}");
  } catch {
    const { env } = process;
    const told = env["CIRCLE_SHA1"] ?? env["GITHUB_SHA"] ?? env["CI_COMMIT_SHA"] ?? "";
    return told === "" ? null : told.toLowerCase();
  }
}

/** The branch that is checked out, where this commit is its newest; null elsewhere, and where no branch is checked out. */
export async function checkedOutBranch(commit: string): Promise<string | null> {
  try {
    if ((await headCommit()) !== commit) return null;
    const branch = await output(process.cwd(), "symbolic-ref", "--quiet", "--short", "HEAD");
    return branch === "" ? null : branch;
  } catch {
    return null;
  }
}

async function output(directory: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("git", [...args], { cwd: directory });
  return stdout.trim();
}

async function git(directory: string, ...args: readonly string[]): Promise<string> {
  const commit = await output(directory, ...args);
  if (!FULL.test(commit)) throw new Error("git named no commit");
  return commit;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "git failed";
  const told = "stderr" in error && typeof error.stderr === "string" ? error.stderr.trim() : "";
  const [first = ""] = told.split("\n");
  return first === "" ? error.message : first;
}
