/** Questions to the person at the terminal, on standard error (docs/spec/deploy.md R-CLI-4). */
import { fstatSync } from "node:fs";
import { createInterface } from "node:readline";

/** Somebody can answer, or something was put there to answer. */
export function canAsk(): boolean {
  if (process.stdin.isTTY) return true;
  try {
    const input = fstatSync(0);
    return input.isFIFO() || input.isSocket();
  } catch {
    return false;
  }
}

/** One line, empty when there is none. */
export function askPerson(question: string): Promise<string> {
  process.stderr.write(question);
  const terminal = createInterface({ input: process.stdin });
  return new Promise((resolve) => {
    let answer = "";
    terminal.once("line", (line) => {
      answer = line.trim();
      terminal.close();
    });
    terminal.once("close", () => {
      resolve(answer);
    });
    // As without us: whoever interrupts a question wants the command to end.
    terminal.once("SIGINT", () => process.exit(130));
  });
}
