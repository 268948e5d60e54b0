import { once } from "node:events";
import { createServer } from "node:https";
import { afterEach, describe, expect, it } from "vitest";
import type { Rack, RackCertificate } from "../../src/ports/rack.ts";
import type { RackSimulator } from "../support/rack-simulator/rack-simulator.ts";
import { newSelfSignedCertificate } from "../support/rack-simulator/self-signed-certificate.ts";
import { ACTOR, bodyOf, callOf, ConvoxScene, faultOf, get, MemoryPins, REQUEST_ID } from "./convox-scene.ts";

const scene = new ConvoxScene();

afterEach(() => scene.end());

type Way = readonly [name: string, go: (rack: Rack) => Promise<unknown>];

/** Every way in which the gate comes to a rack. */
const WAYS: readonly Way[] = [
  ["call", (rack) => get(rack, "/apps/myapp").then(bodyOf)],
  ["write", (rack) => rack.call(callOf({ method: "POST", path: "/apps/myapp/cancel" })).then(bodyOf)],
  ["question", (rack) => rack.ask({ path: "/apps/myapp", actor: ACTOR })],
  ["WebSocket", dialled],
];

async function dialled(rack: Rack): Promise<void> {
  const dial = { path: "/apps/myapp/logs", query: "", headers: [], actor: ACTOR, requestId: REQUEST_ID, protocols: [] };
  const socket = await rack.dial(dial);
  if (socket.kind === "socket") socket.abandon();
}

function over({ httpsUrl, username, password }: RackSimulator): {
  readonly url: string;
  readonly username: string;
  readonly password: string;
} {
  return { url: httpsUrl, username, password };
}

describe.each(WAYS)("deploy R-RACK-3: a %s over TLS", (_name, go) => {
  it("deploy R-RACK-3: system: a certificate that signed itself is refused before anything was sent", async () => {
    const simulator = await scene.simulator();
    expect(await faultOf(go(scene.rack(over(simulator))))).toBe("rack_certificate not sent");
    expect(simulator.calls).toEqual([]);
  });

  it("deploy R-RACK-3: system: it is accepted once its authority is named", async () => {
    const simulator = await scene.simulator();
    const rack = scene.rack(over(simulator), { authoritiesPem: simulator.certificatePem });
    expect(await faultOf(go(rack))).toBe("no fault");
    expect(simulator.calls.map(({ isTls, actor }) => [isTls, actor])).toEqual([[true, ACTOR.name]]);
  });

  it("deploy R-RACK-3: insecure: any certificate will do", async () => {
    const simulator = await scene.simulator();
    expect(await faultOf(go(scene.rack(over(simulator), { tls: "insecure" })))).toBe("no fault");
    expect(simulator.calls).toHaveLength(1);
  });

  it("deploy R-RACK-3: pin: the certificate of the first use is kept, another one is refused until it is pinned", async () => {
    const simulator = await scene.simulator();
    const pins = new MemoryPins();
    const changes: RackCertificate[] = [];
    const certificateChanged = (_info: unknown, presented: RackCertificate): unknown => changes.push(presented);
    const rack = scene.rack(over(simulator), { tls: "pin", pins, certificateChanged });
    expect(await faultOf(go(rack))).toBe("no fault");
    const first = { fingerprint: simulator.certificateFingerprint, pem: simulator.certificatePem };
    expect([...pins.kept]).toEqual([["production", first]]);

    simulator.renewCertificate();
    simulator.forgetCalls();
    // What was under way when the rack hung up may fail as such; every connection after it meets the other certificate.
    await expect.poll(() => faultOf(go(rack))).toBe("rack_certificate not sent");
    expect(simulator.calls).toEqual([]);
    expect([...pins.kept]).toEqual([["production", first]]);
    const second = await rack.presentedCertificate();
    expect(second).toEqual({ fingerprint: simulator.certificateFingerprint, pem: simulator.certificatePem });
    expect(changes).toEqual([second]);

    pins.kept.set("production", second);
    expect(await faultOf(go(rack))).toBe("no fault");
    expect(pins.writes).toBe(1);
  });
});

describe("deploy R-RACK-3: who the certificate is for", () => {
  it("deploy R-RACK-3: system: a believed certificate of another host is refused", async () => {
    const certificate = newSelfSignedCertificate();
    const elsewhere = createServer({ key: certificate.privateKeyPem, cert: certificate.certificatePem });
    await once(elsewhere.listen(0, "127.0.0.2"), "listening");
    const address = elsewhere.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const rack = scene.rack(
      { username: "convox", password: "secret", url: `https://127.0.0.2:${String(port)}` },
      { authoritiesPem: certificate.certificatePem },
    );
    expect(await faultOf(get(rack, "/apps"))).toBe("rack_certificate not sent");
    elsewhere.close();
  });

  it("deploy R-RACK-3: pin: two connections that are first at once agree on one certificate", async () => {
    const simulator = await scene.simulator();
    const pins = new MemoryPins();
    const racks = [1, 2].map(() => scene.rack(over(simulator), { tls: "pin", pins }));
    const answers = await Promise.all(racks.map((rack) => get(rack, "/apps/myapp")));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(pins.kept.get("production")?.fingerprint).toBe(simulator.certificateFingerprint);
  });

  it("deploy R-RACK-3: pin: a pin that another process kept first decides, and one that cannot be read refuses", async () => {
    const simulator = await scene.simulator();
    const other = { fingerprint: "00".repeat(32), pem: "" };
    const late = { read: () => Promise.resolve(null), write: () => Promise.resolve(other) };
    expect(await faultOf(get(scene.rack(over(simulator), { tls: "pin", pins: late }), "/apps"))).toBe(
      "rack_certificate not sent",
    );
    const away = { ...late, read: () => Promise.reject(new Error("no database")) };
    expect(await faultOf(get(scene.rack(over(simulator), { tls: "pin", pins: away }), "/apps"))).toBe(
      "rack_certificate not sent",
    );
    expect(simulator.calls).toEqual([]);
  });

  it("deploy R-RACK-3: a rack without TLS presents no certificate, and a server without TLS is no rack with it", async () => {
    const simulator = await scene.simulator();
    expect(await faultOf(scene.rack(simulator).presentedCertificate())).toBe("rack_certificate not sent");
    const url = simulator.url.replace("http:", "https:");
    const rack = scene.rack({ ...over(simulator), url }, { tls: "insecure" });
    expect(await faultOf(get(rack, "/apps"))).toBe("rack_unreachable not sent");
  });
});
