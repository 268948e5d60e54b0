/** What `rack-gateway` does with a rack besides deploying, against a simulated one, in this process: a process of its own takes seconds. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { addRackCommands } from "../../src/cli/deploy/rack-commands.ts";
import { commandInProcess, type CommandRun } from "../support/command-in-process.ts";
import { openRackFront, type RackFront } from "../support/rack-front.ts";
import { rackGateway } from "../support/rack-gateway-process.ts";
import { openRackSimulator, type RackSimulator } from "../support/rack-simulator/rack-simulator.ts";
import type { ExecCall } from "../support/rack-simulator/simulated-rack.ts";

const MANIFEST = `resources:
  db:
    type: postgres
services:
  web:
    image: registry.example.com/myapp:latest
    test: bin/test --fast
  worker:
    image: registry.example.com/myapp:latest
    test: bin/test worker
  idle:
    image: registry.example.com/myapp:latest
`;

let rack: RackSimulator;
let front: RackFront;
let folder = "";
const executed: ExecCall[] = [];

beforeAll(async () => {
  rack = await openRackSimulator({
    onExec: (call) => {
      executed.push(call);
      return { output: ["tested\n"], exitCode: call.command.endsWith("worker") ? 3 : 0 };
    },
  });
  rack.addApp({ name: "myapp", manifest: MANIFEST, env: {} });
  front = await openRackFront(rack);
  folder = mkdtempSync(join(tmpdir(), "rack-inventory-test-"));
});
afterAll(async () => {
  await front.close();
  await rack.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  front.answers(() => null);
  rack.forgetCalls();
});

/** For what needs a factor in the very call. */
const FACTOR = ["--mfa-code", "123456"] as const;

function run(...args: readonly string[]): Promise<CommandRun> {
  const env = { RACK_GATEWAY_URL: front.url, RACK_GATEWAY_API_TOKEN: "session", CONVOX_APP: "myapp" };
  return commandInProcess(args, { add: addRackCommands, env, wrongUsage: 20 });
}

function app(): ReturnType<RackSimulator["rack"]["app"]> {
  return rack.rack.app("myapp");
}

function changes(): readonly string[] {
  return rack.calls.filter(({ method }) => method !== "GET").map(({ method, path }) => `${method} ${path}`);
}

const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

