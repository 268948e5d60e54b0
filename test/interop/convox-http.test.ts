import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { Readable } from "node:stream";
import { setTimeout as passed } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { quickCall } from "../../src/gates/deploy/rack-timeouts.ts";
import { FORM, lastCall } from "../support/rack-simulator/raw-rack-calls.ts";
import { ACTOR, bodyOf, callOf, ConvoxScene, faultOf, get, REQUEST_ID } from "./convox-scene.ts";

const scene = new ConvoxScene();
const servers: { readonly server: Server; readonly sockets: Set<Socket> }[] = [];

afterEach(async () => {
  await scene.end();
  for (const { server, sockets } of servers.splice(0)) {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});

/** A rack that answers each connection with what `serve` does to it. */
async function rawRack(serve: (socket: Socket, at: number) => void): Promise<string> {
  const sockets = new Set<Socket>();
  let count = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    serve(socket, (count += 1));
  });
  servers.push({ server, sockets });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("not listening");
  return `http://127.0.0.1:${String(address.port)}`;
}

const CREDENTIAL = { username: "convox", password: "secret" };
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

describe("deploy R-PROXY-5: what the rack is told", () => {
  it("deploy R-PROXY-5: credential, actor, address and request id are the gate's, whatever the caller passes", async () => {
    const simulator = await scene.simulator();
    const rack = scene.rack(simulator);
    const forged = [
      "Authorization",
      "Convox-Actor",
      "X-Convox-Actor",
      "X-User-Email",
      "X-Request-Id",
      "Cookie",
      "Host",
    ];
    const answer = await get(rack, "/apps/myapp", {
      headers: [["Accept", "application/json"], ...forged.map((name) => [name.toUpperCase(), "forged"] as const)],
    });
    expect([answer.status, JSON.parse(String(await bodyOf(answer)))]).toMatchObject([200, { name: "myapp" }]);
    const call = lastCall(simulator);
    expect(call.actor).toBe(ACTOR.name);
    expect(call.headers).toMatchObject({
      ...{ accept: "application/json", "x-user-email": ACTOR.email, "x-request-id": REQUEST_ID },
      host: new URL(simulator.url).host,
    });
    expect(JSON.stringify(call.rawHeaders)).not.toContain("forged");
  });

  it("deploy R-PROXY-5: values go as the bytes that they are, and an actor is one line of UTF-8", async () => {
    const simulator = await scene.simulator();
    const rack = scene.rack(simulator);
    const actor = { name: "zoë@example.com\r\nX-Forged: yes", email: "zoë@example.com" };
    await get(rack, "/apps/myapp", { headers: [["Filter", "\u00fcber\u00e9"]], actor });
    const { headers } = lastCall(simulator);
    expect(headers["filter"]).toBe("\u00fcber\u00e9");
    expect(Buffer.from(headers["convox-actor"] ?? "", "latin1").toString()).toBe("zoë@example.comX-Forged: yes");
    expect(Buffer.from(headers["x-user-email"] ?? "", "latin1").toString()).toBe("zoë@example.com");
    expect(headers).not.toHaveProperty("x-forged");
  });

  it("deploy R-ROUTE-2: path and query reach the rack as they were encoded", async () => {
    const simulator = await scene.simulator();
    await get(scene.rack(simulator), "/apps/my%20app/a%2Bb", { query: "limit=%31&x=a+b" });
    expect(lastCall(simulator).rawUrl).toBe("/apps/my%20app/a%2Bb?limit=%31&x=a+b");
  });
});

describe("deploy R-PROXY-6: what comes back", () => {
  it("deploy R-PROXY-6: hop-by-hop headers and Set-Cookie are dropped, the rest keeps its spelling, order and bytes", async () => {
    const head = [
      ...["HTTP/1.1 418 Short And Stout", "X-Odd-CASE: \u00e9", "Set-Cookie: a=b", "X-Odd-CASE: two"],
      ...["Connection: keep-alive, X-Hop", "X-Hop: 1", "Keep-Alive: timeout=5", "Content-Length: 2"],
    ];
    const url = await rawRack((socket) => socket.write(`${head.join("\r\n")}\r\n\r\nno`, "latin1"));
    const answer = await get(scene.rack({ ...CREDENTIAL, url }), "/");
    expect([answer.status, answer.statusText]).toEqual([418, "Short And Stout"]);
    expect(answer.headers).toEqual([
      ["X-Odd-CASE", "\u00e9"],
      ["X-Odd-CASE", "two"],
      ["Content-Length", "2"],
    ]);
    expect(String(await bodyOf(answer))).toBe("no");
  });

  it("deploy R-PROXY-9: a redirect is passed on and not followed", async () => {
    const answer = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    const url = await rawRack((socket) => socket.write(answer));
    const { status, headers } = await get(scene.rack({ ...CREDENTIAL, url }), "/");
    expect([status, headers[0]]).toEqual([302, ["Location", "http://127.0.0.1:1/"]]);
  });
});

