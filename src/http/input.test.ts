import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDelegationSchema } from "../contract/delegations.ts";
import { decisionSchema } from "../contract/decisions.ts";
import { policyCreateSchema, simulateRequestSchema } from "../contract/policy.ts";
import { createRequestSchema, requestsQuerySchema } from "../contract/requests.ts";
import { tasksQuerySchema } from "../contract/tasks.ts";
import { readInput } from "./input.ts";

const bodies = {
  createRequestSchema,
  decisionSchema,
  createDelegationSchema,
  policyCreateSchema,
  simulateRequestSchema,
};
const queries = { requestsQuerySchema, tasksQuerySchema };

/** JSON that often has the members that the schemas look for. */
const member = fc.constantFrom("policy_key", "artifact_type", "context", "stages", "action", "name", "x");
const json = fc.oneof(fc.jsonValue(), fc.dictionary(member, fc.jsonValue(), { maxKeys: 7 }));
const query = fc.dictionary(
  fc.constantFrom("limit", "page", "status", "q", "cursor", "sort"),
  fc.oneof(fc.string(), fc.array(fc.string())),
);

describe("reading input", () => {
  it.each(Object.entries(bodies))(
    "engine R-API-6: any JSON is a value or a list of faults, never an error: %s",
    (_name, schema) => {
      fc.assert(
        fc.property(json, (value) => {
          const read = readInput(schema, value, "body");
          const faults = read.ok ? [] : (read.problem.faults ?? []);
          expect(read.ok).toBe(faults.length === 0);
          for (const { loc, msg } of faults)
            expect([loc[0], /^[a-z]/.test(msg) || msg.startsWith("request_changes")]).toEqual(["body", true]);
        }),
      );
    },
  );

  it.each(Object.entries(queries))("engine R-API-8: any query is a value or a list of faults: %s", (_name, schema) => {
    fc.assert(
      fc.property(query, (value) => {
        const read = readInput(schema, value, "query");
        expect(read.ok || (read.problem.faults ?? []).length > 0).toBe(true);
      }),
    );
  });

  it("engine R-API-8: a query is read strictly", () => {
    const read = readInput(
      requestsQuerySchema,
      { limit: "20", q: "100%", created_after: "2026-01-01T00:00:00Z" },
      "query",
    );
    expect(read).toEqual({ ok: true, value: { limit: 20, q: "100%", created_after: Date.UTC(2026, 0, 1) } });
  });

  it("engine R-API-4: the answer names the first fault in a sentence and says how many more there are", () => {
    const read = readInput(createRequestSchema, { policy_key: "", artifact_id: 5, callback_url: 7 }, "body");
    expect(read.ok ? null : [read.problem.code, read.problem.message]).toEqual([
      "invalid_input",
      "policy_key must have at least 1 character (and 3 more)",
    ]);
  });

  it("engine R-API-7: however many faults there are, the answer stays small", () => {
    const rules = Array.from({ length: 50 }, () => ({ rule_type: "x", rule_value: 1 }));
    const read = readInput(policyCreateSchema, { stages: [{ rules }, { rules }] }, "body");
    expect(read.ok ? 0 : read.problem.faults?.length).toBe(50);
  });
});
