import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { request as tlsRequest } from "node:https";
import { text } from "node:stream/consumers";
import { connect as tlsConnect } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { exchangeBytes, jsonOf, type Answer } from "../support/http-call.ts";
import {
  basic,
  call,
  form,
  lastCall,
  RackScene,
  startProcess,
  textMember,
  upload,
} from "../support/rack-simulator/raw-rack-calls.ts";
import type { RackSimulator } from "../support/rack-simulator/rack-simulator.ts";
import { CLOSE, PING, TEXT } from "../support/rack-simulator/raw-web-socket.ts";

const scene = new RackScene();

afterEach(() => scene.end());

describe("deploy R-RACKSIM-1: HTTPS", () => {
  function secureCall({ httpsUrl, ...simulator }: RackSimulator, ca: string | undefined): Promise<string> {
    const headers = { Authorization: basic({ ...simulator, httpsUrl }) };
    return new Promise((resolve, reject) => {
      const sent = tlsRequest(`${httpsUrl}/apps/myapp`, { agent: false, headers, ...(ca !== undefined && { ca }) });
      sent.on("error", reject);
      sent.on("response", (response) => {
        void text(response).then(resolve, reject);
      });
      sent.end();
    });
  }

  it("deploy R-RACKSIM-1: HTTPS answers the same, under a certificate that it signed itself", async () => {
    const simulator = await scene.start();
    expect(JSON.parse(await secureCall(simulator, simulator.certificatePem))).toMatchObject({ name: "myapp" });
    expect(lastCall(simulator).isTls).toBe(true);
    await expect(secureCall(simulator, undefined)).rejects.toMatchObject({ code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
    const certificate = new X509Certificate(simulator.certificatePem);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.fingerprint256.replaceAll(":", "").toLowerCase()).toBe(simulator.certificateFingerprint);
  });

  it("deploy R-RACKSIM-1: a renewed certificate is another one, and connections under the old one end", async () => {
    const simulator = await scene.start();
    const old = simulator.certificatePem;
    const kept = tlsConnect({ port: Number(new URL(simulator.httpsUrl).port), host: "127.0.0.1", ca: old });
    kept.on("error", () => undefined);
    await once(kept, "secureConnect");
    simulator.renewCertificate();
    if (!kept.closed) await once(kept, "close");
    expect(simulator.certificatePem).not.toBe(old);
    await expect(secureCall(simulator, old)).rejects.toThrow(/self-signed|signature/);
    expect(JSON.parse(await secureCall(simulator, simulator.certificatePem))).toMatchObject({ name: "myapp" });
  });
});

describe("deploy R-RACKSIM-1: faults are switched on per test, by method and path", () => {
  const path = "/apps/{app}/releases/{id}/promote";

  async function promote(simulator: RackSimulator): Promise<Answer> {
    const id = simulator.rack.app("myapp").addRelease({ description: "next" }).id;
    return form(simulator, `/apps/myapp/releases/${id}/promote`, "");
  }

  it("deploy R-RACKSIM-1: 500, as often as said, and nothing is done", async () => {
    const simulator = await scene.start();
    const { release } = simulator.rack.app("myapp");
    simulator.faults.add({ method: "POST", path, kind: "status", status: 500, times: 1 });
    expect((await promote(simulator)).status).toBe(500);
    expect(simulator.rack.app("myapp").release).toBe(release);
    expect((await promote(simulator)).status).toBe(200);
    expect((await call(simulator, { method: "GET", path: "/apps" })).status).toBe(200);
  });

  it("deploy R-RACKSIM-1: a reset before the answer comes when the work is done, one at the request before it", async () => {
    const simulator = await scene.start();
    const { release } = simulator.rack.app("myapp");
    const off = simulator.faults.add({ method: "POST", path, kind: "reset", at: "request" });
    await expect(promote(simulator)).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(simulator.rack.app("myapp").release).toBe(release);
    off();
    simulator.faults.add({ method: "POST", path, kind: "reset", at: "before" });
    await expect(promote(simulator)).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(simulator.rack.app("myapp").release).not.toBe(release);
    expect(lastCall(simulator)).toMatchObject({ complete: true, status: null });
  });

  it("deploy R-RACKSIM-1: a reset during the answer gives its head and half its body", async () => {
    const simulator = await scene.start();
    simulator.faults.add({ method: "GET", path: "/apps/*", kind: "reset", at: "during" });
    const answer = await call(simulator, { method: "GET", path: "/apps/myapp" });
    const announced = Number(answer.headers["content-length"]);
    expect(answer.text.length).toBe(Math.floor(announced / 2));
  });

  it("deploy R-RACKSIM-1: a reset after the answer ends a connection that would have been kept", async () => {
    const simulator = await scene.start();
    const get = `GET /apps/myapp HTTP/1.1\r\nHost: rack\r\nAuthorization: ${basic(simulator)}\r\n\r\n`;
    simulator.faults.add({ method: "GET", path: "/apps/{app}", kind: "reset", at: "after" });
    const answer = await exchangeBytes(simulator.url, get);
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer).not.toMatch(/^connection:/im);
    expect(answer.endsWith("}\n")).toBe(true);
  });

  it("deploy R-RACKSIM-1: a delay comes after the work and before the answer", async () => {
    const simulator = await scene.start();
    simulator.faults.add({ method: "POST", path, kind: "delay", milliseconds: 300 });
    const { release } = simulator.rack.app("myapp");
    const started = performance.now();
    const answered = promote(simulator);
    await expect.poll(() => simulator.rack.app("myapp").release).not.toBe(release);
    expect(lastCall(simulator).status).toBeNull();
    expect((await answered).status).toBe(200);
    expect(performance.now() - started).toBeGreaterThanOrEqual(290);
  });

  it("deploy R-RACKSIM-1: a wrong content type on a right answer", async () => {
    const simulator = await scene.start();
    simulator.faults.add({ method: "ANY", path: /^\/apps$/, kind: "content_type", value: "text/html" });
    const answer = await call(simulator, { method: "GET", path: "/apps" });
    expect([answer.status, answer.headers["content-type"]]).toEqual([200, "text/html"]);
    expect(jsonOf(answer)).toHaveLength(1);
  });

  it("deploy R-RACKSIM-1: a slow reader takes a body in at its own speed, a slow writer writes at its own", async () => {
    const simulator = await scene.start();
    const body = Buffer.alloc(40_000, 1);
    simulator.faults.add({ method: "POST", path: "/apps/*", kind: "slow_reader", bytesPerSecond: 200_000 });
    simulator.faults.add({ method: "GET", path: "/apps", kind: "slow_writer", bytesPerSecond: 500 });
    const timed = async (work: () => Promise<unknown>): Promise<number> => {
      const started = performance.now();
      await work();
      return performance.now() - started;
    };
    expect(await timed(() => upload(simulator, body))).toBeGreaterThanOrEqual(150);
    expect(simulator.objects.get("myapp/tmp/a.tgz")).toMatchObject({ bytes: 40_000, complete: true });
    expect(await timed(() => call(simulator, { method: "GET", path: "/apps" }))).toBeGreaterThanOrEqual(150);
  });

  it("deploy R-RACKSIM-1: a socket's TCP drops after so many messages, without close and without the empty frame", async () => {
    const simulator = await scene.start({ onExec: () => ({ output: ["one", "two", "three"] }) });
    const pid = textMember(await startProcess(simulator, {}), "id");
    simulator.faults.add({
      method: "SOCKET",
      path: "/apps/{app}/processes/{pid}/exec",
      kind: "drop",
      afterMessages: 2,
    });
    const opened = await scene.socket(simulator, `/apps/myapp/processes/${pid}/exec`, { Command: "x" });
    await opened.untilEnd();
    expect(opened.frames.map(({ payload }) => payload.toString())).toEqual(["one", "two"]);
  });

  it("deploy R-RACKSIM-1: a socket closes with a code, refuses its upgrade, or answers no ping", async () => {
    const simulator = await scene.start();
    const at = { method: "SOCKET", path: "/apps/{app}/logs" } as const;
    simulator.faults.add({ ...at, kind: "close", afterMessages: 0, code: 4_001, reason: "tired", times: 1 });
    const closed = await scene.socket(simulator, "/apps/myapp/logs");
    await closed.until(() => closed.frames.length > 0);
    const payload = Buffer.concat([Buffer.from([0x0f, 0xa1]), Buffer.from("tired")]);
    expect(closed.frames).toEqual([{ fin: true, opcode: CLOSE, payload }]);
    simulator.faults.add({ ...at, kind: "status", status: 503, text: "busy", times: 1 });
    const refused = await scene.socket(simulator, "/apps/myapp/logs");
    await refused.untilEnd();
    expect([refused.status, refused.rest.toString()]).toEqual([503, "busy\n"]);
    simulator.faults.add({ ...at, kind: "mute", times: 1 });
    const mute = await scene.socket(simulator, "/apps/myapp/logs");
    mute.send(PING);
    await expect.poll(() => lastCall(simulator).pings).toBe(1);
    simulator.rack.app("myapp").log.write("line");
    await mute.until(() => mute.frames.length > 0);
    expect(mute.frames.map(({ opcode }) => opcode)).toEqual([TEXT]);
  });

  it("deploy R-RACKSIM-1: of more calls than are kept the older half is forgotten", async () => {
    const simulator = await scene.start({ callsMax: 4 });
    for (const query of ["1", "2", "3", "4", "5"]) await call(simulator, { method: "GET", path: `/apps?${query}` });
    expect(simulator.calls.map(({ rawUrl }) => rawUrl)).toEqual(["/apps?3", "/apps?4", "/apps?5"]);
  });

  it("deploy R-RACKSIM-1: cleared faults befall nobody, and forgotten calls are gone", async () => {
    const simulator = await scene.start();
    simulator.faults.add({ method: "ANY", path: "*", kind: "status", status: 500 });
    simulator.faults.clear();
    expect((await call(simulator, { method: "GET", path: "/apps" })).status).toBe(200);
    simulator.forgetCalls();
    expect(simulator.calls).toEqual([]);
  });
});