describe("deploy R-PROXY-7: bodies", () => {
  it("deploy R-PROXY-7: an upload arrives byte for byte, with its length or in chunks", async () => {
    const simulator = await scene.simulator();
    const rack = scene.rack(simulator);
    const bytes = randomBytes(3_000_001);
    for (const contentLength of [bytes.length, null]) {
      const body = Readable.from(pieces(bytes, 65_521));
      const path = `/apps/myapp/objects/tmp/${String(contentLength)}.tgz`;
      const answer = await rack.call(callOf({ method: "POST", path, body, contentLength }));
      expect([answer.status, await bodyOf(answer)]).toMatchObject([200, expect.anything()]);
      const { bodySha256, complete, headers } = lastCall(simulator);
      expect([bodySha256, complete]).toEqual([createHash("sha256").update(bytes).digest("hex"), true]);
      expect(headers["content-length"]).toBe(contentLength === null ? undefined : String(contentLength));
    }
  });

  it.each([[400_000], [null]])(
    "deploy R-BIND-4: an upload that is held back is never complete on the rack (length %s)",
    async (contentLength) => {
      const simulator = await scene.simulator();
      const refusal = new Error("the archive differs");
      const body = heldBack(randomBytes(300_000), refusal);
      const call = callOf({ method: "POST", path: "/apps/myapp/objects/tmp/a.tgz", body, contentLength });
      await expect(scene.rack(simulator).call(call)).rejects.toBe(refusal);
      await expect.poll(() => lastCall(simulator).bodyBytes).toBeGreaterThan(0);
      await expect.poll(() => lastCall(simulator).status).toBe(500);
      expect(lastCall(simulator)).toMatchObject({ complete: false });
    },
  );

  it("deploy R-PROXY-7: a slow reader holds up the rack: what waits for it is bounded", async () => {
    let written = 0;
    let isHeldUp = false;
    const url = await rawRack((socket) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n");
      const chunk = Buffer.alloc(65_536);
      const fill = (): void => {
        while (written < 104_857_600) {
          written += chunk.length;
          if (!socket.write(chunk)) {
            isHeldUp = true;
            socket.once("drain", fill);
            return;
          }
        }
      };
      fill();
    });
    const answer = await get(scene.rack({ ...CREDENTIAL, url }), "/");
    let before = -1;
    // Nobody reads: the rack comes to a halt once the buffers of both kernels are full.
    await expect
      .poll(
        () => {
          const isStill = isHeldUp && written === before;
          before = written;
          return isStill;
        },
        { interval: 200, timeout: 10_000 },
      )
      .toBe(true);
    expect(written).toBeLessThan(52_428_800);
    expect((await bodyOf(answer)).length).toBe(104_857_600);
  });

  it("deploy R-PROXY-7: an answer of the gate's own question above 16 MiB is refused", async () => {
    const url = await rawRack((socket) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 16777217\r\n\r\n");
      socket.write(Buffer.alloc(16_777_217, " "));
    });
    const rack = scene.rack({ ...CREDENTIAL, url });
    expect(await faultOf(rack.ask({ path: "/apps/a", actor: ACTOR }))).toBe("rack_answer_too_large sent");
  });

  it("deploy R-REQ-2: a question brings status and JSON; a refusal that is none is told by its status", async () => {
    const simulator = await scene.simulator();
    const rack = scene.rack(simulator);
    const known = await rack.ask({ path: "/apps/myapp", actor: ACTOR });
    expect(known).toMatchObject({ status: 200, json: { name: "myapp" } });
    expect(lastCall(simulator)).toMatchObject({ actor: ACTOR.name, headers: { accept: "application/json" } });
    expect((await rack.ask({ path: "/apps/nowhere", actor: ACTOR })).status).toBe(404);
    const off = simulator.faults.add({ method: "GET", path: "/apps/{app}", kind: "delay", milliseconds: 60_000 });
    expect(await faultOf(rack.ask({ path: "/apps/myapp", actor: ACTOR, timeoutMs: 20 }))).toBe("rack_timeout sent");
    off();
  });
});

