import { createPublicKey, randomBytes, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { approvalHeaders, standardHeaders, webhookSigningKey } from "./sign-webhook.ts";

const VECTOR = {
  ...{ eventId: "abc", timestamp: 1_730_000_000, body: '{"event_id":"abc","status":"approved"}' },
  ...{ secret: "shared-secret", previous: null },
};

describe("the signatures of a call", () => {
  it("engine R-HOOK-3: are those of the vector", () => {
    expect(approvalHeaders(VECTOR)).toEqual({
      "X-Approval-Event-Id": "abc",
      "X-Approval-Timestamp": "1730000000",
      "X-Approval-Signature": "sha256=0b3b23ae51642190660a4949ccbb4c0c6413eb7be0040b3c175e2583930cbb2b",
    });
  });

  it("engine R-HOOK-16: the one before signs beside the present one while both count", () => {
    const both = approvalHeaders({ ...VECTOR, secret: "the new one, long", previous: "shared-secret" });
    expect(both["X-Approval-Signature-Previous"]).toBe(approvalHeaders(VECTOR)["X-Approval-Signature"]);
    expect(both["X-Approval-Signature"]).not.toBe(both["X-Approval-Signature-Previous"]);
  });

  it("engine R-HOOK-5: the standard ones hold every secret, and one that the public key verifies", () => {
    const key = webhookSigningKey(randomBytes(32));
    const headers = standardHeaders({ ...VECTOR, previous: "older" }, key);
    const parts = (headers["webhook-signature"] ?? "").split(" ");
    expect(parts.map((part) => part.split(",")[0])).toEqual(["v1", "v1", "v1a"]);
    const raw = Buffer.from(key.publicKey.replace("whpk_", ""), "base64");
    const spki = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), raw]);
    const publicKey = createPublicKey({ key: spki, format: "der", type: "spki" });
    const signature = Buffer.from(parts[2]?.split(",")[1] ?? "", "base64");
    expect(verify(null, Buffer.from(`abc.1730000000.${VECTOR.body}`), publicKey, signature)).toBe(true);
    expect(verify(null, Buffer.from(`abc.1730000001.${VECTOR.body}`), publicKey, signature)).toBe(false);
  });

  it("engine R-HOOK-5: every process of an installation has the same key, every installation its own", () => {
    const shared = randomBytes(32);
    expect(webhookSigningKey(shared).publicKey).toBe(webhookSigningKey(shared).publicKey);
    expect(webhookSigningKey(shared).publicKey).not.toBe(webhookSigningKey(randomBytes(32)).publicKey);
  });
});
