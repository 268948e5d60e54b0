/** Signing in to the console, what its cookie opens, and what keeps other sites from using it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bodyOf } from "../support/json-answer.ts";
import { must, outcomeOf, TestBrowser } from "../support/signed-in.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";
import {
  as,
  asAdmin,
  openServer,
  unsignedToken,
  type TestServer,
  type TestServerOptions,
} from "../support/test-server.ts";

interface Place {
  readonly database: TestDatabase;
  readonly at: TestServer;
}

async function open(options?: TestServerOptions): Promise<Place> {
  const database = await createTestDatabase();
  return { database, at: await openServer(database.url, options) };
}

async function close({ database, at }: Place): Promise<void> {
  await at.close();
  await database.drop();
}

describe("the console's session in development mode", () => {
  let place: Place;
  beforeAll(async () => {
    place = await open();
  });
  afterAll(() => close(place));

  async function signIn(
    payload: object = { assignee: "ana", name: "Ana", roles: ["AWE_VIEWER"] },
  ): Promise<TestBrowser> {
    const browser = new TestBrowser(place.at);
    must(await browser.post("/dev/session", payload), 201);
    return browser;
  }

  async function status(method: "GET" | "POST" | "DELETE", url: string, headers: object): Promise<string> {
    const answer = await place.at.server.inject({
      method,
      url,
      headers: { ...headers },
      ...(method === "POST" ? { payload: {} } : {}),
    });
    return outcomeOf(answer);
  }

  it("identity R-DEV-5: offers its people, and signs in as anybody with the roles asked for", async () => {
    const people = await place.at.server.inject("/v1/dev/people");
    expect(people.json()).toEqual([{ assignee: "ana", name: "Ana", roles: [] }]);
    const me = await (await signIn()).get("/me");
    expect(me.json()).toMatchObject({
      ...{ assignee: "ana", name: "Ana", roles: ["AWE_VIEWER"], mode: "development", quarantined: false },
      session: { kind: "web", method: "development", development: true },
    });
  });

  it("engine R-AUTH-8: is the same person as a bearer of the same name", async () => {
    const byToken = await place.at.server.inject({ url: "/v1/me", headers: as("ben") });
    expect((await signIn({ assignee: "ben" })).personId).toBe(bodyOf(byToken)["person_id"]);
  });

  it("identity R-SESS-1: cannot be read by scripts nor sent by other sites' pages, and is opaque", async () => {
    const answer = await place.at.server.inject({
      method: "POST",
      url: "/v1/dev/session",
      payload: { assignee: "ana" },
    });
    expect(String(answer.headers["set-cookie"])).toMatch(
      /^__Host-cs_session=[A-Za-z0-9_-]{43}; Max-Age=86(?:400|399); Path=\/; HttpOnly; SameSite=Lax; Secure$/,
    );
  });

  it("api R-BROWSER-3: ends when one signs out, on the server and not only in the browser", async () => {
    const browser = await signIn();
    const { cookie } = browser;
    expect(outcomeOf(await browser.delete("/session"))).toBe("204");
    expect(browser.cookie).toBe("");
    expect(await status("GET", "/v1/me", { cookie })).toBe("401 session_expired");
  });

  it("api R-BROWSER-1: a cookie that was never given out opens nothing", async () => {
    for (const value of ["x", "A".repeat(43), "%00", "a\u00e9"]) {
      expect(await status("GET", "/v1/me", { cookie: `__Host-cs_session=${value}` })).toBe("401 session_expired");
    }
  });

  it.each([["service-account-ci"], [" "], [""], ["a\u0000"]])(
    "engine R-AUTH-7: nobody signs in as %j",
    async (assignee) => {
      const answer = await place.at.server.inject({ method: "POST", url: "/v1/dev/session", payload: { assignee } });
      expect(answer.statusCode).toBe(422);
    },
  );

  it.each([
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "10.0.0.1:8000",
    "localhost@evil.example",
  ])("identity R-DEV-2: under another host name (%s) the server opens nothing", async (host) => {
    expect(await status("GET", "/v1/me", { ...asAdmin, host })).toBe("400 host_not_allowed");
  });

  it.each(["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "app.localhost"])(
    "identity R-DEV-2: this machine's names are known: %s",
    async (host) => {
      expect(await status("GET", "/v1/me", { ...asAdmin, host })).toBe("200");
    },
  );

  it("identity R-DEV-4: every answer says which mode this is", async () => {
    for (const url of ["/v1/me", "/v1/awe/health", "/nothing", "/app", "/v1/awe/docs"]) {
      expect((await place.at.server.inject(url)).headers).toMatchObject({ "x-countersign-mode": "development" });
    }
  });
});

describe("a server in production", () => {
  let place: Place;
  beforeAll(async () => {
    const verifier = { verify: () => Promise.resolve({ fault: "nobody is known here" }) };
    place = await open({ server: { development: false, verifier } });
  });
  afterAll(() => close(place));

  it("identity R-DEV-1: has no development routes and does not read unsigned tokens", async () => {
    for (const [method, url] of [
      ["GET", "/v1/dev/people"],
      ["POST", "/v1/dev/session"],
    ] as const) {
      const answer = await place.at.server.inject({ method, url, payload: { assignee: "ana" } });
      expect([answer.statusCode, bodyOf(answer)["code"]]).toEqual([404, "route_not_found"]);
    }
    const answer = await place.at.server.inject({ url: "/v1/me", headers: asAdmin });
    expect([answer.statusCode, bodyOf(answer)["detail"]]).toEqual([401, "Invalid bearer token: nobody is known here"]);
    expect(answer.headers).not.toHaveProperty("x-countersign-mode");
    expect(answer.headers).toHaveProperty("strict-transport-security");
  });
});

describe("a server in quarantine", () => {
  let place: Place;
  beforeAll(async () => {
    place = await open({ server: { ledger: { quarantined: true, finding: "entry 3 was changed" } } });
  });
  afterAll(() => close(place));

  it("ledger R-QUAR-1: says so to whoever looks, and signs nobody in", async () => {
    const ready = await place.at.server.inject("/readyz");
    expect([ready.statusCode, ready.json()]).toEqual([
      200,
      { status: "READY", quarantined: true, checks: { secrets: "ok" } },
    ]);
    expect((await place.at.server.inject({ url: "/v1/me", headers: asAdmin })).json()).toMatchObject({
      quarantined: true,
    });
    const answer = await place.at.server.inject({
      method: "POST",
      url: "/v1/dev/session",
      payload: { assignee: "ana" },
    });
    expect([answer.statusCode, bodyOf(answer)["code"]]).toEqual([503, "quarantined"]);
  });
});

describe("a limit of writes", () => {
  let place: Place;
  beforeAll(async () => {
    place = await open({ server: { limits: { perMinute: 2, streamsPerPerson: 5 } } });
  });
  afterAll(() => close(place));

  it("engine R-API-7: holds for each caller alone, and not for reading", async () => {
    const write = async (name: string): Promise<number> =>
      (await place.at.server.inject({ method: "POST", url: "/v1/requests", headers: as(name), payload: {} }))
        .statusCode;
    expect([await write("ana"), await write("ana"), await write("ana"), await write("ben")]).toEqual([
      422, 422, 429, 422,
    ]);
    const read = await place.at.server.inject({ url: "/v1/requests", headers: as("ana") });
    expect(read.statusCode).toBe(200);
    const refused = await place.at.server.inject({
      method: "POST",
      url: "/v1/awe/requests",
      headers: as("ana"),
      payload: {},
    });
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    expect(refused.json()).toMatchObject({ errorCode: "AWE-018", code: "rate_limited" });
  });

  it("engine R-API-7: one person's writes do not use up those of another who uses the same front end", async () => {
    const write = async (sub: string): Promise<number> => {
      const headers = { authorization: `Bearer ${unsignedToken({ sub, azp: "portal" })}` };
      return (await place.at.server.inject({ method: "POST", url: "/v1/requests", headers, payload: {} })).statusCode;
    };
    expect([await write("eve"), await write("eve"), await write("eve"), await write("fay")]).toEqual([
      422, 422, 429, 422,
    ]);
  });
});
