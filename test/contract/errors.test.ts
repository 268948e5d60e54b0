/** What an error looks like in both families, and the list of everything that can be refused. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { errorCodes, errorMeanings, refusalCodes } from "../../src/contract/error-codes.ts";
import type { RefusalCode } from "../../src/core/refusal.ts";
import { policyProblemSchema } from "../../src/contract/policy.ts";
import { Unavailable } from "../../src/ports/unavailable.ts";
import type { Reader } from "../../src/ports/reader.ts";
import { expectGolden } from "../support/golden.ts";
import { bodyOf } from "../support/json-answer.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";
import { as, asAdmin, openServer, serverOptions, type TestServer } from "../support/test-server.ts";
import { buildServer } from "../../src/http/build-server.ts";

let database: TestDatabase;
let at: TestServer;
beforeAll(async () => {
  database = await createTestDatabase();
  at = await openServer(database.url);
});
afterAll(async () => {
  await at.close();
  await database.drop();
});

const trace = { "x-request-id": "trace-1" };

describe("the list of errors", () => {
  it("engine R-API-4: is test/golden/error-codes.txt, with status, meaning and what to do (GOLDEN=update rewrites it)", () => {
    const lines = errorCodes.map((code) => {
      const { awe, status, title, meaning, remedy } = errorMeanings[code];
      return `${code}\n  ${awe} ${String(status)} ${title}\n  ${meaning}\n  ${remedy}\n`;
    });
    expectGolden("error-codes.txt", lines.join("\n"));
  });
});

describe("the core's refusals", () => {
  it("engine R-API-4: are exactly those that the contract gives a meaning", () => {
    // The types say it in both directions: a code too many or too few does not compile.
    const ofTheContract: readonly RefusalCode[] = refusalCodes;
    const meaningOf = (code: RefusalCode): string => errorMeanings[code].meaning;
    expect(ofTheContract.map(meaningOf)).not.toContain("");
  });
});

describe("an error", () => {
  it("engine R-API-4: under /v1/awe is envelope, errorCode and message, and detail at once", async () => {
    const answer = await at.server.inject({ url: "/v1/awe/requests/x", headers: { ...asAdmin, ...trace } });
    expect(answer.statusCode).toBe(404);
    expect(answer.headers).toMatchObject({
      "content-type": "application/json; charset=utf-8",
      "x-request-id": "trace-1",
    });
    const message = "Request x not found";
    const { responsetime, ...body } = bodyOf(answer);
    expect(responsetime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(body).toEqual({
      id: "openg2p.awe",
      version: "1.0",
      response: null,
      errors: [{ errorCode: "AWE-003", message }],
      errorCode: "AWE-003",
      message,
      detail: message,
      code: "request_not_found",
      trace: "trace-1",
    });
  });

  it("engine R-API-5: under /v1 is an RFC 9457 problem with the same code", async () => {
    const answer = await at.server.inject({ url: "/v1/requests/x", headers: { ...asAdmin, ...trace } });
    expect(answer.statusCode).toBe(404);
    expect(answer.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
    expect(answer.json()).toEqual({
      type: "urn:countersign:error:request_not_found",
      title: "No such request",
      status: 404,
      detail: "Request x not found",
      code: "request_not_found",
      trace: "trace-1",
    });
  });

  it("engine R-API-4, R-API-5: at 422 lists every fault with its place", async () => {
    const payload = { policy_key: 5, artifact_type: "", context: { deep: "x\u0000" } };
    const call = { method: "POST", headers: asAdmin, payload } as const;
    const plain = { ...payload, context: {} };
    const awe = await at.server.inject({ ...call, url: "/v1/awe/requests", payload: plain });
    expect(awe.json()).toMatchObject({
      errorCode: "AWE-012",
      detail: [
        { type: "invalid_type", loc: ["body", "policy_key"], msg: "must be text" },
        { type: "too_small", loc: ["body", "artifact_type"], msg: "must have at least 1 character" },
        { type: "missing", loc: ["body", "artifact_id"], msg: "is required" },
      ],
    });
    const problem = await at.server.inject({ ...call, url: "/v1/requests" });
    expect(problem.json()).toMatchObject({
      status: 422,
      detail: "context.deep must not contain U+0000",
      errors: [{ path: "context.deep", message: "must not contain U+0000" }],
    });
  });

  it("engine R-API-4: of a policy that cannot be activated lists every problem with its place", async () => {
    const stages = [{ name: "Empty", stage_order: 1, rules: [] }];
    const payload = { policy_key: "broken", name: "Broken", artifact_type: "thing", stages, colour: "red" };
    await at.server.inject({ method: "POST", url: "/v1/policies", headers: asAdmin, payload });
    const url = "/policies/broken/versions/1/activate";
    const awe = await at.server.inject({ method: "POST", url: `/v1/awe${url}`, headers: asAdmin });
    const problem = await at.server.inject({ method: "POST", url: `/v1${url}`, headers: asAdmin });
    expect([awe.statusCode, problem.statusCode]).toEqual([400, 400]);
    for (const answer of [awe, problem]) {
      const problems = z.array(policyProblemSchema).parse(bodyOf(answer)["problems"]);
      expect(problems.map(({ code }) => code).sort()).toEqual(["no_approver_rule", "unknown_field"]);
      for (const { path, message } of problems) expect([path, message]).not.toContain("");
    }
    expect(bodyOf(awe)["errors"]).toHaveLength(2);
  });

  it("engine R-API-11: has a trace of its own when the caller's is no identifier", async () => {
    const answer = await at.server.inject({ url: "/v1/nothing", headers: { "x-request-id": "a b\u00e9" } });
    expect(answer.headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(bodyOf(answer)["trace"]).toBe(answer.headers["x-request-id"]);
  });

  it("engine R-API-7: names the methods that an address has", async () => {
    const answer = await at.server.inject({ method: "DELETE", url: "/v1/awe/requests", headers: asAdmin });
    expect([answer.statusCode, answer.headers.allow, bodyOf(answer)["errorCode"]]).toEqual([
      405,
      "GET, POST",
      "AWE-021",
    ]);
  });

  it("engine R-AUTH-20: of a missing credential says so in both families", async () => {
    const awe = await at.server.inject("/v1/awe/requests");
    expect([awe.statusCode, awe.headers["www-authenticate"], bodyOf(awe)["detail"]]).toEqual([
      401,
      "Bearer",
      "Missing bearer token",
    ]);
    expect(awe.json()).toMatchObject({ errorCode: "AWE-008", code: "unauthenticated" });
    const user = await at.server.inject({ url: "/v1/awe/policies", headers: as("uma") });
    expect([user.statusCode, bodyOf(user)["detail"]]).toEqual([403, "One of ['AWE_ADMIN', 'AWE_VIEWER'] required"]);
    const viewer = {
      method: "POST",
      url: "/v1/awe/policies",
      headers: as("vera", ["AWE_VIEWER"]),
      payload: {},
    } as const;
    expect(bodyOf(await at.server.inject(viewer))["detail"]).toBe("Role `AWE_ADMIN` required");
  });
});

describe("a world that fails", () => {
  /** A reader behind a database that is gone. */
  function deadReader(error: () => Error): Reader {
    return new Proxy(at.app.reader, { get: () => () => Promise.reject(error()) });
  }

  it("engine R-API-6: is a 503 that can be repeated, and AWE-006 in the health check", async () => {
    const reader = deadReader(() => new Unavailable("database_down", "The database does not answer"));
    const server = await buildServer(serverOptions({ ...at.app, reader }));
    const answer = await server.inject({ url: "/v1/awe/requests", headers: asAdmin });
    expect([answer.statusCode, bodyOf(answer)["errorCode"], answer.headers["retry-after"]]).toEqual([
      503,
      "AWE-019",
      "1",
    ]);
    const health = await server.inject("/v1/awe/health");
    expect([health.statusCode, bodyOf(health)["errorCode"]]).toEqual([503, "AWE-006"]);
    expect((await server.inject("/readyz")).statusCode).toBe(503);
    expect((await server.inject("/healthz")).statusCode).toBe(200);
    await server.close();
  });

  it("engine R-API-6: of a bug nothing of the inside is shown; the trace finds the log line", async () => {
    const logged: unknown[] = [];
    const reader = deadReader(() => new Error('column "secret" of relation "people" does not exist'));
    const silent = (): undefined => undefined;
    const log = {
      level: "error",
      fatal: silent,
      warn: silent,
      info: silent,
      debug: silent,
      trace: silent,
      silent,
      error: (line: unknown) => logged.push(line),
      child: () => log,
    };
    const server = await buildServer({ ...serverOptions({ ...at.app, reader }), log });
    const answer = await server.inject({ url: "/v1/requests", headers: { ...asAdmin, ...trace } });
    expect([answer.statusCode, bodyOf(answer)["code"]]).toEqual([500, "bug"]);
    expect(answer.body).not.toMatch(/secret|people|column/);
    expect(logged).toMatchObject([{ trace: "trace-1" }]);
    await server.close();
  });
});
