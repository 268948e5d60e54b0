/** Every endpoint, every field, everything that can be wrong with it: a refusal in the API's own shape, nothing written. */
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { problemSchema } from "../../src/contract/error-bodies.ts";
import { createJwksVerifier } from "../../src/http/token-verification/jwks-verifier.ts";
import { badCalls, type Scene } from "../support/bad-calls.ts";
import { errorFaults } from "../support/error-shape.ts";
import { callOver, exchangeBytes, type Answer } from "../support/http-call.ts";
import { objectIn, textAt } from "../support/json-answer.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";
import { asAdmin, openServer, type TestServer, type TestServerOptions } from "../support/test-server.ts";

interface Place {
  readonly at: TestServer;
  readonly base: string;
  readonly database: TestDatabase;
}

async function open(options: TestServerOptions = {}): Promise<Place> {
  const database = await createTestDatabase();
  const at = await openServer(database.url, options);
  return { at, database, base: await at.server.listen({ host: "127.0.0.1", port: 0 }) };
}

async function close({ at, database }: Place): Promise<void> {
  await at.close();
  await database.drop();
}

const NO_SCENE: Scene = { admin: asAdmin, requestId: "r", taskId: "t", draft: { key: "draft", version: 1 } };
const corpusSize = badCalls(NO_SCENE).length;

