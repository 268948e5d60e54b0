/**
 * Which key signs the checkpoints? An Ed25519 key in a file of the data directory, outside the database, so that whoever can
 * change the database cannot sign what they made of it (ledger R-KEY-1).
 */
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { chmod, link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The 32 bytes of the private key. */
export type Seed = Uint8Array;

/** The key file cannot be used; the message is for the person at the terminal. */
export class SigningKeyFault extends Error {
  override readonly name = "SigningKeyFault";
}

export function signingKeyFile(dataDir: string): string {
  return join(dataDir, "keys", "ledger-signing-key");
}

/** Null when there is none. */
export async function readSigningKey(dataDir: string): Promise<Seed | null> {
  const file = signingKeyFile(dataDir);
  let pem: string;
  try {
    pem = await readFile(file, "utf8");
  } catch (error) {
    if (isMissing(error)) return null;
    throw new SigningKeyFault(`The signing key ${file} cannot be read: ${reason(error)}.`);
  }
  return seedOf(pem, file);
}

/** The key of the file, which is made when there is none. */
export async function ensureSigningKey(dataDir: string): Promise<Seed> {
  const known = await readSigningKey(dataDir);
  if (known !== null) return known;
  const file = signingKeyFile(dataDir);
  await mkdir(join(dataDir, "keys"), { recursive: true });
  await chmod(join(dataDir, "keys"), 0o700);
  const draft = `${file}.${String(process.pid)}`;
  const { privateKey } = generateKeyPairSync("ed25519");
  await writeFile(draft, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600, flush: true });
  // A link appears whole or not at all; when two processes make a key at once, the first one's stands.
  await link(draft, file).catch((error: unknown) => {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  });
  await rm(draft, { force: true });
  return seedOf(await readFile(file, "utf8"), file);
}

function seedOf(pem: string, file: string): Seed {
  try {
    const { d, crv } = createPrivateKey(pem).export({ format: "jwk" });
    if (d !== undefined && crv === "Ed25519") return new Uint8Array(Buffer.from(d, "base64url"));
  } catch (error) {
    throw new SigningKeyFault(`The signing key ${file} cannot be read: ${reason(error)}.`);
  }
  throw new SigningKeyFault(`The signing key ${file} is not an Ed25519 private key (PKCS#8, PEM).`);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : "no reason given";
}
