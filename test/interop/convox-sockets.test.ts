import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { socketTimes } from "../../src/adapters/convox/rack-settings.ts";
import { serverStops, type SocketClose } from "../../src/gates/deploy/socket-close.ts";
import type { Rack, RackAnswer } from "../../src/ports/rack.ts";
import { lastCall, startProcess, textMember } from "../support/rack-simulator/raw-rack-calls.ts";
import type { RackSimulator, RackSimulatorOptions } from "../support/rack-simulator/rack-simulator.ts";
import {
  BINARY,
  CLOSE,
  PING,
  PONG,
  TEXT,
  type RawFrame,
  type RawWebSocket,
} from "../support/rack-simulator/raw-web-socket.ts";
import { ACTOR, bodyOf, ConvoxScene, faultOf, REQUEST_ID } from "./convox-scene.ts";

const scene = new ConvoxScene();
const LOGS = "/apps/myapp/logs";
const TRAILER = "F1E49A85-0AD7-4AEF-A618-C249C6E6568D";
const DIAL = { path: LOGS, query: "", headers: [], actor: ACTOR, requestId: REQUEST_ID, protocols: [] };

afterEach(() => scene.end());

async function withExec(options: RackSimulatorOptions): Promise<readonly [RackSimulator, Rack, string]> {
  const simulator = await scene.simulator(options);
  const pid = textMember(await startProcess(simulator, {}), "id");
  return [simulator, scene.rack(simulator), `/apps/myapp/processes/${pid}/exec?command=sh`];
}

async function* chunks(count: number, chunk: Buffer): AsyncGenerator<Buffer> {
  await Promise.resolve();
  for (let at = 0; at < count; at += 1) yield chunk;
}

/** Of a close frame: `1000 reason`, `no code`; `none` where there was no close frame. */
function closeOf({ frames }: RawWebSocket): string {
  const frame = frames.find(({ opcode }: RawFrame) => opcode === CLOSE);
  if (frame === undefined) return "none";
  if (frame.payload.length === 0) return "no code";
  return `${String(frame.payload.readUInt16BE(0))} ${frame.payload.subarray(2).toString()}`.trim();
}

function closeFrame(code: number, reason = ""): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return Buffer.concat([payload, Buffer.from(reason)]);
}