describe("what a rack has", () => {
  it("deploy R-CLI-9: certificates are made, brought along, listed, named with the ports they serve, and deleted", async () => {
    const made = await run("certs", "generate", "a.example.com", "b.example.com");
    expect(made).toMatchObject({ status: 0, err: "Generating certificate... OK\n" });
    expect(made.out).toMatch(/^cert-\w+\n$/);
    const id = made.out.trim();
    expect(rack.rack.certificates.get(id)?.domains).toEqual(["a.example.com", "b.example.com"]);
    expect((await run("certs")).out).toMatch(/^ID +DOMAIN +EXPIRES +STATUS\ncert-\w+ +a\.example\.com +20/);
    app().ports.set("web", [{ balancer: 443, certificate: id, container: 3000 }]);
    expect((await run("ssl")).out).toMatch(
      /^ENDPOINT +CERTIFICATE +DOMAIN +EXPIRES\nweb:443 +cert-\w+ +a\.example\.com +20/,
    );
    const brought = await run(
      "certs",
      "import",
      file("pub.pem", "PUB"),
      file("key.pem", "KEY"),
      "--chain",
      file("c.pem", "C"),
    );
    expect(brought.status).toBe(0);
    const form = new URLSearchParams(rack.calls.at(-1)?.body.toString());
    expect(Object.fromEntries(form)).toEqual({ pub: "PUB", key: "KEY", chain: "C" });
    expect(await run("certs", "delete", id)).toMatchObject({ status: 0, err: `Deleting certificate ${id}... OK\n` });
    expect(rack.rack.certificates.has(id)).toBe(false);
    const missing = await run("certs", "import", join(folder, "none"), join(folder, "none"));
    expect([missing.status, missing.err]).toEqual([20, expect.stringContaining("cannot be read\n")]);
  });

  it("deploy R-CLI-9: registries are added, listed without passwords, and removed", async () => {
    const added = await run("registries", "add", "ghcr.example.com:5000", "robot", "pa ss&word");
    expect(added).toMatchObject({ status: 0, out: "", err: "Adding registry... OK\n" });
    expect(rack.rack.registries.get("ghcr.example.com:5000")).toMatchObject({
      username: "robot",
      password: "pa ss&word",
    });
    expect((await run("registries", "list")).out).toBe(
      "SERVER                 USERNAME\nghcr.example.com:5000  robot\n",
    );
    expect((await run("registries", "remove", "ghcr.example.com:5000")).status).toBe(0);
    expect(rack.rack.registries.size).toBe(0);
  });

  it("deploy R-CLI-9: instances are listed and terminated; a new key is printed, and the rack told to use it", async () => {
    expect((await run("instances")).out).toMatch(
      /^ID +STATUS +STARTED +PS .*\nsimulated-1 +active +20.* 10\.0\.0\.1\n/,
    );
    const rolled = await run("instances", "keyroll", ...FACTOR);
    expect(rolled).toMatchObject({ status: 0, err: "Rolling instance key... OK\nUpdating parameters... OK\n" });
    expect(rack.rack.parameters["key_pair_name"]).toBe("simulated-keypair");
    expect((await run("instances", "terminate", "simulated-3", ...FACTOR)).err).toBe("Terminating instance... OK\n");
    expect(rack.rack.instances.has("simulated-3")).toBe(false);
    expect(front.calls.at(-1)?.headers["x-mfa-totp"]).toBe("123456");
  });

  it("deploy R-CLI-9: resources are listed, named, and written to a file that is its owner's alone", async () => {
    expect((await run("resources")).out).toMatch(/^NAME +TYPE +URL\ndb +postgres +postgres:\/\//);
    expect((await run("resources", "info", "db")).out).toMatch(
      /^Name +db\nType +postgres\nStatus +running\nURL +postgres:/,
    );
    expect((await run("resources", "url", "db")).out).toBe("postgres://app:password@db.myapp.simulator/app\n");
    const data = Buffer.from([0xff, 0x00, 0xfe, 0x0a]);
    app().resourceData.set("db", data);
    const target = join(folder, "db.dump");
    const exported = await run("resources", "export", "db", "--file", target);
    expect(exported).toMatchObject({ status: 0, err: "Exporting resource data... OK\n" });
    expect(readFileSync(target)).toEqual(data);
    expect(statSync(target).mode & 0o777).toBe(0o600);
    const refused = await run("resources", "export", "nope", "--file", join(folder, "nope"));
    expect([refused.status, refused.err]).toEqual([20, expect.stringContaining("Error: resource not found: nope\n")]);
    expect(() => statSync(join(folder, "nope"))).toThrow("ENOENT");
  });

  it("deploy R-CLI-9: a build is written to a file, and a release is made of it again", async () => {
    const [id = ""] = app().builds.keys();
    const target = join(folder, "build.tgz");
    expect((await run("builds", "export", id, "-f", target)).err).toBe("Exporting build... OK\n");
    const imported = await run("builds", "import", "-f", target);
    expect(imported).toMatchObject({ status: 0, err: "Importing build... OK\n" });
    expect(app().releaseNamed(imported.out.trim()).manifest).toBe(MANIFEST);
  });
});

describe("changes", () => {
  it("deploy R-CLI-9: parameters are set on an app and on the rack, which is scaled and brought to another version", async () => {
    expect((await run("rack", "params", "set", "node_type=t3.large", "tags=a=1&b=2")).status).toBe(0);
    expect(rack.rack.parameters).toMatchObject({ node_type: "t3.large", tags: "a=1&b=2" });
    expect((await run("rack", "params")).out).toContain("node_type          t3.large\n");
    expect((await run("rack", "scale", "--count", "5", "--type", "big")).err).toBe("Scaling rack... OK\n");
    expect((await run("rack", "update", "20270101000000")).err).toBe("Updating rack to 20270101000000... OK\n");
    expect([rack.rack.count, rack.rack.type, rack.rack.version]).toEqual([5, "big", "20270101000000"]);
    expect((await run("apps", "params", "set", "BuildCpu=512")).status).toBe(0);
    expect((await run("apps", "params")).out).toContain("BuildCpu   512\n");
    const before = changes().length;
    for (const wrong of [
      ["rack", "scale"],
      ["rack", "params", "set", "x"],
      ["rack", "update"],
      ["certs", "generate"],
    ])
      expect((await run(...wrong)).status).toBe(20);
    expect(changes()).toHaveLength(before);
  });

  it("deploy R-CLI-9: apps are created, locked, unlocked, their update is cancelled, and deleted", async () => {
    expect((await run("apps", "create", "shop")).err).toBe("Creating shop... OK\n");
    expect((await run("apps", "lock", "shop")).err).toBe("Locking shop... OK\n");
    const locked = await run("apps", "delete", "shop", ...FACTOR);
    expect([locked.status, locked.err]).toEqual([20, expect.stringContaining("app is locked")]);
    expect((await run("apps", "unlock", "shop")).status).toBe(0);
    expect((await run("apps", "delete", "shop", ...FACTOR)).err).toBe("Deleting shop... OK\n");
    expect(rack.rack.apps.has("shop")).toBe(false);
    expect((await run("apps", "cancel")).err).toBe("Cancelling deployment of myapp... OK\n");
    expect(changes().at(-1)).toBe("POST /apps/myapp/cancel");
  });

  it.each([
    ["cp", ["cp", "web-1:/etc", "."]],
    ["proxy", ["proxy", "8080:db:80", "--tls"]],
    ["instances ssh", ["instances", "ssh", "simulated-1"]],
    ["resources console", ["resources", "console", "db"]],
    ["ssl update", ["ssl", "update", "web:443", "cert-1"]],
  ] as const)("deploy R-ROUTE-1: %s is told not to go through the gateway, and calls nothing", async (name, args) => {
    const ran = await run(...args);
    expect([ran.status, ran.err]).toEqual([
      20,
      expect.stringContaining(`Error: ${name} does not go through the gateway`),
    ]);
    expect(front.calls).toEqual([]);
  });
});

describe("tests of an app", () => {
  it("deploy R-CLI-9: test runs what the manifest names on each service, and the first that fails ends it", async () => {
    executed.length = 0;
    const env = { RACK_GATEWAY_URL: front.url, RACK_GATEWAY_API_TOKEN: "session", CONVOX_APP: "myapp" };
    const ran = await rackGateway(["test", "--release", app().release], { env });
    expect(ran).toEqual({
      status: 20,
      out: "tested\ntested\n",
      err: "Running bin/test --fast on web\nRunning bin/test worker on worker\nError: exit 3\n",
    });
    expect(executed.map(({ command, entrypoint }) => [command, entrypoint])).toEqual([
      ["bin/test --fast", true],
      ["bin/test worker", true],
    ]);
    expect([...app().processes.values()].filter(({ isService }) => !isService)).toEqual([]);
  }, 60_000);

  it("deploy R-CLI-9: without a release the directory is built for development first", async () => {
    const source = mkdtempSync(join(folder, "source-"));
    writeFileSync(join(source, "convox.yml"), "services:\n  web:\n    image: registry.example.com/myapp:latest\n");
    const ran = await run("test", source, "--git-sha", "a".repeat(40));
    expect([ran.status, ran.err]).toEqual([0, expect.stringContaining("Starting build... OK\n")]);
    expect([...app().builds.values()].at(-1)).toMatchObject({ flags: ["development"], gitSha: "a".repeat(40) });
  });
});