describe("deploy R-PROXY-8: a rack that is slow, or not there", () => {
  it("deploy R-PROXY-8: no headers in time is rack_timeout", async () => {
    const simulator = await scene.simulator();
    simulator.faults.add({ method: "ANY", path: "*", kind: "delay", milliseconds: 60_000 });
    const rack = scene.rack(simulator);
    const timeouts = { ...quickCall, headersMs: 20 };
    expect(await faultOf(get(rack, "/apps", { timeouts }))).toBe("rack_timeout sent");
    const form = { headers: [["Content-Type", FORM] as const], body: Readable.from([Buffer.from("a=b")]) };
    const post = callOf({ method: "POST", path: "/apps/myapp/builds", ...form, timeouts });
    expect(await faultOf(rack.call(post))).toBe("rack_timeout sent");
  });

  it("deploy R-PROXY-8: an upload may take longer than an answer, but may not stand still or last for ever", async () => {
    const simulator = await scene.simulator();
    const rack = scene.rack(simulator);
    const path = "/apps/myapp/objects/tmp/a.tgz";
    const slow = callOf({
      method: "POST",
      path,
      body: dripping(2, 800),
      timeouts: { ...quickCall, headersMs: 1_200, uploadIdleMs: 1_400 },
    });
    expect((await rack.call(slow)).status).toBe(200);
    for (const timeouts of [
      { ...quickCall, uploadIdleMs: 20 },
      { ...quickCall, uploadMs: 20 },
    ]) {
      const still = callOf({ method: "POST", path, body: dripping(2, 200), timeouts });
      expect(await faultOf(rack.call(still))).toBe("rack_timeout sent");
    }
  });

  it("deploy R-PROXY-8: an answer that stands still ends with rack_timeout, one that breaks off with rack_unreachable", async () => {
    const url = await rawRack((socket, at) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbeginning");
      if (at > 1) setImmediate(() => socket.destroy());
    });
    const rack = scene.rack({ ...CREDENTIAL, url });
    const still = await get(rack, "/", { timeouts: { ...quickCall, answerIdleMs: 20 } });
    expect(await faultOf(bodyOf(still))).toBe("rack_timeout sent");
    expect(await faultOf(get(rack, "/").then(bodyOf))).toBe("rack_unreachable sent");
  });

  it("deploy R-PROXY-8: a rack that is not there is rack_unreachable, and nothing was sent", async () => {
    const rack = scene.rack({ ...CREDENTIAL, url: "http://127.0.0.1:1" });
    expect(await faultOf(get(rack, "/apps"))).toBe("rack_unreachable not sent");
    const body = Readable.from([Buffer.from("x")]);
    expect(await faultOf(rack.call(callOf({ method: "POST", path: "/apps", body })))).toBe("rack_unreachable not sent");
  });

  it("deploy R-PROXY-10: a client that is gone ends the call on the rack", async () => {
    let isClosed = false;
    const url = await rawRack((socket) => {
      socket.on("close", () => (isClosed = true));
      socket.resume();
    });
    const gone = new AbortController();
    const call = get(scene.rack({ ...CREDENTIAL, url }), "/apps", { signal: gone.signal });
    setTimeout(() => {
      gone.abort(new Error("client gone"));
    }, 50);
    await expect(call).rejects.toThrow("client gone");
    await expect.poll(() => isClosed).toBe(true);
  });

  it("deploy R-PROXY-10: an answer that is given up half-read ends the connection, and the next call works", async () => {
    const url = await rawRack((socket, at) => {
      socket.write(at === 1 ? "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbeginning" : OK);
    });
    const rack = scene.rack({ ...CREDENTIAL, url });
    (await get(rack, "/")).discard();
    expect(String(await bodyOf(await get(rack, "/")))).toBe("ok");
  });
});