/** What dialling brings when the rack answers this in place of a 101. */
async function refusalOf(head: readonly string[], body: string): Promise<RackAnswer> {
  const server = createServer();
  const lines = [...head, `Content-Length: ${String(body.length)}`, "Connection: close"];
  server.on("upgrade", (_request, connection) => {
    connection.on("error", () => undefined);
    connection.end(Buffer.from(`HTTP/1.1 ${lines.join("\r\n")}\r\n\r\n${body}`, "latin1"));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const rack = scene.rack({ username: "convox", password: "secret", url: `http://127.0.0.1:${String(port)}` });
  const refusal = await rack.dial(DIAL);
  server.close();
  if (refusal.kind === "socket") throw new Error("no refusal");
  return refusal;
}

describe("deploy R-WS-1: dialling", () => {
  it("deploy R-WS-1: the rack sees its own origin, the gate's credential and actor, the query as it was", async () => {
    const simulator = await scene.simulator();
    const headers = [
      ["Follow", "false"],
      ["Authorization", "forged"],
      ["Sec-WebSocket-Extensions", "permessage-deflate"],
    ] as const;
    const { client } = await scene.carry(scene.rack(simulator), `${LOGS}?a=%31`, { dial: { headers } });
    await client.untilEnd();
    const call = lastCall(simulator);
    expect([call.rawUrl, call.actor]).toEqual([`${LOGS}?a=%31`, ACTOR.name]);
    expect(call.headers).toMatchObject({ origin: simulator.url, follow: "false", "x-request-id": REQUEST_ID });
    expect(call.headers).not.toHaveProperty("sec-websocket-extensions");
    expect(client.head).not.toMatch(/extensions/i);
  });

  it("deploy R-WS-1: a refusal is brought with status, headers and at most 64 KiB of its body", async () => {
    for (const [length, kept] of [
      [65_536, 65_536],
      [100_000, 65_536],
    ] as const) {
      const text = "n".repeat(length);
      const refusal = await refusalOf(["503 Service Unavailable", "X-Odd-CASE: \u00e9", "Set-Cookie: a=b"], text);
      expect([refusal.status, refusal.statusText]).toEqual([503, "Service Unavailable"]);
      const whole = ["Content-Length", String(length)] as const;
      expect(refusal.headers).toEqual([["X-Odd-CASE", "\u00e9"], ...(length === kept ? [whole] : [])]);
      expect((await bodyOf(refusal)).toString()).toBe(text.slice(0, kept));
    }
  });

  it("deploy R-WS-1: a redirect is not followed", async () => {
    const elsewhere = await scene.simulator();
    const location = `Location: ${elsewhere.url.replace("http", "ws")}${LOGS}`;
    expect(await refusalOf(["302 Found", location], "")).toMatchObject({ kind: "answer", status: 302 });
    expect(elsewhere.calls).toEqual([]);
  });

  it("deploy R-PROXY-8: a rack that breaks off the handshake, is not there, or whose client is gone", async () => {
    const simulator = await scene.simulator();
    simulator.faults.add({ method: "SOCKET", path: LOGS, kind: "reset", at: "before", times: 1 });
    expect(await faultOf(scene.rack(simulator).dial(DIAL))).toBe("rack_unreachable sent");
    const away = scene.rack({ username: "convox", password: "secret", url: "http://127.0.0.1:1" });
    expect(await faultOf(away.dial(DIAL))).toBe("rack_unreachable not sent");
    simulator.faults.add({ method: "SOCKET", path: LOGS, kind: "delay", milliseconds: 60_000 });
    const gone = new AbortController();
    const dial = scene.rack(simulator).dial({ ...DIAL, signal: gone.signal });
    await expect.poll(() => simulator.calls.length).toBe(2);
    gone.abort(new Error("client gone"));
    await expect(dial).rejects.toThrow("client gone");
  });
});

describe("deploy R-WS-1: subprotocols", () => {
  it("deploy R-WS-1: what the client offers reaches the rack, and the rack's choice the client", async () => {
    const offered: string[] = [];
    const server = new WebSocketServer({
      ...{ host: "127.0.0.1", port: 0 },
      handleProtocols: (protocols) => {
        offered.push([...protocols].join());
        return protocols.has("two") ? "two" : false;
      },
    });
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const rack = scene.rack({ username: "convox", password: "secret", url: `http://127.0.0.1:${String(port)}` });
    const clientHeaders = { "Sec-WebSocket-Protocol": "one, two" };
    const { client } = await scene.carry(rack, LOGS, { clientHeaders });
    expect([client.status, client.head]).toEqual([
      101,
      expect.stringMatching(/\r\nSec-WebSocket-Protocol: two(\r\n|$)/),
    ]);
    await client.close();
    // A client whose own handshake is none gets no 101, whatever the rack said.
    const broken = await scene.carry(rack, LOGS, { clientHeaders: { "Sec-WebSocket-Protocol": "two, two, no/token" } });
    expect([broken.client.status, (await broken.end).by]).toEqual([400, "client"]);
    expect(offered).toEqual(["one,two", "two"]);
    server.close();
  });
});

describe("deploy R-WS-2: messages", () => {
  it("deploy R-WS-2: exec: input, output, the empty frames of both ends, exit code and byte counts", async () => {
    const [simulator, rack, path] = await withExec({
      onExec: () => ({ output: ["$ "], echo: true, exitCode: 3 }),
    });
    const { client, end } = await scene.carry(rack, path);
    client.send(TEXT, "one\n");
    client.send(TEXT, "two\n");
    client.send(BINARY);
    await client.untilEnd();
    const trailer = `${TRAILER}:3\n`;
    expect(client.text.toString()).toBe(`$ one\ntwo\n${trailer}`);
    expect(client.frames.filter(({ opcode }) => opcode === BINARY).map(({ payload }) => payload.length)).toEqual([0]);
    expect(client.frames.findIndex(({ opcode }) => opcode === BINARY)).toBe(client.frames.length - 2);
    expect(lastCall(simulator)).toMatchObject({ complete: true, bodyBytes: 8 });
    expect(await end).toEqual({
      ...{ by: "rack", close: { code: 1000, reason: "" }, exitCode: 3, bytesToRack: 8 },
      bytesFromRack: client.text.length,
    });
  });

  it("deploy R-WS-2: bytes that are no UTF-8, a leading NUL and an empty text pass as text, as they are", async () => {
    const output = [Buffer.from([0x00, 0x7b]), Buffer.from([0xff, 0xfe, 0xc3]), Buffer.alloc(0), Buffer.from([0x28])];
    const [simulator, rack, path] = await withExec({ onExec: () => ({ output, echo: true }) });
    const { client } = await scene.carry(rack, path);
    const typed = Buffer.from([0xc3, 0x28, 0x80]);
    client.send(TEXT, typed);
    client.send(BINARY);
    await client.untilEnd();
    const texts = client.frames.filter(({ opcode }) => opcode === TEXT).map(({ payload }) => payload.toString("hex"));
    expect(texts.slice(0, 5)).toEqual([...output, typed].map((payload) => payload.toString("hex")));
    expect(lastCall(simulator).body).toEqual(typed);
  });

  it("deploy R-WS-6: the exit code is the one at the end, however it was cut, and none where there is none", async () => {
    for (const [output, exitCode] of [
      [[`${TRAILER}:7\n`, "and more\n"], null],
      [["x".repeat(100), TRAILER.slice(0, 9), TRAILER.slice(9), ":", "1", "37\n"], 137],
    ] as const) {
      const simulator = await scene.simulator({ onLogs: () => lines(output) });
      const { client, end } = await scene.carry(scene.rack(simulator), LOGS);
      await client.untilEnd();
      expect((await end).exitCode).toBe(exitCode);
    }
  });
});

async function* lines(given: readonly string[]): AsyncGenerator<Buffer> {
  await Promise.resolve();
  for (const line of given) yield Buffer.from(line);
}

describe("deploy R-WS-3: amounts", () => {
  it("deploy R-WS-3: 100 MB of output arrive whole, in order", async () => {
    const chunk = Buffer.alloc(32_768, "0123456789abcdef");
    const count = 3_200;
    const simulator = await scene.simulator({ onLogs: () => chunks(count, chunk) });
    const { client, end } = await scene.carry(scene.rack(simulator, { socketTimes }), LOGS);
    let bytes = 0;
    let isSame = true;
    // Whatever is checked is let go, so that the client does not keep 100 MB.
    const check = (): boolean => {
      for (const { opcode, payload } of client.frames.splice(0)) {
        if (opcode !== TEXT) continue;
        bytes += payload.length;
        isSame &&= payload.equals(chunk);
      }
      return bytes === count * chunk.length;
    };
    await client.until(check);
    await client.until(() => closeOf(client) !== "none");
    client.send(CLOSE, closeFrame(1000));
    expect([bytes, isSame]).toEqual([count * chunk.length, true]);
    expect(await end).toMatchObject({ by: "rack", bytesFromRack: bytes });
  });

  it("deploy R-WS-3: a client that does not read holds up the rack: what waits for it is bounded", async () => {
    const chunk = Buffer.alloc(32_768);
    let made = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        await new Promise(setImmediate);
        made += chunk.length;
        yield chunk;
      }
    }
    const simulator = await scene.simulator({ onLogs: () => endless() });
    const { client } = await scene.carry(scene.rack(simulator), LOGS);
    client.pause();
    let before = -1;
    await expect
      .poll(
        () => {
          const isStill = made > 0 && made === before;
          before = made;
          return isStill;
        },
        { interval: 300, timeout: 15_000 },
      )
      .toBe(true);
    expect(made).toBeLessThan(33_554_432);
    // It goes on once there is room again.
    client.resume();
    await expect.poll(() => made, { timeout: 10_000 }).toBeGreaterThan(before + 8 * 1_048_576);
  });

  it("deploy R-WS-3: a large message is on its way before it is whole, in both directions", async () => {
    const passed = randomBytes(3 * 1_048_576);
    const server = createServer();
    const sockets: Duplex[] = [];
    const received: Buffer[] = [];
    server.on("upgrade", (request: IncomingMessage, socket: Duplex) => {
      sockets.push(socket);
      const key = request.headers["sec-websocket-key"] ?? "";
      const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
      // The first frame comes with the answer, and says that it is of 16 MiB.
      const head = Buffer.from([0x82, 127, 0, 0, 0, 0, 1, 0, 0, 0]);
      const lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
      socket.write(`${lines.join("\r\n")}\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
      socket.write(Buffer.concat([head, passed]));
      socket.on("data", (chunk: Buffer) => received.push(chunk));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const rack = scene.rack({ username: "convox", password: "secret", url: `http://127.0.0.1:${String(port)}` });
    const { client, end } = await scene.carry(rack, LOGS);
    const arrived = (): number => client.frames.reduce((sum, { payload }) => sum + payload.length, 0);
    // What is still missing of the last part stays behind.
    await client.until(() => arrived() > passed.length - 65_536);
    expect(client.frames.map(({ fin, opcode, payload }) => [fin, opcode, payload.length])).toEqual(
      client.frames.map((_, at) => [false, at === 0 ? BINARY : 0, 65_536]),
    );
    const first = Buffer.concat(client.frames.map(({ payload }) => payload));
    expect(first.equals(passed.subarray(0, first.length))).toBe(true);
    client.begin(TEXT, Buffer.alloc(200_000), 1_000_000);
    await expect.poll(() => Buffer.concat(received).length).toBeGreaterThan(130_000);
    for (const socket of sockets) socket.destroy();
    expect(await end).toMatchObject({ by: "rack", close: { code: 1011 } });
    server.close();
  });

  it("deploy R-WS-3: a message of 16 MiB passes, a larger one closes both ends with 1009", async () => {
    const most = Buffer.alloc(16_777_216);
    const small = await scene.simulator({ onLogs: () => chunks(1, most) });
    const passed = await scene.carry(scene.rack(small, { socketTimes }), LOGS);
    await passed.client.until(() => closeOf(passed.client) !== "none");
    passed.client.send(CLOSE, closeFrame(1000));
    expect(passed.client.text.length).toBe(most.length);
    const large = await scene.simulator({ onLogs: () => chunks(1, Buffer.alloc(most.length + 1)) });
    const { client, end } = await scene.carry(scene.rack(large), LOGS);
    await client.untilEnd();
    expect([client.text.length, closeOf(client)]).toEqual([0, "1009 message is too large"]);
    expect(await end).toMatchObject({ by: "rack", close: { code: 1009 } });
  });
});

describe("deploy R-WS-4: closing", () => {
  it.each([
    [1000, "1000 bye"],
    [1001, "1001 bye"],
    [1003, "1003 bye"],
    [1007, "1007 bye"],
    [1011, "1011 bye"],
    [1014, "1014 bye"],
    [3000, "3000 bye"],
    [4999, "4999 bye"],
    [1002, "1011 rack connection lost"],
  ])("deploy R-WS-4: the rack's close %i is told to the client as %s", async (code, told) => {
    const simulator = await scene.simulator({ onLogs: () => lines(["a", "b"]) });
    simulator.faults.add({ method: "SOCKET", path: LOGS, kind: "close", afterMessages: 2, code, reason: "bye" });
    const { client, end } = await scene.carry(scene.rack(simulator), LOGS);
    await client.until(() => closeOf(client) !== "none");
    expect([client.text.toString(), closeOf(client)]).toEqual(["ab", told]);
    client.send(CLOSE, closeFrame(1000));
    expect((await end).by).toBe("rack");
  });

  it("deploy R-WS-4: a rack that hangs up is 1000 after its empty binary frame, and 1011 without one", async () => {
    const ended = await scene.simulator({ onLogs: () => lines(["a"]) });
    const first = await scene.carry(scene.rack(ended), LOGS);
    await first.client.untilEnd();
    expect(closeOf(first.client)).toBe("1000");
    const lost = await scene.simulator({ onLogs: () => lines(["a", "b"]) });
    lost.faults.add({ method: "SOCKET", path: LOGS, kind: "drop", afterMessages: 1 });
    const second = await scene.carry(scene.rack(lost), LOGS);
    await second.client.untilEnd();
    expect(closeOf(second.client)).toBe("1011 rack connection lost");
    expect(await second.end).toMatchObject({ by: "rack", exitCode: null });
  });

  it("deploy R-WS-4: the client's close reaches the rack's end, one without a code too, and a client that drops is 1001", async () => {
    const went: readonly (readonly [(client: RawWebSocket) => unknown, SocketClose])[] = [
      [
        (client) => {
          client.send(CLOSE, closeFrame(4001, "done"));
        },
        { code: 4001, reason: "done" },
      ],
      [
        (client) => {
          client.send(CLOSE);
        },
        { code: null, reason: "" },
      ],
      [(client) => client.close(), { code: 1001, reason: "" }],
    ];
    for (const [go, close] of went) {
      const simulator = await scene.simulator();
      const { client, end } = await scene.carry(scene.rack(simulator), LOGS);
      await go(client);
      expect(await end).toMatchObject({ by: "client", close });
    }
  });

  it("deploy R-WS-4: ends that do not answer a close are cut off", async () => {
    const simulator = await scene.simulator();
    const impatient = { pingEvery: 60_000, pongWithin: 60_000, closeWithin: 100 };
    const signal = new AbortController();
    const rack = scene.rack(simulator, { socketTimes: impatient });
    const { client, end } = await scene.carry(rack, LOGS, { join: { signal: signal.signal } });
    signal.abort();
    await end;
    await client.untilEnd();
    expect(closeOf(client)).toBe("1008 access was revoked");
  });
});

describe("deploy R-WS-5: how long", () => {
  it("deploy R-WS-5: a revocation closes with 1008, another reason with its own code, at once", async () => {
    for (const [reason, told] of [
      [undefined, "1008 access was revoked"],
      [new Error("gone"), "1008 access was revoked"],
      [serverStops, "1001 the gateway stops"],
    ] as const) {
      const simulator = await scene.simulator();
      const revoked = new AbortController();
      const { client, end } = await scene.carry(scene.rack(simulator), LOGS, { join: { signal: revoked.signal } });
      revoked.abort(reason);
      await client.until(() => closeOf(client) !== "none");
      expect(closeOf(client)).toBe(told);
      client.send(CLOSE, closeFrame(1000));
      expect((await end).by).toBe("gate");
    }
  });

  it("deploy R-WS-5: what was revoked while the rack was dialled is never carried", async () => {
    const simulator = await scene.simulator({ onLogs: () => lines(["secret"]) });
    const { client, end } = await scene.carry(scene.rack(simulator), LOGS, { join: { signal: AbortSignal.abort() } });
    await client.until(() => closeOf(client) !== "none");
    client.send(CLOSE, closeFrame(1000));
    expect([client.text.length, (await end).bytesFromRack]).toEqual([0, 0]);
  });

  it("deploy R-WS-5: the longest duration ends with 1001", async () => {
    const simulator = await scene.simulator();
    const { client } = await scene.carry(scene.rack(simulator), LOGS, { join: { lastsMs: 50 } });
    await client.until(() => closeOf(client) !== "none");
    expect(closeOf(client)).toBe("1001 the longest duration is over");
  });

  it("deploy R-WS-5: a ping is answered by the hop that it came to, and both hops are pinged", async () => {
    const simulator = await scene.simulator();
    const rack = scene.rack(simulator, { socketTimes: { pingEvery: 50, pongWithin: 60_000, closeWithin: 1_000 } });
    const { client } = await scene.carry(rack, LOGS);
    client.send(PING, "are you there");
    await client.until(() => client.frames.some(({ opcode }) => opcode === PONG));
    expect(client.frames.find(({ opcode }) => opcode === PONG)?.payload.toString()).toBe("are you there");
    await client.until(() => client.frames.some(({ opcode }) => opcode === PING));
    await expect.poll(() => lastCall(simulator).pings).toBeGreaterThan(0);
  });

  it("deploy R-WS-5: a rack that answers no ping is dropped, and so is a client", async () => {
    const strict = { socketTimes: { pingEvery: 100, pongWithin: 300, closeWithin: 1_000 } };
    const muted = await scene.simulator();
    muted.faults.add({ method: "SOCKET", path: LOGS, kind: "mute" });
    const ponging = await scene.carry(scene.rack(muted, strict), LOGS);
    const answer = setInterval(() => {
      ponging.client.send(PONG);
    }, 50);
    expect(await ponging.end).toMatchObject({ by: "rack", close: { code: 1011 } });
    clearInterval(answer);
    const simulator = await scene.simulator();
    const silent = await scene.carry(scene.rack(simulator, strict), LOGS);
    expect(await silent.end).toMatchObject({ by: "client", close: { code: 1001 } });
  });
});
