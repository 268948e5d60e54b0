/** Calls to addresses that somebody configured: where they may lead, and where they never do (docs/spec/engine.md R-HOOK-20, R-HOOK-21). */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createGuardedFetch, type GuardedFetchSettings } from "../../src/adapters/outbound/guarded-fetch.ts";
import { addressClass } from "../../src/adapters/outbound/address-class.ts";
import { isReachable, outboundUrlFault, type OutboundSettings } from "../../src/adapters/outbound/outbound-url.ts";

const production: OutboundSettings = { allow: [], allowHttp: false, development: false };
const development: OutboundSettings = { allow: [], allowHttp: false, development: true };

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await once(server.close(), "close");
  }
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<number> {
  const server = createServer(answer);
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (!isAddressInfo(address)) throw new Error("not listening");
  return address.port;
}

function isAddressInfo(address: string | AddressInfo | null): address is AddressInfo {
  return typeof address === "object" && address !== null;
}

function get(url: string, settings: GuardedFetchSettings = development): Promise<Response> {
  return createGuardedFetch(settings)(url);
}

describe("an outbound address as it is written", () => {
  it.each([
    ["http://example.com/", "https"],
    ["ftp://example.com/", "https"],
    ["file:///etc/passwd", "https"],
    ["gopher://example.com/", "https"],
    ["/relative", "absolute"],
    ["", "absolute"],
    ["https://user@example.com/", "user name"],
    ["https://user:secret@example.com/", "user name"],
    ["https://example.com/#part", "fragment"],
    ["https://example.com/#", "fragment"],
    ["https://example.com:22/", "port 22"],
    ["https://example.com:1023/", "port 1023"],
    [`https://example.com/${"a".repeat(2048)}`, "longer"],
    ["https://127.0.0.1/", "inside"],
    ["https://2130706433/", "inside"],
    ["https://0x7f000001/", "inside"],
    ["https://0177.0.0.1/", "inside"],
    ["https://127.1/", "inside"],
    ["https://0/", "inside"],
    ["https://[::1]/", "inside"],
    ["https://[::ffff:169.254.169.254]/", "inside"],
    ["https://[2002:7f00:1::]/", "inside"],
    ["https://[64:ff9b::a00:1]/", "inside"],
    ["https://169.254.169.254/latest/meta-data/", "inside"],
    ["https://169.254.169.254./latest/meta-data/", "inside"],
    ["https://[fd00:ec2::254]/", "inside"],
    ["https://100.100.100.200/", "inside"],
    ["https://168.63.129.16/", "inside"],
    ["https://10.0.0.1/", "inside"],
  ])("engine R-HOOK-20: %s is refused", (url, why) => {
    expect(outboundUrlFault(url, production)).toContain(why);
  });

  it.each([
    "https://example.com/",
    "https://example.com:443/x?y=z",
    "https://example.com:8443/",
    "https://93.184.216.34/",
  ])("engine R-HOOK-20: %s may be called", (url) => {
    expect(outboundUrlFault(url, production)).toBeNull();
  });

  it("engine R-HOOK-20: plain HTTP is for this machine in development mode, and for what is allowed by name", () => {
    expect(outboundUrlFault("http://127.0.0.1:9000/", development)).toBeNull();
    expect(outboundUrlFault("http://localhost:9000/", development)).toBeNull();
    expect(outboundUrlFault("http://example.com/", development)).toContain("https");
    const allowed = { allow: ["*.svc.cluster.local"], allowHttp: true, development: false };
    expect(outboundUrlFault("http://sso.iam.svc.cluster.local/", allowed)).toBeNull();
    expect(outboundUrlFault("http://svc.cluster.local.evil.example/", allowed)).toContain("https");
    expect(outboundUrlFault("http://sso.iam.svc.cluster.local/", { ...allowed, allowHttp: false })).toContain("https");
  });
});

describe("an address that a name leads to", () => {
  it.each([
    ["8.8.8.8", "public"],
    ["2606:4700::1111", "public"],
    ["::ffff:8.8.8.8", "public"],
    ["64:ff9b::808:808", "public"],
    ["127.0.0.1", "loopback"],
    ["127.255.255.254", "loopback"],
    ["::1", "loopback"],
    ["::ffff:127.0.0.1", "loopback"],
    ["10.1.2.3", "inside"],
    ["172.31.0.1", "inside"],
    ["192.168.1.1", "inside"],
    ["100.64.0.1", "inside"],
    ["fd12::1", "inside"],
    ["2002:a00:1::1", "inside"],
    ["0.0.0.0", "never"],
    ["::", "never"],
    ["169.254.169.254", "never"],
    ["::ffff:169.254.169.254", "never"],
    ["64:ff9b::a9fe:a9fe", "never"],
    ["64:ff9b:1::1", "never"],
    ["fe80::1", "never"],
    ["fec0::1", "never"],
    ["fd00:ec2::254", "never"],
    ["100.100.100.200", "never"],
    ["168.63.129.16", "never"],
    ["192.0.0.192", "never"],
    ["224.0.0.1", "never"],
    ["255.255.255.255", "never"],
    ["198.18.0.1", "never"],
    ["203.0.113.1", "never"],
    ["ff02::1", "never"],
    ["::7f00:1", "never"],
    ["2001:db8::1", "never"],
    ["not an address", "never"],
  ])("engine R-HOOK-21: %s is %s", (address, kind) => {
    expect(addressClass(address)).toBe(kind);
  });

  it("engine R-HOOK-21: a name that is allowed may lead inside, but not to what hands out credentials", () => {
    const settings = { ...production, allow: ["sso.internal", "*.corp.example", "10.9.0.0/16"] };
    expect(isReachable("sso.internal", "10.0.0.1", settings)).toBe(true);
    expect(isReachable("a.b.corp.example", "192.168.0.1", settings)).toBe(true);
    expect(isReachable("corp.example.evil.example", "192.168.0.1", settings)).toBe(false);
    expect(isReachable("sso.internal", "169.254.169.254", settings)).toBe(false);
    expect(isReachable("anything.example", "10.9.1.1", settings)).toBe(true);
    expect(isReachable("anything.example", "10.8.1.1", settings)).toBe(false);
    expect(isReachable("anything.example", "127.0.0.1", { ...settings, development: true })).toBe(true);
  });
});

