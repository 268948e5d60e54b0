/** Puts questions to a second implementation in Python: one process for all of them, a line of JSON each way. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;

export function askPython(script: string, questions: readonly object[]): readonly unknown[] {
  const path = fileURLToPath(new URL(script, import.meta.url));
  // -B: nothing is written into the tree.
  const run = spawnSync("python3", ["-B", path], {
    input: questions.map((question) => `${JSON.stringify(question)}\n`).join(""),
    encoding: "utf8",
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  if (run.error !== undefined) {
    throw new Error(
      "python3 is not on this machine, and the second implementation of the evidence needs it: install it.",
    );
  }
  if (run.status !== 0) throw new Error(`${script} could not answer: ${run.stderr}`);
  return run.stdout
    .trimEnd()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
}