describe("deploy R-PROXY-9: connections", () => {
  /** Answers `good` calls of its first connection, then breaks it at the next; other connections work, or not at all. */
  function breaksAfter(good: number, later: "work" | "break", calls: string[]): Promise<string> {
    return rawRack((socket, at) => {
      let served = 0;
      socket.on("data", (bytes: Buffer) => {
        calls.push(`${String(at)} ${bytes.toString("latin1").split(" ", 1).join("")}`);
        served += 1;
        if (at === 1 ? served > good : later === "break") socket.destroy();
        else socket.write(OK);
      });
    });
  }

  it("deploy R-PROXY-9: calls share a connection, and a read that a used one fails is repeated once on a new one", async () => {
    const calls: string[] = [];
    const rack = scene.rack({ ...CREDENTIAL, url: await breaksAfter(1, "work", calls) });
    await bodyOf(await get(rack, "/"));
    expect(String(await bodyOf(await get(rack, "/")))).toBe("ok");
    expect(calls).toEqual(["1 GET", "1 GET", "2 GET"]);
  });

  it("deploy R-PROXY-9: a read is not repeated twice, nor on a connection that was new", async () => {
    const calls: string[] = [];
    const rack = scene.rack({ ...CREDENTIAL, url: await breaksAfter(1, "break", calls) });
    await bodyOf(await get(rack, "/"));
    expect(await faultOf(get(rack, "/"))).toBe("rack_unreachable sent");
    expect(calls).toEqual(["1 GET", "1 GET", "2 GET"]);
    expect(await faultOf(get(rack, "/"))).toBe("rack_unreachable sent");
    expect(calls).toHaveLength(4);
  });

  it("deploy R-PROXY-9: a write is never repeated", async () => {
    for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
      const calls: string[] = [];
      const rack = scene.rack({ ...CREDENTIAL, url: await breaksAfter(1, "work", calls) });
      await bodyOf(await get(rack, "/"));
      expect(await faultOf(rack.call(callOf({ method, path: "/" })))).toBe("rack_unreachable sent");
      expect(calls).toEqual(["1 GET", `1 ${method}`]);
    }
  });

  it("deploy R-PROXY-9: a call that was refused its connection by the peer is told from one that may have worked", async () => {
    const simulator = await scene.simulator();
    const rack = scene.rack(simulator);
    const { release } = simulator.rack.app("myapp");
    const path = `/apps/myapp/releases/${release}/promote`;
    for (const at of ["request", "before"] as const) {
      simulator.faults.add({ method: "POST", path, kind: "reset", at, times: 1 });
      expect(await faultOf(rack.call(callOf({ method: "POST", path })))).toBe("rack_unreachable sent");
    }
    simulator.faults.add({ method: "POST", path, kind: "reset", at: "after", times: 1 });
    expect((await rack.call(callOf({ method: "POST", path }))).status).toBe(200);
  });

  it("deploy R-PROXY-9: at most 256 connections, and at most 64 are kept", async () => {
    const open = new Set<Socket>();
    const held: Socket[] = [];
    const url = await rawRack((socket) => {
      open.add(socket);
      socket.on("close", () => open.delete(socket));
      socket.on("data", () => held.push(socket));
    });
    const rack = scene.rack({ ...CREDENTIAL, url });
    const calls = Array.from({ length: 260 }, async () => bodyOf(await get(rack, "/")));
    await expect.poll(() => held.length, { timeout: 10_000 }).toBe(256);
    expect(open.size).toBe(256);
    for (const socket of held.splice(0)) socket.write(OK);
    await expect.poll(() => held.length).toBe(4);
    for (const socket of held.splice(0)) socket.write(OK);
    expect((await Promise.all(calls)).map(String)).toEqual(Array.from({ length: 260 }, () => "ok"));
    await expect.poll(() => open.size).toBe(64);
  });
});

describe("deploy R-RACK-4: a rack that is down", () => {
  it("deploy R-RACK-4: after five failures calls fail at once for two seconds, then one connection is tried", async () => {
    let now = 0;
    const rack = scene.rack({ ...CREDENTIAL, url: "http://127.0.0.1:1" }, { now: () => now });
    for (let at = 0; at < 5; at += 1) expect(await faultOf(get(rack, "/"))).toBe("rack_unreachable not sent");
    expect(rack.health()).toEqual({ failures: 5, lastFault: "rack_unreachable" });
    now = 1_999;
    await expect(get(rack, "/")).rejects.toThrow(/^not tried/);
    expect(rack.health().failures).toBe(5);
    now = 2_000;
    const both = await Promise.allSettled([get(rack, "/"), get(rack, "/")]);
    const messages = both.map((each) => String(each.status === "rejected" ? each.reason : "answered"));
    expect(messages.filter((message) => message.includes("not tried"))).toHaveLength(1);
    expect(rack.health().failures).toBe(6);
  });

  it("deploy R-RACK-4: the rack's own refusals are no failures, and one connection that works ends the count", async () => {
    const before = await scene.simulator();
    const port = Number(new URL(before.url).port);
    await before.close();
    const rack = scene.rack({ ...CREDENTIAL, url: before.url });
    for (let at = 0; at < 3; at += 1) expect(await faultOf(get(rack, "/apps"))).toBe("rack_unreachable not sent");
    expect(rack.health()).toEqual({ failures: 3, lastFault: "rack_unreachable" });
    await scene.simulator({ port });
    for (let at = 0; at < 6; at += 1) expect((await get(rack, "/apps")).status).toBe(401);
    expect(rack.health()).toEqual({ failures: 0, lastFault: null });
  });
});

function* pieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function* heldBack(bytes: Buffer, why: Error): AsyncGenerator<Buffer> {
  yield* pieces(bytes, 65_536);
  await Promise.resolve();
  throw why;
}

async function* dripping(count: number, milliseconds: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < count; at += 1) {
    await passed(milliseconds);
    yield Buffer.from("drop");
  }
}
