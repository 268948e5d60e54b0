/** The README's first tour, run as it is printed: what a newcomer copies must work, word for word. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startConsoleServer, type ConsoleServer } from "./console-server.ts";

describe("the README's tour with curl", () => {
  let server: ConsoleServer;

  beforeAll(async () => {
    server = await startConsoleServer();
  });
  afterAll(() => server.stop());

  it("takes a request from policy to approved with the five printed commands (engine acceptance case 1)", () => {
    const [first, second] = tourBlocks();
    const [token = "", create = "", activate = "", request = ""] = commands(first);
    const [decide = "", read = ""] = commands(second);

    expect(JSON.parse(run(token, create))).toMatchObject({ policy_key: "demo.v1", version: 1, status: "draft" });
    expect(JSON.parse(run(token, activate))).toMatchObject({ version: 1, status: "active" });
    const made: unknown = JSON.parse(run(token, request));
    expect(made).toMatchObject({ status: "in_review", tasks: [{ assignee: "u-alice", status: "open" }] });
    const { requestId, taskId } = idsOf(made);
    expect(JSON.parse(run(token, decide.replace("<from previous response>", taskId)))).toMatchObject({
      action: "approve",
      actor: "dev-admin",
      override: true,
    });
    // `jq` only picks the member out; without it on the machine the whole answer says the same.
    const answer: unknown = JSON.parse(run(token, read.replace("<request_id>", requestId).replace(/\| jq .*$/m, "")));
    expect(answer).toMatchObject({ status: "approved" });
  });

  it("leaves a program behind that `npx countersign` can run", () => {
    const program = new URL("../../dist/src/cli/countersign.js", import.meta.url);
    expect(() => {
      accessSync(program, constants.X_OK);
    }).not.toThrow();
    const { stdout, status } = spawnSync("npx", ["countersign", "version"], { encoding: "utf8" });
    expect([status, stdout.trim()]).toEqual([0, expect.stringMatching(/\d+\.\d+\.\d+/)]);
  });

  /** Runs a printed command against the server of this test: only the port differs from the page. */
  function run(token: string, command: string): string {
    const script = `${token}\n${command}`.replaceAll("http://localhost:8000", server.url);
    const { stdout, stderr, status } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
    if (status !== 0) throw new Error(`The command failed with ${String(status)}: ${stderr}\n${command}`);
    return stdout;
  }
});

function tourBlocks(): readonly [string, string] {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const section = readme.slice(readme.indexOf("### With curl"), readme.indexOf("### In the browser"));
  const [first, second] = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
  if (first === undefined || second === undefined) throw new Error("The README has no tour with curl");
  return [first, second];
}

/** Each command with the comment above it. */
function commands(block: string): readonly string[] {
  return block.split(/\n(?=# \d\.)/);
}

function idsOf(made: unknown): { readonly requestId: string; readonly taskId: string } {
  if (typeof made !== "object" || made === null || !("request_id" in made) || !("tasks" in made)) {
    throw new Error("The answer names no request");
  }
  const task: unknown = Array.isArray(made.tasks) ? made.tasks[0] : undefined;
  if (typeof task !== "object" || task === null || !("id" in task)) throw new Error("The answer names no task");
  return { requestId: String(made.request_id), taskId: String(task.id) };
}
