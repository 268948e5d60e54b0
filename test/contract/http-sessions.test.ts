/** Signing in to the console, what its cookie opens, and what keeps other sites from using it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bodyOf, textAt } from "../support/json-answer.ts";
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

const SAME_ORIGIN = { "sec-fetch-site": "same-origin" };

describe("the console's session in development mode", () => {
  let place: Place;
  beforeAll(async () => {
    place = await open();
  });
  afterAll(() => close(place));

  async function signIn(payload: object = { assignee: "ana", name: "Ana", roles: ["AWE_VIEWER"] }): Promise<string> {
    const answer = await place.at.server.inject({ method: "POST", url: "/v1/dev/session", payload });
    expect(answer.statusCode).toBe(201);
    return String(answer.headers["set-cookie"]).split(";")[0] ?? "";
  }

  async function status(method: "GET" | "POST" | "DELETE", url: string, headers: object): Promise<string> {
    const answer = await place.at.server.inject({
      method,
      url,
      headers: { ...headers },
      ...(method === "POST" ? { payload: {} } : {}),
    });
    return answer.statusCode < 400
      ? String(answer.statusCode)
      : `${String(answer.statusCode)} ${textAt(bodyOf(answer), "code")}`;
  }

  it("identity R-DEV-5: offers its people, and signs in as anybody with the roles asked for", async () => {
    const people = await place.at.server.inject("/v1/dev/people");
    expect(people.json()).toEqual([{ assignee: "ana", name: "Ana", roles: [] }]);
    const cookie = await signIn();
    const me = await place.at.server.inject({ url: "/v1/me", headers: { cookie } });
    expect(me.json()).toMatchObject({
      assignee: "ana",
      name: "Ana",
      roles: ["AWE_VIEWER"],
      mode: "development",
      quarantined: false,
    });
  });

  it("engine R-AUTH-8: is the same person as a bearer of the same name", async () => {
    const bySession = await place.at.server.inject({
      url: "/v1/me",
      headers: { cookie: await signIn({ assignee: "ben" }) },
    });
    const byToken = await place.at.server.inject({ url: "/v1/me", headers: as("ben") });
    expect(bodyOf(bySession)["person_id"]).toBe(bodyOf(byToken)["person_id"]);
  });

  it("api R-BROWSER-1: cannot be read by scripts nor sent by other sites' pages, and is opaque", async () => {
    const answer = await place.at.server.inject({
      method: "POST",
      url: "/v1/dev/session",
      payload: { assignee: "ana" },
    });
    expect(answer.headers["set-cookie"]).toMatch(
      /^countersign_session=[A-Za-z0-9_-]{43}; Max-Age=3600; Path=\/; HttpOnly; SameSite=Lax$/,
    );
  });

  it.each([
    ["from another site", { "sec-fetch-site": "cross-site" }],
    ["from a sibling site", { "sec-fetch-site": "same-site" }],
    ["typed into the address bar", { "sec-fetch-site": "none" }],
    ["of another origin", { origin: "https://evil.example", host: "localhost" }],
    ["of another port", { origin: "http://localhost:1", host: "localhost:2" }],
    ["of an opaque origin", { origin: "null" }],
    ["by a form, from an old browser", {}],
  ])("api R-BROWSER-2: a write %s is refused", async (_name, headers) => {
    const cookie = await signIn();
    expect(await status("POST", "/v1/requests", { cookie, ...headers })).toBe("403 csrf_invalid");
    expect(await status("DELETE", "/v1/session", { cookie, ...headers })).toBe("403 csrf_invalid");
  });

  it.each([
    ["from the console", SAME_ORIGIN],
    ["of the same origin", { origin: "http://localhost:80", host: "localhost:80" }],
    ["with the console's header", { "x-requested-with": "countersign" }],
  ])("api R-BROWSER-2: a write %s is read", async (_name, headers) => {
    expect(await status("POST", "/v1/requests", { cookie: await signIn(), ...headers })).toBe("422 invalid_input");
  });

  it("api R-BROWSER-2: nobody is signed in from another site", async () => {
    const answer = await place.at.server.inject({
      method: "POST",
      url: "/v1/dev/session",
      headers: { "sec-fetch-site": "cross-site" },
      payload: { assignee: "ana" },
    });
    expect([answer.statusCode, answer.headers["set-cookie"]]).toEqual([403, undefined]);
  });

  it("api R-BROWSER-3: ends when one signs out, on the server and not only in the browser", async () => {
    const cookie = await signIn();
    expect(await status("DELETE", "/v1/session", { cookie, ...SAME_ORIGIN })).toBe("204");
    expect(await status("GET", "/v1/me", { cookie })).toBe("401 unauthenticated");
  });

  it("api R-BROWSER-3: ends by itself", async () => {
    const cookie = await signIn();
    place.at.advance(3_600_001);
    expect(await status("GET", "/v1/me", { cookie })).toBe("401 unauthenticated");
  });

  it("api R-BROWSER-1: a cookie that was never given out opens nothing", async () => {
    for (const value of ["x", "A".repeat(43), "%00", "a\u00e9"]) {
      expect(await status("GET", "/v1/me", { cookie: `countersign_session=${value}` })).toBe("401 unauthenticated");
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
    expect(await status("GET", "/v1/me", { ...asAdmin, host })).toBe("421 host_not_allowed");
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
    expect([ready.statusCode, ready.json()]).toEqual([200, { status: "READY", quarantined: true }]);
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
    place = await open({ server: { limits: { perMinute: 2, streamsPerPerson: 5, sessionSeconds: 60 } } });
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
