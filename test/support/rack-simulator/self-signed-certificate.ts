/**
 * A fresh key and the certificate it signs for itself, so that two simulators, or one before and after a change, never share
 * one. Node signs bytes but writes no certificates, hence the few lines of DER (RFC 5280) here.
 */
import { createHash, createPrivateKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";

export interface SelfSignedCertificate {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** SHA-256 over the DER, in lower-case hex. */
  readonly fingerprint: string;
}

const DAY_MS = 86_400_000;
const LIFE_MS = 3_650 * DAY_MS;

const ECDSA_WITH_SHA256 = "06082a8648ce3d040302";
const COMMON_NAME = "0603550403";
const SUBJECT_ALT_NAME = "0603551d11";
const BASIC_CONSTRAINTS = "0603551d13";

/** For `localhost`, `127.0.0.1` and `::1`. */
export function newSelfSignedCertificate(commonName = "rack simulator"): SelfSignedCertificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const algorithm = sequence(Buffer.from(ECDSA_WITH_SHA256, "hex"));
  const name = sequence(der(0x31, sequence(Buffer.from(COMMON_NAME, "hex"), der(0x0c, Buffer.from(commonName)))));
  const now = Date.now();
  const signed = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    name,
    sequence(time(new Date(now - DAY_MS)), time(new Date(now + LIFE_MS))),
    name,
    publicKey,
    der(0xa3, sequence(constraints(), alternativeNames())),
  );
  const signature = sign("sha256", signed, createPrivateKey(privateKey));
  const certificate = sequence(signed, algorithm, der(0x03, Buffer.concat([Buffer.from([0]), signature])));
  return {
    certificatePem: pem(certificate),
    privateKeyPem: privateKey,
    fingerprint: createHash("sha256").update(certificate).digest("hex"),
  };
}

function constraints(): Buffer {
  const isAuthority = sequence(der(0x01, Buffer.from([0xff])));
  return sequence(Buffer.from(BASIC_CONSTRAINTS, "hex"), der(0x01, Buffer.from([0xff])), der(0x04, isAuthority));
}

function alternativeNames(): Buffer {
  const names = sequence(
    der(0x82, Buffer.from("localhost")),
    der(0x87, Buffer.from([127, 0, 0, 1])),
    der(0x87, Buffer.concat([Buffer.alloc(15), Buffer.from([1])])),
  );
  return sequence(Buffer.from(SUBJECT_ALT_NAME, "hex"), der(0x04, names));
}

function time(at: Date): Buffer {
  const digits = at.toISOString().replaceAll(/[-:T]/g, "").slice(0, 14);
  return der(0x17, Buffer.from(`${digits.slice(2)}Z`));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  if (length < 0x100) return Buffer.concat([Buffer.from([tag, 0x81, length]), content]);
  return Buffer.concat([Buffer.from([tag, 0x82, length >> 8, length & 0xff]), content]);
}

function pem(certificate: Buffer): string {
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}
