/**
 * Does an authenticator's maker say which model it is? A statement counts where its certificates lead to a root that is
 * believed; what a key says of itself does not (docs/spec/identity.md R-FACT-1, R-FACT-12).
 */
import { X509Certificate } from "node:crypto";
import { SettingsService, type AttestationFormat } from "@simplewebauthn/server";
import { decodeAttestationObject } from "@simplewebauthn/server/helpers";

/** Formats whose certificates the library follows to the roots that are set for them. */
const FORMATS = ["packed", "tpm", "fido-u2f", "android-key", "apple"] as const satisfies readonly AttestationFormat[];
/** For these the library brings the roots of their only maker. */
const WITH_ROOTS: readonly string[] = ["android-key", "apple"];

type Format = (typeof FORMATS)[number];

/** PEM certificates of makers whose keys are believed; the library keeps one list for the whole process. */
export function believeAttestationRoots(roots: readonly string[]): void {
  for (const identifier of FORMATS.filter((format) => !WITH_ROOTS.includes(format))) {
    SettingsService.setRootCertificates({ identifier, certificates: [...roots] });
  }
}

/** The certificates of a PEM text; null when one of them is none, or there is none. */
export function rootsIn(pem: string): readonly string[] | null {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    for (const block of blocks) new X509Certificate(block);
  } catch {
    return null;
  }
  return blocks.length === 0 ? null : blocks;
}

export interface Attestation {
  /** Whether the library may follow its certificates: of a stranger's it would ask whatever server they name. */
  readonly mayBeVerified: boolean;
  /** Once it is verified: that a certificate which leads to a root of ours names this very model. */
  readonly isRooted: boolean;
}

/**
 * The extension id-fido-gen-ce-aaguid (1.3.6.1.4.1.45724.1.1.4, WebAuthn 8.2.1) up to its value. Only its maker's certificate ties
 * a key to a model: a chain alone says who made the chip or the phone, and whoever holds its key writes the model beside it.
 */
const MODEL_EXTENSION = Buffer.from("060b2b0601040182e51c01010404120410", "hex");
/** Where authenticator data has the model (WebAuthn 6.1, 6.5.1): after hash, flags and counter. */
const MODEL_AT = 37;
const MODEL_BYTES = 16;

/** Throws on what is no attestation object at all. */
export function readAttestation(object: string): Attestation {
  const decoded = decodeAttestationObject(Uint8Array.from(Buffer.from(object, "base64url")));
  const format = decoded.get("fmt");
  if (format === "none") return { mayBeVerified: true, isRooted: false };
  if (!isFormat(format)) return { mayBeVerified: false, isRooted: false };
  const certificates = decoded.get("attStmt").get("x5c");
  const roots = SettingsService.getRootCertificates({ identifier: format });
  if (format === "packed") {
    const model = Buffer.from(decoded.get("authData")).subarray(MODEL_AT, MODEL_AT + MODEL_BYTES);
    const isOfModel = certificates?.[0] !== undefined && namesModel(Buffer.from(certificates[0]), model);
    return { mayBeVerified: true, isRooted: isOfModel && roots.length > 0 };
  }
  if (format !== "android-key") return { mayBeVerified: true, isRooted: false };
  // The library builds this format's path to the root that the statement itself brings, and compares that root afterwards.
  const root = certificates?.at(-1);
  const isOurs = root !== undefined && roots.some((pem) => new X509Certificate(pem).raw.equals(Buffer.from(root)));
  return { mayBeVerified: isOurs, isRooted: false };
}

function namesModel(certificate: Buffer, model: Buffer): boolean {
  return model.length === MODEL_BYTES && certificate.includes(Buffer.concat([MODEL_EXTENSION, model]));
}

function isFormat(name: string): name is Format {
  return FORMATS.some((format) => format === name);
}
