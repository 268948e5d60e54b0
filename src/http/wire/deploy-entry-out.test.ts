import { describe, expect, it } from "vitest";
import { auditEvent, type AuditEvent } from "../../app/deploy/audit-event.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { LEDGER_KINDS } from "../../ledger/kinds.ts";
import { deployEntryOut } from "./deploy-entry-out.ts";

const ID = "6f1c3a52-9c1e-4f0b-8a51-0d5e7d6f2a11";
const erased = `c1:${"0".repeat(64)}`;

interface Said {
  readonly gate?: string;
  readonly data?: JsonObject;
  readonly openings?: Readonly<Record<string, JsonValue>>;
}

/** One entry as the audit list tells it, and as the history of its request does. */
function readings(
  kind: string,
  { gate = "deploy", data = {}, openings = {} }: Said = {},
): { readonly list: AuditEvent | null; readonly history: JsonObject } {
  const frame = { v: 1, at: "2026-11-20T09:17:31.871Z", kind, actor: "usr_1", credential: null };
  const text = JSON.stringify({ ...frame, resource: { gate, digest: "sha256:00" }, data: { ctx: erased, ...data } });
  const stored = { seq: 7, text, openings, hash: "h", previousHash: "p" };
  return { list: auditEvent(stored), history: deployEntryOut(ID, { ...stored, actor: null, token: null }) };
}

describe("an entry in the gate's words", () => {
  it("deploy R-AUDIT-1: has one action and one status, in the audit list and in the request's history", () => {
    const called = { openings: { "/ctx": { action: "release.promote" } } };
    const failed = { data: { status: 502 } };
    for (const said of [{}, { gate: "generic" }, called, failed, { data: { reason_code: "rejected" } }]) {
      for (const kind of LEDGER_KINDS) {
        const { list, history } = readings(kind, said);
        if (kind === "deploy.call_intended") expect(list).toBeNull();
        else expect([kind, list?.action, list?.status]).toEqual([kind, history["action"], history["status"]]);
      }
    }
  });

  it.each([
    ["request.created", {}, "deploy_approval_request.create", "success"],
    ["request.created", { gate: "generic" }, "request.created", "success"],
    ["decision.recorded", {}, "deploy_approval_request.decide", "success"],
    ["request.cancelled", {}, "deploy_approval_request.cancel", "success"],
    ["request.cancelled", { data: { reason_code: "rejected" } }, "deploy_approval_request.reject", "success"],
    ["grant.revoked", { data: { reason_code: "rejected" } }, "deploy_approval_request.reject", "success"],
    ["grant.expired", {}, "deploy_approval_request.expire", "success"],
    ["access.refused", {}, "deploy_approval_request.refuse", "denied"],
    ["access.refused", { openings: { "/ctx": { action: "build.create" } } }, "build.create", "denied"],
    ["access.refused", { gate: "generic" }, "access.refused", "denied"],
    [
      "deploy.call_ended",
      { openings: { "/ctx": { action: "app.restart" } }, data: { status: 500 } },
      "app.restart",
      "error",
    ],
    ["deploy.release_promoted", { data: { status: 200 } }, "release.promote", "success"],
    ["effect.exhausted", {}, "effect.exhausted", "failed"],
  ] as const)("deploy R-AUDIT-1, R-AUDIT-2: %s %j is %s, %s", (kind, said, action, status) => {
    expect(readings(kind, said).history).toMatchObject({ kind, action, status, deploy_approval_request_id: ID });
  });

  it("deploy R-AUDIT-2: what is known is told, what was erased is not, and the history keeps to itself where a call came from", () => {
    const data = { app: erased, release: erased, duration_ms: 7 };
    const openings = { "/app": "myapp", "/ctx": { address: "10.0.0.1" } };
    const { list, history } = readings("deploy.release_promoted", { data, openings });
    expect(list).toMatchObject({ resource: "myapp", address: "10.0.0.1", durationMs: 7 });
    expect(list?.details).toEqual({ app: "myapp", ctx: { address: "10.0.0.1" }, duration_ms: 7 });
    expect(history["details"]).toBe('{"app":"myapp","duration_ms":7}');
    expect(JSON.stringify([list, history])).not.toContain("c1:");
  });
});
