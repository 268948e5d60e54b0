/** The signatures of one call. Implements docs/spec/engine.md R-HOOK-3, R-HOOK-5 and R-HOOK-16. */
import { createHmac, createPrivateKey, createPublicKey, hkdfSync, sign, type KeyObject } from "node:crypto";

export interface Signing {
  readonly eventId: string;
  /** Unix seconds of this attempt. */
  readonly timestamp: number;
  readonly body: string;
  readonly secret: string;
  readonly previous: string | null;
}

export function approvalHeaders({ eventId, timestamp, body, secret, previous }: Signing): Record<string, string> {
  const signature = (key: string): string =>
    `sha256=${createHmac("sha256", key)
      .update(`${String(timestamp)}.${body}`)
      .digest("hex")}`;
  return {
    "X-Approval-Event-Id": eventId,
    "X-Approval-Timestamp": String(timestamp),
    "X-Approval-Signature": signature(secret),
    ...(previous === null ? {} : { "X-Approval-Signature-Previous": signature(previous) }),
  };
}

/** As Standard Webhooks has it: a symmetric signature per secret, and one that anybody can check. */
export function standardHeaders(signing: Signing, key: SigningKey): Record<string, string> {
  const { eventId, timestamp, body, secret, previous } = signing;
  const message = `${eventId}.${String(timestamp)}.${body}`;
  const hmacs = [secret, ...(previous === null ? [] : [previous])].map(
    (each) => `v1,${createHmac("sha256", each).update(message).digest("base64")}`,
  );
  const asymmetric = `v1a,${sign(null, Buffer.from(message, "utf8"), key.privateKey).toString("base64")}`;
  return {
    "webhook-id": eventId,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": [...hmacs, asymmetric].join(" "),
  };
}

export interface SigningKey {
  readonly privateKey: KeyObject;
  /** `whpk_` and base64 of the 32 bytes, as Standard Webhooks writes it. */
  readonly publicKey: string;
}

const SEED_BYTES = 32;
/** An Ed25519 private key in PKCS #8, up to its seed. */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

/** The installation's key, derived from the one that all its processes share. */
export function webhookSigningKey(serverKey: Uint8Array): SigningKey {
  const seed = Buffer.from(hkdfSync("sha256", serverKey, "", "countersign webhook ed25519", SEED_BYTES));
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: "der", type: "pkcs8" });
  const spki = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  return { privateKey, publicKey: `whpk_${spki.subarray(-SEED_BYTES).toString("base64")}` };
}
