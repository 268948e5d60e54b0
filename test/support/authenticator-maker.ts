/**
 * A maker of authenticators: a root certificate, and attestation certificates that it issues, as WebAuthn 8.2.1 has them. Made
 * anew in each run, with node:crypto and the DER written out here.
 */
import { createSign, generateKeyPairSync, randomBytes, type KeyObject } from "node:crypto";

export interface AuthenticatorMaker {
  /** PEM, to be believed. */
  readonly root: string;
  /** A certificate for a batch of authenticators of this model, or one that names none. */
  attestationFor(aaguid: string | null): { readonly certificate: Buffer; readonly privateKey: KeyObject };
}

export function authenticatorMaker(name: string): AuthenticatorMaker {
  const own = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const subject = distinguishedName([
    ["2.5.4.6", "SE"],
    ["2.5.4.10", name],
    ["2.5.4.3", `${name} root`],
  ]);
  const root = certificate({
    subject,
    issuer: subject,
    publicKey: own.publicKey,
    signer: own.privateKey,
    isAuthority: true,
  });
  return {
    root: [
      "-----BEGIN CERTIFICATE-----",
      ...(root.toString("base64").match(/.{1,64}/g) ?? []),
      "-----END CERTIFICATE-----",
      "",
    ].join("\n"),
    attestationFor(aaguid) {
      const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const leaf = certificate({
        ...{ publicKey, issuer: subject, signer: own.privateKey, isAuthority: false, aaguid },
        subject: distinguishedName([
          ["2.5.4.6", "SE"],
          ["2.5.4.10", name],
          ["2.5.4.11", "Authenticator Attestation"],
          ["2.5.4.3", `${name} key`],
        ]),
      });
      return { certificate: leaf, privateKey };
    },
  };
}

interface CertificateParts {
  readonly subject: Buffer;
  readonly issuer: Buffer;
  readonly publicKey: KeyObject;
  readonly signer: KeyObject;
  readonly isAuthority: boolean;
  readonly aaguid?: string | null;
}

const ECDSA_SHA256 = sequence(oid("1.2.840.10045.4.3.2"));
const HOUR = 3_600_000;

function certificate({ subject, issuer, publicKey, signer, isAuthority, aaguid }: CertificateParts): Buffer {
  const constraints = der(0x04, sequence(...(isAuthority ? [der(0x01, Buffer.of(0xff))] : [])));
  const extensions = [
    sequence(oid("2.5.29.19"), der(0x01, Buffer.of(0xff)), constraints),
    ...(aaguid === undefined || aaguid === null
      ? []
      : [sequence(oid("1.3.6.1.4.1.45724.1.1.4"), der(0x04, der(0x04, hex(aaguid))))]),
  ];
  const signed = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    ECDSA_SHA256,
    issuer,
    sequence(time(Date.now() - HOUR), time(Date.now() + 24 * HOUR)),
    subject,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = createSign("sha256").update(signed).sign(signer);
  return sequence(signed, ECDSA_SHA256, der(0x03, Buffer.concat([Buffer.of(0), signature])));
}

function distinguishedName(parts: readonly (readonly [string, string])[]): Buffer {
  return sequence(
    ...parts.map(([type, value]) => der(0x31, sequence(oid(type), der(0x13, Buffer.from(value, "ascii"))))),
  );
}

function time(at: number): Buffer {
  return der(0x17, Buffer.from(`${new Date(at).toISOString().slice(2, 19).replaceAll(/[-:T]/g, "")}Z`, "ascii"));
}

function sequence(...members: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(members));
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return der(0x06, Buffer.concat([Buffer.of(first * 40 + second), ...rest.map(base128)]));
}

function base128(value: number): Buffer {
  const digits = [value & 0x7f];
  for (let left = value >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
  return Buffer.from(digits);
}

function hex(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll("-", ""), "hex");
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 128) return Buffer.concat([Buffer.of(tag, length), content]);
  const size = length < 256 ? Buffer.of(0x81, length) : Buffer.of(0x82, length >> 8, length & 0xff);
  return Buffer.concat([Buffer.of(tag), size, content]);
}
