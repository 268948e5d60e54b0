import { createHash } from "node:crypto";
import { connect as tcpConnect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { exchangeBytes, callOver, jsonOf, type Call } from "../support/http-call.ts";
import {
  archive,
  basic,
  build,
  built,
  call,
  form,
  FORM,
  lastCall,
  MANIFEST,
  member,
  RackScene,
  startProcess,
  textMember,
  upload,
} from "../support/rack-simulator/raw-rack-calls.ts";
import type { RackSimulator } from "../support/rack-simulator/rack-simulator.ts";
import { BINARY, PING, PONG, RawWebSocket, TEXT } from "../support/rack-simulator/raw-web-socket.ts";

const COMMIT = "4f2d9c1e8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d";
const TRAILER = "F1E49A85-0AD7-4AEF-A618-C249C6E6568D";

const scene = new RackScene();

afterEach(() => scene.end());

describe("deploy R-RACKSIM-1: the simulator says that it is one", () => {
  it("deploy R-RACKSIM-1: GET /system names the provider simulator, in the wire's members", async () => {
    const simulator = await scene.start();
    const answer = await call(simulator, { method: "GET", path: "/system" });
    expect(jsonOf(answer)).toMatchObject({ provider: "simulator", status: "running", name: "simulator" });
    expect([...answer.text.matchAll(/^ {2}"([a-z-]+)":/gm)].map(([, name]) => name)).toEqual([
      ...["count", "domain", "name", "outputs", "parameters", "provider", "rack-domain", "region", "status"],
      ...["type", "version"],
    ]);
    expect(textMember(jsonOf(answer), "version") > "20180708231844").toBe(true);
  });

  it("deploy R-RACKSIM-1: the given log and the rack's own log say so", async () => {
    const lines: string[] = [];
    const simulator = await scene.start({ log: (line) => lines.push(line) });
    expect(lines).toEqual([expect.stringContaining("it is a simulator")]);
    const logs = await scene.socket(simulator, "/system/logs", { Follow: "false" });
    await logs.untilEnd();
    expect(logs.text.toString()).toBe(`${lines.join("")}\n`);
  });
});

describe("deploy R-RACKSIM-1: authentication", () => {
  it("deploy R-RACKSIM-1: a wrong password is 401 text with the rack's challenge", async () => {
    const simulator = await scene.start();
    const wrong = `Basic ${Buffer.from("convox:nearly").toString("base64")}`;
    for (const headers of [{}, { Authorization: wrong }, { Authorization: `Bearer ${simulator.password}` }]) {
      const answer = await callOver(simulator.url, { method: "GET", path: "/apps", headers });
      expect([answer.status, answer.text]).toEqual([401, "invalid authentication\n"]);
      expect(answer.headers).toMatchObject({
        "www-authenticate": 'Basic realm="convox"',
        "content-type": "text/plain; charset=utf-8",
      });
      expect(lastCall(simulator).actor).toBeNull();
    }
  });

  it("deploy R-RACKSIM-1: only the password counts, whatever the user name", async () => {
    const simulator = await scene.start();
    const Authorization = `basic ${Buffer.from(`anybody:${simulator.password}`).toString("base64")}`;
    const answer = await callOver(simulator.url, { method: "GET", path: "/apps", headers: { Authorization } });
    expect(answer.status).toBe(200);
  });

  it("deploy R-RACKSIM-1: every answer, also a refusal and a 101, has the three headers", async () => {
    const simulator = await scene.start();
    const heads = [
      await call(simulator, { method: "GET", path: "/apps" }),
      await callOver(simulator.url, { method: "GET", path: "/apps" }),
      await call(simulator, { method: "GET", path: "/racks" }),
      await call(simulator, { method: "PATCH", path: "/apps" }),
    ].map(({ headers }) => headers);
    for (const head of heads) {
      expect(head).toMatchObject({ "x-content-type-options": "nosniff", "x-frame-options": "DENY" });
      expect(head["request-id"]).toMatch(/^[0-9a-z]{12}$/);
    }
    expect(new Set(heads.map((head) => head["request-id"])).size).toBe(heads.length);
    const logs = await scene.socket(simulator, "/apps/myapp/logs");
    expect(logs.head).toMatch(/\r\nRequest-Id: [0-9a-z]{12}\r\n/);
    expect(logs.head).toContain("\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY");
  });

  it("deploy R-RACKSIM-1: the actor is Convox-Actor, else X-Convox-Actor, else rack-password", async () => {
    const simulator = await scene.start();
    const actors: (string | null)[] = [];
    for (const headers of [
      { "Convox-Actor": "ana@example.com", "X-Convox-Actor": "old@example.com" },
      { "Convox-Actor": " ", "X-Convox-Actor": "old@example.com" },
      {},
    ]) {
      await call(simulator, { method: "GET", path: "/apps", headers });
      actors.push(lastCall(simulator).actor);
    }
    expect(actors).toEqual(["ana@example.com", "old@example.com", "rack-password"]);
  });
});

describe("deploy R-RACKSIM-1: answers", () => {
  it("deploy R-RACKSIM-1: JSON is indented by two spaces and ends with a newline, byte for byte", async () => {
    const simulator = await scene.start();
    simulator.addApp({ name: "a" });
    const answer = await call(simulator, { method: "GET", path: "/apps/a" });
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.text).toBe(
      [
        ...["{", '  "generation": "3",', '  "locked": false,', '  "name": "a",', '  "release": "",'],
        ...['  "router": "nginx",', '  "status": "running",', '  "parameters": {}', "}", ""],
      ].join("\n"),
    );
  });

  it("deploy R-RACKSIM-1: JSON escapes what a Go program escapes", async () => {
    const simulator = await scene.start();
    const answer = await form(simulator, "/apps/myapp/releases", "description=%3Cb%3E%26");
    expect(answer.text).toContain(String.raw`"description": "\u003cb\u003e\u0026"`);
  });

  it("deploy R-RACKSIM-1: an answer longer than a Go server's buffer comes in chunks", async () => {
    const simulator = await scene.start();
    simulator.setActiveRelease("myapp", { env: { TAG: "v1", LONG: "x".repeat(4_000) } });
    const long = await call(simulator, { method: "GET", path: "/apps/myapp/releases" });
    expect([long.headers["content-length"], long.headers["transfer-encoding"]]).toEqual([undefined, "chunked"]);
    const short = await call(simulator, { method: "GET", path: "/apps/myapp" });
    expect(short.headers["content-length"]).toBe(String(Buffer.byteLength(short.text)));
  });

  it("deploy R-RACKSIM-1: whatever is merely done answers ok, sniffed as text", async () => {
    const simulator = await scene.start();
    const { release } = simulator.rack.app("myapp");
    const process = textMember(await startProcess(simulator, {}), "id");
    const calls: readonly (readonly [string, string])[] = [
      ["POST", `/apps/myapp/releases/${release}/promote`],
      ["DELETE", `/apps/myapp/processes/${process}`],
      ["POST", "/apps/myapp/cancel"],
      ["POST", "/apps/myapp/services/web/restart"],
      ["PUT", "/apps/myapp/services/web"],
      ["PUT", "/apps/myapp"],
      ["PUT", "/system"],
      ["DELETE", "/apps/myapp"],
    ];
    for (const [method, path] of calls) {
      const { status, headers, text: body } = await call(simulator, { method, path });
      expect([path, status, body]).toEqual([path, 200, "ok\n"]);
      expect(headers["content-type"]).toBe("text/plain; charset=utf-8");
    }
  });

  it("deploy R-RACKSIM-1: errors are a line of text, and JSON only for those who name it", async () => {
    const simulator = await scene.start();
    const path = "/apps/nowhere";
    for (const accept of ["*/*", "application/*", "text/html"]) {
      const answer = await call(simulator, { method: "GET", path, headers: { Accept: accept } });
      expect([answer.status, answer.text]).toEqual([404, "app not found: nowhere\n"]);
      expect(answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
    }
    const headers = { Accept: "text/html, application/json;q=0.9" };
    const answer = await call(simulator, { method: "GET", path, headers });
    expect(answer.headers["content-type"]).toBe("application/json");
    expect([answer.status, answer.text]).toEqual([404, '{"error":"app not found: nowhere"}\n']);
  });

  it("deploy R-RACKSIM-1: the probes of clients, GET /racks and GET /machines, are 404, even without a password", async () => {
    const simulator = await scene.start();
    for (const path of ["/racks?", "/machines?"]) {
      const answer = await callOver(simulator.url, { method: "GET", path });
      expect([answer.status, answer.text]).toEqual([404, "404 page not found\n"]);
    }
  });
});

describe("deploy R-RACKSIM-1: values", () => {
  async function nameRead(simulator: RackSimulator, { path = "/apps", headers, body }: Partial<Call>): Promise<string> {
    const answer = await call(simulator, { method: "POST", path, ...(headers && { headers }), ...(body && { body }) });
    const { name } = /app (?:already exists|not found): (?<name>.*)/.exec(answer.text)?.groups ?? {};
    return name ?? textMember(jsonOf(answer), "name");
  }

  it("deploy R-RACKSIM-1: a value is read from the body before the query, and from a header last", async () => {
    const simulator = await scene.start();
    const headers = { "Content-Type": FORM, Name: "header" };
    expect(await nameRead(simulator, { path: "/apps?name=query", headers, body: "name=body" })).toBe("body");
    expect(await nameRead(simulator, { path: "/apps?name=query", headers, body: "other=1" })).toBe("query");
    expect(await nameRead(simulator, { headers, body: "other=1" })).toBe("header");
    expect(await nameRead(simulator, { path: "/apps?name=query2", headers: { Name: "header" } })).toBe("query2");
  });

  it("deploy R-RACKSIM-1: an option marked form is its first value, never a header", async () => {
    const simulator = await scene.start();
    const headers = { "Content-Type": FORM, Description: "header" };
    const post = async (path: string, body: string): Promise<string> =>
      textMember(jsonOf(await call(simulator, { method: "POST", path, headers, body })), "description");
    expect(await post("/apps/myapp/releases?description=query", "description=one&description=two")).toBe("one");
    expect(await post("/apps/myapp/releases?description=query", "")).toBe("query");
    expect(await post("/apps/myapp/releases", "env=TAG%3Dv2")).toBe("env change:TAG");
  });

  it("deploy R-RACKSIM-1: a multipart form is read too, after the query", async () => {
    const simulator = await scene.start();
    const headers = { "Content-Type": 'multipart/form-data; boundary="b b"' };
    const part = (disposition: string, value: string): string =>
      `--b b\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${value}\r\n`;
    const body = `${part('name="name"', "part")}${part('name="file"; filename="f"', "x")}--b b--\r\n`;
    expect(await nameRead(simulator, { headers, body })).toBe("part");
    expect(await nameRead(simulator, { path: "/apps?name=query", headers, body })).toBe("query");
  });

  it("deploy R-RACKSIM-1: an option marked header is its first value, never the form", async () => {
    const simulator = await scene.start();
    const head = [
      "POST /apps/myapp/services/web/processes?Command=query HTTP/1.1",
      ...["Host: rack", `Authorization: ${basic(simulator)}`, "Command: first", "Command: second"],
      ...[`Content-Type: ${FORM}`, "Content-Length: 12", "Connection: close", "", "Command=form"],
    ];
    const answer = await exchangeBytes(simulator.url, head.join("\r\n"));
    expect(answer).toContain('"command": "first"');
    expect(lastCall(simulator).rawHeaders.filter((text) => text === "Command")).toHaveLength(2);
    expect(await startProcess(simulator, {})).toMatchObject({ command: "" });
  });

  it("deploy R-RACKSIM-1: lists are split at commas, booleans are true only for true", async () => {
    const simulator = await scene.start();
    const id = await build(simulator, {
      "build-args": "A=1,B=2",
      "no-cache": "1",
      development: "true",
      external: "TRUE",
    });
    expect(simulator.rack.app("myapp").build(id)).toMatchObject({
      buildArguments: ["A=1", "B=2"],
      flags: ["development"],
    });
  });

  it("deploy R-RACKSIM-1: a number that is none is the rack's own complaint", async () => {
    const simulator = await scene.start();
    const { release } = simulator.rack.app("myapp");
    const answer = await form(simulator, `/apps/myapp/releases/${release}/promote`, "timeout=soon");
    expect([answer.status, answer.text]).toEqual([500, 'strconv.Atoi: parsing "soon": invalid syntax\n']);
  });
});

describe("deploy R-RACKSIM-1: paths", () => {
  it("deploy R-RACKSIM-1: paths are not cleaned", async () => {
    const simulator = await scene.start();
    const paths = [
      "//apps/myapp",
      "/apps//myapp",
      "/apps/./myapp",
      "/apps/x/../myapp",
      "/apps/myapp/",
      "/apps/my%2Fapp",
      "/APPS",
    ];
    for (const path of paths) {
      const answer = await call(simulator, { method: "GET", path });
      expect([path, answer.status, answer.text]).toEqual([path, 404, "404 page not found\n"]);
      expect(lastCall(simulator)).toMatchObject({ path, rawUrl: path });
    }
  });

  it("deploy R-RACKSIM-1: a segment is decoded once", async () => {
    const simulator = await scene.start();
    expect((await call(simulator, { method: "GET", path: "/apps/my%61pp?" })).status).toBe(200);
    const twice = await call(simulator, { method: "GET", path: "/apps/my%2561pp" });
    expect(twice.text).toBe("app not found: my%61pp\n");
    expect((await call(simulator, { method: "GET", path: "/apps/%zz" })).status).toBe(400);
  });

  it("deploy R-RACKSIM-1: a known path with another method is 405, and a stream without an upgrade 404", async () => {
    const simulator = await scene.start();
    expect((await call(simulator, { method: "PATCH", path: "/apps/myapp" })).status).toBe(405);
    expect((await call(simulator, { method: "GET", path: "/apps/myapp/logs" })).status).toBe(404);
  });

  it("deploy R-RACKSIM-1: object keys are cleaned, and one that climbs is refused", async () => {
    const simulator = await scene.start();
    expect(await upload(simulator, Buffer.from("x"), "/tmp//./a.tgz")).toBe("object://myapp/tmp/a.tgz");
    for (const key of ["tmp/../../x", "..", "tmp%2F..%2Fx"]) {
      const answer = await call(simulator, { method: "POST", path: `/apps/myapp/objects/${key}`, body: "x" });
      expect([answer.status, answer.text]).toEqual([400, "invalid object key\n"]);
    }
    expect([...simulator.objects.keys()]).toEqual(["myapp/tmp/a.tgz"]);
  });
});

describe("deploy R-RACKSIM-1: objects", () => {
  it("deploy R-RACKSIM-1: the answer is the Url with a capital U, and the bytes are those that were sent", async () => {
    const simulator = await scene.start();
    const body = Buffer.from([0, 255, 254, 10]);
    const path = "/apps/myapp/objects/tmp/a.tgz";
    const headers = { "Content-Type": "application/octet-stream" };
    const answer = await call(simulator, { method: "POST", path, headers, body });
    expect(answer.text).toBe('{\n  "Url": "object://myapp/tmp/a.tgz"\n}\n');
    const sha256 = createHash("sha256").update(body).digest("hex");
    expect(simulator.objects.get("myapp/tmp/a.tgz")).toMatchObject({ body, sha256, bytes: 4, complete: true });
    expect(lastCall(simulator)).toMatchObject({ bodySha256: sha256, bodyBytes: 4, complete: true, status: 200 });
  });

  it("deploy R-RACKSIM-1: an existing key is overwritten", async () => {
    const simulator = await scene.start();
    await upload(simulator, Buffer.from("first, and longer"));
    await upload(simulator, Buffer.from("second"));
    expect(simulator.objects.get("myapp/tmp/a.tgz")?.body?.toString()).toBe("second");
  });

  function unfinished(simulator: RackSimulator): string {
    return [
      "POST /apps/myapp/objects/tmp/a.tgz HTTP/1.1",
      ...["Host: rack", `Authorization: ${basic(simulator)}`, "Content-Length: 100", "", "only a part"],
    ].join("\r\n");
  }

  it("deploy R-RACKSIM-1: a body that its sender cuts off is 500, and a partial object stays", async () => {
    const simulator = await scene.start();
    const client = tcpConnect(Number(new URL(simulator.url).port), "127.0.0.1");
    client.end(unfinished(simulator));
    const answer = await text(client);
    expect(answer).toMatch(/^HTTP\/1\.1 500 /);
    expect(answer).toMatch(/\r\n\r\nunexpected EOF\n$/);
    const object = simulator.objects.get("myapp/tmp/a.tgz");
    expect([object?.complete, object?.body?.toString()]).toEqual([false, "only a part"]);
    expect(lastCall(simulator)).toMatchObject({ complete: false, bodyBytes: 11 });
  });

  it("deploy R-RACKSIM-1: a connection that is reset leaves a partial object, never a complete one", async () => {
    const simulator = await scene.start();
    const client = tcpConnect(Number(new URL(simulator.url).port), "127.0.0.1");
    client.write(unfinished(simulator));
    await expect.poll(() => simulator.calls.at(-1)?.bodyBytes).toBe(11);
    client.resetAndDestroy();
    await expect.poll(() => simulator.calls.at(-1)?.status).toBe(500);
    expect(simulator.objects.get("myapp/tmp/a.tgz")).toMatchObject({ complete: false, bytes: 11 });
  });

  it("deploy R-RACKSIM-1: objects that are only hashed keep their SHA-256 and no bytes", async () => {
    const simulator = await scene.start({ keepObjects: false });
    const body = Buffer.alloc(1_000_000, 7);
    await upload(simulator, body);
    const sha256 = createHash("sha256").update(body).digest("hex");
    expect(simulator.objects.get("myapp/tmp/a.tgz")).toMatchObject({ sha256, body: null, complete: true });
  });

  it("deploy R-RACKSIM-1: a client that waits for 100 Continue gets it, unless it is refused first", async () => {
    const simulator = await scene.start();
    const ask = async (authorization: string): Promise<string> => {
      const client = tcpConnect(Number(new URL(simulator.url).port), "127.0.0.1");
      const head = ["POST /apps/myapp/objects/tmp/a HTTP/1.1", "Host: rack", `Authorization: ${authorization}`];
      client.write([...head, "Content-Length: 2", "Expect: 100-continue", "", ""].join("\r\n"));
      const first = await new Promise<Buffer>((resolve) => {
        client.once("data", resolve);
      });
      client.destroy();
      return first.toString("latin1").split("\r\n")[0] ?? "";
    };
    expect(await ask(basic(simulator))).toBe("HTTP/1.1 100 Continue");
    expect(await ask("Basic eDp5")).toBe("HTTP/1.1 401 Unauthorized");
  });
});

describe("deploy R-RACKSIM-1: builds", () => {
  it("deploy R-RACKSIM-1: build create answers a running build without a release, in the wire's members", async () => {
    const simulator = await scene.start({ paces: { builds: "by_step" } });
    const url = await upload(simulator, await archive([[{ name: "convox.yml" }, MANIFEST]]));
    const answer = await form(simulator, "/apps/myapp/builds", `url=${url}&git-sha=${COMMIT}&description=d`);
    const created = jsonOf(answer);
    const id = textMember(created, "id");
    expect(id).toMatch(/^B[A-Z]{10}$/);
    expect(answer.text).toBe(
      `${JSON.stringify(
        {
          ...{ id, app: "myapp", description: "d", entrypoint: "", "git-sha": COMMIT, logs: "", manifest: "" },
          ...{ process: textMember(created, "process"), release: "", reason: "", repository: "", status: "running" },
          ...{ started: "2026-03-04T05:06:07.89Z", ended: "0001-01-01T00:00:00Z" },
        },
        null,
        2,
      )}\n`,
    );
    expect(await built(simulator, id)).toMatchObject({ status: "running", release: "" });
  });

  it("deploy R-RACKSIM-1: a stepped build completes with the raw manifest and a release of the current environment", async () => {
    const simulator = await scene.start({ paces: { builds: "by_step" } });
    const url = await upload(simulator, await archive([[{ name: "convox.yml" }, MANIFEST]]));
    const id = await build(simulator, { url, "git-sha": COMMIT, "build-args": "TAG=v2" });
    await simulator.rack.app("myapp").stepBuild(id);
    const complete = await built(simulator, id);
    expect(complete).toMatchObject({ status: "complete", manifest: MANIFEST, "git-sha": COMMIT });
    const release = textMember(complete, "release");
    expect(release).toMatch(/^R[A-Z]{10}$/);
    const answer = await call(simulator, { method: "GET", path: `/apps/myapp/releases/${release}` });
    const wire = { id: release, app: "myapp", build: id, env: "TAG=v1", manifest: MANIFEST, description: "" };
    expect(answer.text).toBe(`${JSON.stringify({ ...wire, created: "2026-03-04T05:06:07.89Z" }, null, 2)}\n`);
    expect(simulator.rack.app("myapp").release).not.toBe(release);
  });

  it("deploy R-RACKSIM-1: the manifest is interpolated from the environment, and build arguments win", async () => {
    const simulator = await scene.start();
    const url = await upload(simulator, await archive([[{ name: "convox.yml" }, MANIFEST]]));
    const images = async (fields: Readonly<Record<string, string>>): Promise<unknown> => {
      const id = await build(simulator, { url, ...fields });
      await built(simulator, id);
      return simulator.rack.app("myapp").build(id).images;
    };
    expect(await images({})).toEqual({ web: "myorg/app:v1", worker: null });
    expect(await images({ "build-args": "TAG=v2" })).toEqual({ web: "myorg/app:v2", worker: null });
  });

  it("deploy R-RACKSIM-1: the builder takes regular files only, and a second one does not truncate the first", async () => {
    const simulator = await scene.start();
    const second = "services: {}\n#";
    const url = await upload(
      simulator,
      await archive([
        [{ name: "app/", type: "directory" }, ""],
        [{ name: "./app/convox.yml" }, MANIFEST],
        [{ name: "app/convox.yml" }, second],
        [{ name: "other.yml", type: "symlink", linkname: "app/convox.yml" }, ""],
      ]),
    );
    const id = await build(simulator, { url, manifest: "app/convox.yml" });
    expect(await built(simulator, id)).toMatchObject({ manifest: second + MANIFEST.slice(second.length) });
    const linked = await build(simulator, { url, manifest: "other.yml" });
    expect(await built(simulator, linked)).toMatchObject({ status: "failed", release: "" });
  });

  it("deploy R-RACKSIM-1: a build fails without its object, its manifest, or with a partial archive", async () => {
    const simulator = await scene.start();
    const whole = await archive([[{ name: "other.yml" }, MANIFEST]]);
    const url = await upload(simulator, whole);
    const cut = await upload(simulator, whole.subarray(0, whole.length - 20), "tmp/cut");
    for (const fields of [{ url }, { url: "object://myapp/tmp/none" }, { url: "http://x/" }, { url: cut }]) {
      const failed = await built(simulator, await build(simulator, fields));
      expect(failed).toMatchObject({ status: "failed", release: "" });
      expect(textMember(failed, "reason")).not.toBe("");
    }
  });

  it("deploy R-RACKSIM-1: a build after a delay completes by itself", async () => {
    const simulator = await scene.start({ paces: { builds: 20 } });
    const url = await upload(simulator, await archive([[{ name: "convox.yml" }, MANIFEST]]));
    const id = await build(simulator, { url });
    expect(await built(simulator, id)).toMatchObject({ status: "running" });
    await expect.poll(async () => member(await built(simulator, id), "status")).toBe("complete");
  });
});

describe("deploy R-RACKSIM-1: releases and apps", () => {
  it("deploy R-RACKSIM-1: a release continues the newest one, with its environment's changes as description", async () => {
    const simulator = await scene.start();
    const { release: parent } = simulator.rack.app("myapp");
    const answer = jsonOf(await form(simulator, "/apps/myapp/releases", "env=TAG%3Dv2%0ANEW%3D1"));
    expect(answer).toMatchObject({ env: "TAG=v2\nNEW=1", manifest: MANIFEST, description: "env add:NEW change:TAG" });
    const forked = jsonOf(await form(simulator, "/apps/myapp/releases", `parent-release=${parent}`));
    expect(forked).toMatchObject({ env: "TAG=v1" });
    const list = jsonOf(await call(simulator, { method: "GET", path: "/apps/myapp/releases?limit=2" }));
    expect(list).toEqual([forked, answer]);
  });

  it("deploy R-RACKSIM-1: a promote sets updating, then running with the new release", async () => {
    const simulator = await scene.start({ paces: { promotes: "by_step" } });
    const app = simulator.rack.app("myapp");
    const before = app.release;
    const id = textMember(jsonOf(await form(simulator, "/apps/myapp/releases", "description=d")), "id");
    await form(simulator, `/apps/myapp/releases/${id}/promote`, "force=true&timeout=300");
    const state = async (): Promise<unknown> => jsonOf(await call(simulator, { method: "GET", path: "/apps/myapp" }));
    expect(await state()).toMatchObject({ status: "updating", release: before });
    app.stepPromote();
    expect(await state()).toMatchObject({ status: "running", release: id });
  });

  it("deploy R-RACKSIM-1: a promote that fails ends in rollback with the old release", async () => {
    const simulator = await scene.start({ onPromote: () => "rollback" });
    const { release: before } = simulator.rack.app("myapp");
    const id = textMember(jsonOf(await form(simulator, "/apps/myapp/releases", "description=d")), "id");
    const answer = await form(simulator, `/apps/myapp/releases/${id}/promote`, "");
    expect([answer.status, answer.text]).toEqual([200, "ok\n"]);
    const after = jsonOf(await call(simulator, { method: "GET", path: "/apps/myapp" }));
    expect(after).toMatchObject({ status: "rollback", release: before });
  });

  it("deploy R-RACKSIM-1: a promote of a release whose manifest cannot be read is an error and changes nothing", async () => {
    const simulator = await scene.start();
    const app = simulator.rack.app("myapp");
    const { release } = app;
    const id = textMember(jsonOf(await form(simulator, "/apps/myapp/releases", "env=NOTHING%3D1")), "id");
    expect((await form(simulator, `/apps/myapp/releases/${id}/promote`, "")).status).toBe(500);
    expect([app.status, app.release]).toEqual(["running", release]);
  });

  it("deploy R-RACKSIM-1: PUT /system changes the parameters that GET /system shows", async () => {
    const simulator = await scene.start();
    const headers = { "Content-Type": FORM };
    const body = new URLSearchParams({ parameters: "node_type=big&idle=1" }).toString();
    await call(simulator, { method: "PUT", path: "/system", headers, body });
    const system = jsonOf(await call(simulator, { method: "GET", path: "/system" }));
    expect(member(system, "parameters")).toMatchObject({ node_type: "big", idle: "1", high_availability: "true" });
  });

  it("deploy R-RACKSIM-1: certificates, registries, resources and instances answer as lists and one by one", async () => {
    const simulator = await scene.start();
    simulator.setActiveRelease("myapp", {
      manifest: "services: {web: {image: a}}\nresources: {db: {type: postgres}}\n",
    });
    const certificate = jsonOf(await form(simulator, "/certificates/generate", "domains=a.example,b.example"));
    expect(certificate).toMatchObject({ domain: "a.example", domains: ["a.example", "b.example"] });
    const registry = { server: "index.docker.io/v1/", username: "u", password: "p" };
    await form(simulator, "/registries", new URLSearchParams(registry).toString());
    const get = async (path: string): Promise<unknown> => jsonOf(await call(simulator, { method: "GET", path }));
    expect(await get("/certificates")).toEqual([certificate]);
    expect(await get("/registries")).toEqual([registry]);
    expect(await get("/apps/myapp/resources")).toEqual([await get("/apps/myapp/resources/db")]);
    expect(await get("/instances")).toHaveLength(3);
    for (const path of ["/registries/index.docker.io/v1/", "/instances/simulated-1"]) {
      expect((await call(simulator, { method: "DELETE", path })).text).toBe("ok\n");
    }
    expect([await get("/registries"), simulator.rack.instances.size]).toEqual([[], 2]);
  });
});

describe("deploy R-RACKSIM-1: processes", () => {
  it("deploy R-RACKSIM-1: a start reads its options from headers and answers pending, then it runs", async () => {
    const simulator = await scene.start();
    const { release } = simulator.rack.app("myapp");
    const headers = { Command: "sleep 3600", Release: release, Environment: "A=1&B=%20", Memory: "256" };
    const started = await startProcess(simulator, headers);
    expect(started).toMatchObject({ app: "myapp", command: "sleep 3600", name: "web", release, status: "pending" });
    const pid = textMember(started, "id");
    expect(pid).toMatch(/^web-[0-9a-z]{5}$/);
    expect(simulator.rack.app("myapp").process(pid).options).toEqual(headers);
    const running = jsonOf(await call(simulator, { method: "GET", path: `/apps/myapp/processes/${pid}` }));
    expect(running).toMatchObject({ id: pid, status: "running" });
  });

  it("deploy R-RACKSIM-1: a stopped process is gone, and services have theirs", async () => {
    const simulator = await scene.start();
    const pid = textMember(await startProcess(simulator, { Command: "sleep 1" }), "id");
    await call(simulator, { method: "DELETE", path: `/apps/myapp/processes/${pid}` });
    const answer = await call(simulator, { method: "GET", path: `/apps/myapp/processes/${pid}` });
    expect([answer.status, answer.text]).toEqual([404, `process not found: ${pid}\n`]);
    const services = jsonOf(await call(simulator, { method: "GET", path: "/apps/myapp/processes?service=web" }));
    expect(services).toMatchObject([{ name: "web", image: "myorg/app:v1", status: "running" }]);
  });
});

describe("deploy R-RACKSIM-1: log sockets", () => {
  it("deploy R-RACKSIM-1: a build's log comes in text frames and ends with an empty binary frame, then TCP without close", async () => {
    const simulator = await scene.start({ paces: { builds: "by_step" } });
    const url = await upload(simulator, await archive([[{ name: "convox.yml" }, MANIFEST]]));
    const id = await build(simulator, { url });
    const logs = await scene.socket(simulator, `/apps/myapp/builds/${id}/logs`);
    await simulator.rack.app("myapp").stepBuild(id);
    await logs.untilEnd();
    expect(logs.frames).toEqual([
      { fin: true, opcode: TEXT, payload: Buffer.from("Running: docker pull myorg/app:v1\n") },
      { fin: true, opcode: TEXT, payload: Buffer.from("Building: ./worker\n") },
      { fin: true, opcode: BINARY, payload: Buffer.alloc(0) },
    ]);
    expect(logs.end).toBe("closed");
    const again = await scene.socket(simulator, `/apps/myapp/builds/${id}/logs`);
    await again.untilEnd();
    expect(again.frames).toEqual(logs.frames);
  });

  it("deploy R-RACKSIM-1: 101 comes before authorization and errors, which are text frames", async () => {
    const simulator = await scene.start();
    const refused = await RawWebSocket.open(simulator.url, "/apps/myapp/builds/BX/logs", {
      Authorization: "Basic eDp5",
    });
    const missing = await scene.socket(simulator, "/apps/myapp/builds/BX/logs");
    for (const [opened, line] of [
      [refused, "ERROR: invalid authentication\n"],
      [missing, "ERROR: build not found: BX\n"],
    ] as const) {
      await opened.untilEnd();
      expect([opened.status, opened.frames.map(({ opcode }) => opcode)]).toEqual([101, [TEXT, BINARY]]);
      expect(opened.text.toString()).toBe(line);
    }
  });

  it("deploy R-RACKSIM-1: no compression and no subprotocol is agreed, and pings are answered", async () => {
    const simulator = await scene.start();
    const logs = await scene.socket(simulator, "/apps/myapp/logs", {
      "Sec-WebSocket-Extensions": "permessage-deflate",
      "Sec-WebSocket-Protocol": "a, b",
    });
    expect(logs.head).not.toMatch(/Sec-WebSocket-(Extensions|Protocol)/i);
    logs.send(PING, "hello");
    await logs.until(() => logs.frames.length === 1);
    expect(logs.frames).toEqual([{ fin: true, opcode: PONG, payload: Buffer.from("hello") }]);
    expect(lastCall(simulator).pings).toBe(1);
  });

  it("deploy R-RACKSIM-1: an app's log is followed until its reader leaves", async () => {
    const simulator = await scene.start();
    const app = simulator.rack.app("myapp");
    app.log.write("one\n");
    const logs = await scene.socket(simulator, "/apps/myapp/logs");
    await logs.until(() => logs.text.toString() === "one\n");
    app.log.write("two\n");
    await logs.until(() => logs.text.toString() === "one\ntwo\n");
    expect(logs.end).toBeNull();
  });

  it("deploy R-RACKSIM-1: a socket of another origin is refused with 403", async () => {
    const simulator = await scene.start();
    const own = await scene.socket(simulator, "/apps/myapp/logs", { Origin: simulator.url });
    const other = await scene.socket(simulator, "/apps/myapp/logs", { Origin: "https://elsewhere.example" });
    expect([own.status, other.status]).toEqual([101, 403]);
  });

  it("deploy R-RACKSIM-1: an upgrade elsewhere is an ordinary call", async () => {
    const simulator = await scene.start();
    const unknown = await scene.socket(simulator, "/apps/myapp/nothing");
    const known = await scene.socket(simulator, "/apps/myapp");
    await known.untilEnd();
    expect([unknown.status, known.status]).toEqual([404, 200]);
    expect(JSON.parse(known.rest.toString())).toMatchObject({ name: "myapp" });
  });
});

describe("deploy R-RACKSIM-1: exec sockets", () => {
  async function exec(
    simulator: RackSimulator,
    { query = "", headers = {} }: { query?: string; headers?: Readonly<Record<string, string>> },
  ): Promise<RawWebSocket> {
    const pid = textMember(await startProcess(simulator, { Command: "sleep 3600" }), "id");
    return scene.socket(simulator, `/apps/myapp/processes/${pid}/exec${query}`, headers);
  }

  it("deploy R-RACKSIM-1: the command is read from the query before the header", async () => {
    const commands: string[] = [];
    const simulator = await scene.start({ onExec: ({ command }) => ({ exitCode: commands.push(command) }) });
    for (const query of ["", "?command=id"]) {
      const opened = await exec(simulator, { query, headers: { Command: "rake db:migrate" } });
      await opened.untilEnd();
    }
    expect(commands).toEqual(["rake db:migrate", "id"]);
  });

  it("deploy R-RACKSIM-1: the options come from headers, Tty true unless said", async () => {
    const seen: unknown[] = [];
    const simulator = await scene.start({ onExec: (asked) => ({ exitCode: seen.push(asked) }) });
    await (await exec(simulator, { headers: { Command: "a" } })).untilEnd();
    const headers = {
      Command: "b",
      Entrypoint: "true",
      Height: "24",
      Width: "80",
      Tty: "false",
      "Disable-Stdin": "true",
    };
    await (await exec(simulator, { headers })).untilEnd();
    expect(seen).toMatchObject([
      { command: "a", entrypoint: false, height: null, width: null, tty: true, disableStdin: false },
      { command: "b", entrypoint: true, height: 24, width: 80, tty: false, disableStdin: true },
    ]);
  });

  it("deploy R-RACKSIM-1: output is text frames whatever its bytes, then the exit trailer, then the empty binary frame", async () => {
    const invalid = Buffer.from([0xff, 0x00, 0xc3]);
    const simulator = await scene.start({ onExec: () => ({ output: ["hello\n", invalid], exitCode: 3 }) });
    const opened = await exec(simulator, { headers: { Command: "x" } });
    await opened.untilEnd();
    expect(opened.frames).toEqual([
      { fin: true, opcode: TEXT, payload: Buffer.from("hello\n") },
      { fin: true, opcode: TEXT, payload: invalid },
      { fin: true, opcode: TEXT, payload: Buffer.from(`${TRAILER}:3\n`) },
      { fin: true, opcode: BINARY, payload: Buffer.alloc(0) },
    ]);
  });

  it("deploy R-RACKSIM-1: input is text frames, and an empty binary frame is its end", async () => {
    const simulator = await scene.start({ onExec: () => ({ echo: true }) });
    const opened = await exec(simulator, { headers: { Command: "cat" } });
    opened.send(TEXT, "one ");
    opened.send(TEXT, Buffer.from([0xfe]));
    await opened.until(() => opened.frames.length === 2);
    expect(opened.end).toBeNull();
    opened.send(BINARY);
    await opened.untilEnd();
    const input = Buffer.concat([Buffer.from("one "), Buffer.from([0xfe])]);
    expect(opened.text).toEqual(Buffer.concat([input, Buffer.from(`${TRAILER}:0\n`)]));
    expect(lastCall(simulator)).toMatchObject({ isSocket: true, complete: true, body: input, status: 101 });
  });

  it("deploy R-RACKSIM-1: an unknown process exits with 0 and says why", async () => {
    const simulator = await scene.start();
    const opened = await scene.socket(simulator, "/apps/myapp/processes/web-x/exec", { Command: "x" });
    await opened.untilEnd();
    expect(opened.text.toString()).toBe(`${TRAILER}:0\nERROR: process not found: web-x\n`);
  });

  it("deploy R-RACKSIM-1: output waits for a reader that does not read", async () => {
    const chunk = Buffer.alloc(32_768, 120);
    const chunks = 2_000;
    const written = { count: 0 };
    function* output(): Generator<Buffer> {
      for (; written.count < chunks; written.count += 1) yield chunk;
    }
    const simulator = await scene.start({ onExec: () => ({ output: output() }) });
    const opened = await exec(simulator, { headers: { Command: "x" } });
    opened.pause();
    const halted = { at: -1 };
    await expect
      .poll(
        () => {
          const still = halted.at === written.count && written.count > 0;
          halted.at = written.count;
          return still;
        },
        { interval: 200, timeout: 8_000 },
      )
      .toBe(true);
    expect(written.count).toBeLessThan(chunks);
    opened.resume();
    await opened.untilEnd();
    expect(opened.text.length).toBe(chunk.length * chunks + `${TRAILER}:0\n`.length);
  });
});
