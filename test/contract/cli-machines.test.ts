/** `countersign machine` and `countersign token` against a server, as a terminal that is signed in runs them. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addMachineCommands } from "../../src/cli/machine-commands.ts";
import { objectIn, textAt } from "../support/json-answer.ts";
import { TerminalScene } from "../support/terminal-scene.ts";

const USE_MS = 120_000;

describe("the command line for machines", () => {
  let scene: TerminalScene;
  beforeAll(async () => {
    scene = await TerminalScene.open(addMachineCommands);
  }, USE_MS);
  afterAll(() => scene.close(), USE_MS);

  it(
    "identity section 7: a machine is added, gets a token, which is printed alone, rotated and revoked; and is retired",
    async () => {
      const unproven = await scene.run("machine", "add", "builder", "--kind", "ci", "--owner", "me");
      expect([unproven.status, unproven.out]).toEqual([1, ""]);
      expect(unproven.text).toContain("mfa_required");
      const added = await scene.prove("machine", "add", "builder", "--kind", "ci", "--owner", "me");
      expect(added.status).toBe(0);
      expect(added.out).toMatch(/^builder {2}[0-9a-f-]{36}$/);

      const scope = ["--scope", "approval:request:create", "approval:request:read"];
      const limits = ["--cidr", "127.0.0.0/8", "--days", "30"];
      const created = await scene.prove("token", "create", "--machine", "Builder", "--name", "ci", ...scope, ...limits);
      expect(created.status).toBe(0);
      const secret = created.out;
      expect(secret).toMatch(/^cst_[0-9A-Za-z]{49}$/);
      const authorization = `Bearer ${secret}`;
      expect((await fetch(`${scene.url}/v1/me`, { headers: { authorization } })).status).toBe(200);

      const listed = await scene.run("token", "list", "--machine", "builder", "--json");
      const { items } = objectIn(`{"items":${listed.out}}`);
      expect(items).toMatchObject([{ machine: "builder", limits: { cidrs: ["127.0.0.0/8"] } }]);
      expect(listed.text).not.toContain(secret.slice(4, -4));
      const id = textAt(items, 0, "id");

      const rotated = await scene.prove("token", "rotate", id, "--overlap-hours", "0");
      expect(rotated.status).toBe(0);
      expect(rotated.out).toMatch(/^cst_[0-9A-Za-z]{49}$/);
      expect((await fetch(`${scene.url}/v1/me`, { headers: { authorization } })).status).toBe(401);
      expect(await scene.prove("token", "revoke", id)).toMatchObject({ status: 0 });
      expect((await scene.run("token", "list")).text).not.toContain(id);

      expect((await scene.run("machine", "list")).text).toMatch(/builder +root +0/);
      expect(await scene.prove("machine", "change", "builder", "--name", "maker")).toMatchObject({ status: 0 });
      expect(await scene.prove("machine", "retire", "maker")).toMatchObject({ status: 0 });
      expect((await scene.run("machine", "list", "--retired")).text).toContain("maker");
    },
    USE_MS,
  );

  it(
    "tells what is wrong, with exit status 1 for a refusal and 2 for what cannot be asked",
    async () => {
      const wide = ["--machine", "nobody's", "--name", "x", "--scope", "approval:task:decide"];
      expect(await scene.prove("token", "create", ...wide)).toMatchObject({ status: 1 });
      const unknown = await scene.prove("machine", "add", "x", "--kind", "ci", "--owner", "nobody at all");
      expect(unknown.status).toBe(1);
      expect(unknown.text).toContain("Exactly one person");
      expect(await scene.run("token", "create", "--name", "x")).toMatchObject({ status: 2 });
      expect(await scene.run("token", "list", "--server", "https://elsewhere.example")).toMatchObject({ status: 2 });
    },
    USE_MS,
  );
});
