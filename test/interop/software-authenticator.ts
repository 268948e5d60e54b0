/**
 * Passkeys in software: real keys, authenticator data, client data and signatures, made with node:crypto and with nothing of
 * ours, so that what is verified was not made by what verifies.
 */
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";

export type KeyAlgorithm = -7 | -8 | -257;

export interface SoftwareKey {
  readonly algorithm: KeyAlgorithm;
  readonly privateKey: KeyObject;
  /** SubjectPublicKeyInfo in base64url. */
  readonly spki: string;
  /** COSE key in base64url. */
  readonly cose: string;
}

export const FLAGS = { present: 0x01, verified: 0x04, eligible: 0x08, backedUp: 0x10, extensions: 0x80 } as const;

export interface Ceremony {
  readonly challenge: Uint8Array;
  readonly origin: string;
  readonly rpId: string;
  readonly flags?: number;
  readonly counter?: number;
  /** The whole client data, where it is to be another one. */
  readonly clientData?: string | Uint8Array;
  /** Bytes after the counter. */
  readonly extensions?: Uint8Array;
}

export interface Signed {
  readonly authenticator_data: string;
  readonly client_data: string;
  readonly signature: string;
}

export function newKey(algorithm: KeyAlgorithm): SoftwareKey {
  const { publicKey, privateKey } = pairFor(algorithm);
  const spki = publicKey.export({ type: "spki", format: "der" }).toString("base64url");
  return { algorithm, privateKey, spki, cose: coseOf(algorithm, publicKey).toString("base64url") };
}

export function signCeremony(key: SoftwareKey, ceremony: Ceremony): Signed {
  const { challenge, origin, rpId, flags = FLAGS.present | FLAGS.verified, counter = 0, extensions } = ceremony;
  const clientData =
    ceremony.clientData ??
    `{"type":"webauthn.get","challenge":"${text64(challenge)}","origin":${JSON.stringify(origin)},"crossOrigin":false}`;
  const count = Buffer.alloc(4);
  count.writeUInt32BE(counter);
  const data = Buffer.concat([sha256(Buffer.from(rpId)), Buffer.of(flags), count, extensions ?? Buffer.alloc(0)]);
  const client = Buffer.from(clientData);
  const message = Buffer.concat([data, sha256(client)]);
  const signature = sign(key.algorithm === -8 ? null : "sha256", message, key.privateKey);
  return {
    authenticator_data: data.toString("base64url"),
    client_data: client.toString("base64url"),
    signature: signature.toString("base64url"),
  };
}

/** The same signature with the other S: `n - s` (both are valid ECDSA). */
export function otherS(signature: string): string {
  const der = Buffer.from(signature, "base64url");
  const rLength = der[3] ?? 0;
  const r = der.subarray(4, 4 + rLength);
  const s = BigInt(`0x${der.subarray(6 + rLength).toString("hex")}`);
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const hex = (order - s).toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex");
  const positive = (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
  const content = Buffer.concat([Buffer.of(2, r.length), r, Buffer.of(2, positive.length), positive]);
  return Buffer.concat([Buffer.of(0x30, content.length), content]).toString("base64url");
}

export function text64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

function sha256(data: Uint8Array): Buffer {
  return createHash("sha256").update(data).digest();
}

function pairFor(algorithm: KeyAlgorithm): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  switch (algorithm) {
    case -7:
      return generateKeyPairSync("ec", { namedCurve: "P-256" });
    case -8:
      return generateKeyPairSync("ed25519");
    case -257:
      return generateKeyPairSync("rsa", { modulusLength: 2048 });
  }
}

function coseOf(algorithm: KeyAlgorithm, key: KeyObject): Buffer {
  const { x = "", y = "", n = "", e = "" } = key.export({ format: "jwk" });
  const bytes = (text: string): Buffer => Buffer.from(text, "base64url");
  switch (algorithm) {
    case -7:
      return Buffer.concat([hex("a5010203262001215820"), bytes(x), hex("225820"), bytes(y)]);
    case -8:
      return Buffer.concat([hex("a4010103272006215820"), bytes(x)]);
    case -257: {
      const modulus = bytes(n);
      const exponent = bytes(e);
      const head = Buffer.of(0x59, modulus.length >> 8, modulus.length & 255);
      return Buffer.concat([hex("a401030339010020"), head, modulus, Buffer.of(0x21, 0x40 + exponent.length), exponent]);
    }
  }
}

function hex(text: string): Buffer {
  return Buffer.from(text, "hex");
}