describe("the guarded fetch", () => {
  it("answers as the standard fetch does, failures included", async () => {
    const port = await serve((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        response.writeHead(request.url === "/bad" ? 400 : 200, { "content-type": "application/json" });
        response.end(
          JSON.stringify({
            method: request.method,
            sent: Buffer.concat(chunks).toString(),
            host: request.headers.host,
          }),
        );
      });
    });
    const fetch = createGuardedFetch(development);
    const url = `http://localhost:${String(port)}`;
    const answer = await fetch(url, { method: "POST", headers: { "content-type": "text/plain" }, body: "hello" });
    expect([answer.status, answer.headers.get("content-type"), await answer.json()]).toEqual([
      200,
      "application/json",
      { method: "POST", sent: "hello", host: `localhost:${String(port)}` },
    ]);
    expect((await fetch(`${url}/bad`)).status).toBe(400);
  });

  it("engine R-HOOK-21: does not follow redirects", async () => {
    let followed = 0;
    const port = await serve((request, response) => {
      if (request.url === "/there") followed += 1;
      response.writeHead(302, { location: "/there" });
      response.end();
    });
    await expect(get(`http://127.0.0.1:${String(port)}/`)).rejects.toThrow("redirects are not followed");
    expect(followed).toBe(0);
  });

  it("engine R-HOOK-21: resolves a name once, so that one which answers differently the next time leads nowhere else", async () => {
    let connections = 0;
    const port = await serve((_request, response) => {
      connections += 1;
      response.end("reached");
    });
    const answers = [["127.0.0.1"], ["169.254.169.254"]];
    const resolve = (): Promise<readonly string[]> => Promise.resolve(answers.shift() ?? []);
    const settings = { ...production, allow: ["rebind.example", "127.0.0.0/8"], allowHttp: true, resolve };
    const answer = await get(`http://rebind.example:${String(port)}/`, settings);
    expect([await answer.text(), connections, answers.length]).toEqual(["reached", 1, 1]);
    await expect(get(`http://rebind.example:${String(port)}/`, settings)).rejects.toThrow("address not allowed");
    expect(connections).toBe(1);
  });

  it.each([
    [["127.0.0.1"]],
    [["8.8.8.8", "10.0.0.1"]],
    [["169.254.169.254"]],
    [["::ffff:10.0.0.1"]],
    [["fd00:ec2::254"]],
  ])("engine R-HOOK-21: a public name that leads to %j is refused before any connection", async (addresses) => {
    const resolve = (): Promise<readonly string[]> => Promise.resolve(addresses);
    await expect(get("https://provider.example/", { ...production, resolve })).rejects.toThrow("address not allowed");
  });

  it("engine R-HOOK-21: takes no proxy from the environment", async () => {
    let proxied = 0;
    const proxy = await serve((_request, response) => {
      proxied += 1;
      response.end();
    });
    const port = await serve((_request, response) => response.end("direct"));
    const before = { ...process.env };
    for (const name of ["http_proxy", "HTTP_PROXY", "all_proxy"])
      process.env[name] = `http://127.0.0.1:${String(proxy)}`;
    try {
      expect(await (await get(`http://127.0.0.1:${String(port)}/`)).text()).toBe("direct");
    } finally {
      process.env = before;
    }
    expect(proxied).toBe(0);
  });

  it("engine R-HOOK-21, R-HOOK-7: reads no more than its bound, and waits no longer than its time", async () => {
    const port = await serve((request, response) => {
      if (request.url === "/silent") return;
      if (request.url === "/slow") {
        response.write("a");
        return;
      }
      if (request.url === "/torn") {
        response.write("a", () => response.destroy());
        return;
      }
      response.write("x".repeat(2_000));
      response.end();
    });
    const at = `http://127.0.0.1:${String(port)}`;
    await expect(get(`${at}/large`, { ...development, bytesMax: 1_999 })).rejects.toThrow("larger than 1999 bytes");
    expect(await (await get(`${at}/large`, { ...development, bytesMax: 2_000 })).text()).toHaveLength(2_000);
    await expect(get(`${at}/silent`, { ...development, timeoutMs: 100 })).rejects.toThrow(/abort|timeout/i);
    await expect(get(`${at}/slow`, { ...development, timeoutMs: 100 })).rejects.toThrow(/abort|timeout/i);
    // Where only the status counts, its time ends with the headers (R-HOOK-7).
    const cut = { ...development, timeoutMs: 100, cutAnswers: true };
    expect(await (await get(`${at}/slow`, cut)).text()).toBe("a");
    expect((await get(`${at}/torn`, cut)).status).toBe(200);
    await expect(get(`${at}/silent`, cut)).rejects.toThrow(/abort|timeout/i);
    const never = (): Promise<readonly string[]> => Promise.race([]);
    await expect(get("https://slow.example/", { ...production, timeoutMs: 100, resolve: never })).rejects.toThrow(
      "took too long",
    );
  });
});