describe("bad input", () => {
  let place: Place;
  let scene: Scene;
  beforeAll(async () => {
    place = await open();
    scene = await setScene(place);
  });
  afterAll(() => close(place));

  it(`engine R-API-6, R-API-8, R-API-9: ${String(corpusSize)} calls that make no sense are each refused, with nothing written`, async () => {
    const before = await place.at.app.reader.position();
    const failures: string[] = [];
    const waiting = badCalls(scene).values();
    const work = async (): Promise<void> => {
      for (const call of waiting) {
        const faults = errorFaults(call.path, await callOver(place.base, call));
        if (faults.length > 0) failures.push(`${call.name}: ${faults.join(", ")}`);
      }
    };
    await Promise.all(Array.from({ length: 8 }, work));
    expect(failures).toEqual([]);
    expect(corpusSize).toBeGreaterThan(500);
    expect(await place.at.app.reader.position()).toBe(before);
  });

  it("engine R-API-7: a body of 10 MB is refused before it is read", async () => {
    const answer = await callOver(place.base, {
      method: "POST",
      path: "/v1/awe/requests",
      headers: { ...asAdmin, "Content-Type": "application/json" },
      body: Buffer.alloc(10_000_000, 0x20),
    });
    expect(errorFaults("/v1/awe/requests", answer)).toEqual([]);
    expect(answer.status).toBe(413);
  });

  it.each([
    ["GET / HTTP/9.9\r\n\r\n", 400],
    ["\u0016\u0003\u0001\u0002\u0000\u0001", 400],
    ["GET /v1/me HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", 400],
    ["POST /v1/requests HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400],
    [`GET /v1/me HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(40_000)}\r\n\r\n`, 431],
  ])("engine R-API-6: what is no HTTP is answered with a problem: %#", async (bytes, status) => {
    const answer = await exchangeBytes(place.base, bytes);
    const [head = "", body = ""] = answer.split("\r\n\r\n", 2);
    expect(head).toContain(`HTTP/1.1 ${String(status)} `);
    expect(problemSchema.strict().parse(objectIn(body)).status).toBe(status);
  });

  it("engine R-API-9: whatever is well-formed text is accepted, and comes back as it was", async () => {
    const context = {
      "🦉": "Ünïcödé ﷽ 👩‍👩‍👧‍👦 \u202e",
      "": "",
      nested: { list: [0, -0.5, 9_007_199_254_740_992, null, true] },
    };
    const made = await send(place, "POST", "/v1/awe/requests", {
      ...{ policy_key: "live", artifact_type: "thing", artifact_id: "🦉".repeat(128), context },
      ...{ unknown_field: "ignored", callback_url: "", callback_events: [] },
    });
    expect(made.status).toBe(201);
    const id = textAt(objectIn(made.text), "request_id");
    const read = await send(place, "GET", `/v1/awe/requests/${id}`);
    expect(objectIn(read.text)).toMatchObject({ context, artifact_id: "🦉".repeat(128) });
  });
});

describe("a token of another issuer", () => {
  let place: Place;
  const bad: Record<string, string> = {};
  let good = "";
  beforeAll(async () => {
    const own = await generateKeyPair("ES256");
    const foreign = await generateKeyPair("ES256");
    const jwk = { ...(await exportJWK(own.publicKey)), kid: "k", alg: "ES256" };
    const sign = (claims: Record<string, unknown>, key = own.privateKey): Promise<string> =>
      new SignJWT({ iss: "https://idp", sub: "s", realm_access: { roles: ["AWE_ADMIN"] }, ...claims })
        .setProtectedHeader({ alg: "ES256", kid: "k" })
        .setExpirationTime("5 min")
        .sign(key);
    good = await sign({});
    bad["of another issuer"] = await sign({ iss: "https://evil" }, foreign.privateKey);
    bad["of another issuer with our issuer's name"] = await sign({}, foreign.privateKey);
    bad["that is unsigned"] = asAdmin.authorization.replace("Bearer ", "");
    bad["without a subject"] = await sign({ sub: undefined });
    bad["whose name is broken"] = await sign({ preferred_username: "a\u0000b" });
    const verifier = createJwksVerifier(
      {
        issuer: "https://idp",
        additionalIssuers: [],
        jwksUrl: "https://idp/keys",
        audience: null,
        algorithms: ["ES256"],
      },
      { clock: Date.now, warn: () => undefined, fetchJson: () => Promise.resolve({ keys: [jwk] }) },
    );
    place = await open({ server: { verifier, development: false } });
  });
  afterAll(() => close(place));

  it("engine R-AUTH-20, R-AUTH-21: opens nothing, on any route, and writes nothing", async () => {
    const before = await place.at.app.reader.position();
    for (const [what, token] of Object.entries(bad)) {
      for (const path of ["/v1/awe/requests", "/v1/policies", "/v1/awe/admin/audit", "/v1/me", "/v1/events"]) {
        const answer = await callOver(place.base, {
          method: "GET",
          path,
          headers: { authorization: `Bearer ${token}` },
        });
        expect({ what, path, status: answer.status, faults: errorFaults(path, answer) }).toEqual({
          what,
          path,
          status: 401,
          faults: [],
        });
        expect(answer.headers["www-authenticate"]).toBe("Bearer");
      }
    }
    expect(await place.at.app.reader.position()).toBe(before);
  });

  it("engine R-AUTH-21: one of our own issuer opens what its roles allow", async () => {
    const answer = await callOver(place.base, {
      method: "GET",
      path: "/v1/policies",
      headers: { authorization: `Bearer ${good}` },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers).not.toHaveProperty("x-countersign-mode");
  });
});

function send({ base }: Place, method: string, path: string, body?: unknown): Promise<Answer> {
  const headers = { ...asAdmin, "Content-Type": "application/json" };
  return callOver(base, { method, path, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
}

/** An active policy with a live request, and a draft: so that only what is meant to be wrong is wrong. */
async function setScene(place: Place): Promise<Scene> {
  const rules = [{ rule_type: "user", rule_value: { user_id: "hugo" } }];
  const stages = [{ name: "Stage", stage_order: 1, rules }];
  for (const key of ["live", "draft"]) {
    await send(place, "POST", "/v1/awe/policies", { policy_key: key, name: key, artifact_type: "thing", stages });
  }
  await send(place, "POST", "/v1/awe/policies/live/versions/1/activate", {});
  const made = await send(place, "POST", "/v1/awe/requests", {
    policy_key: "live",
    artifact_type: "thing",
    artifact_id: "1",
  });
  const request = objectIn(made.text);
  return {
    admin: asAdmin,
    requestId: textAt(request, "request_id"),
    taskId: textAt(request, "tasks", 0, "id"),
    draft: { key: "draft", version: 1 },
  };
}
