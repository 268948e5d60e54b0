/** The key of this installation's own short tokens (CSRF): from the environment, or kept in the data directory. */
import { createHmac, randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StartRefused } from "./start-refused.ts";

const KEY_BYTES = 32;
const VARIABLE = "COUNTERSIGN_SERVER_KEY";
/** rack-gateway's, a text of any form (deploy R-SETTINGS-4). */
const ORIGINAL = "APP_SECRET_KEY";
const ORIGINAL_MIN = 32;

/** Processes that serve one installation need the same key: each reads it from its own environment or a shared directory. */
export async function readServerKey(
  environment: Readonly<Record<string, string | undefined>>,
  dataDir: string,
): Promise<Uint8Array> {
  const given = environment[VARIABLE];
  if (given !== undefined && given !== "") return keyFrom(given, VARIABLE);
  const original = environment[ORIGINAL] ?? "";
  if (original !== "") return derivedKey(original);
  const file = join(dataDir, "keys", "server-key");
  await mkdir(join(dataDir, "keys"), { recursive: true, mode: 0o700 });
  try {
    await writeFile(file, randomBytes(KEY_BYTES).toString("base64"), { mode: 0o600, flag: "wx" });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  await chmod(file, 0o600);
  return keyFrom(await readFile(file, "utf8"), file);
}

/** What a page sends with each write, so that no other page can (identity R-SESS-5). */
export function csrfTokens(key: Uint8Array): (sessionId: string) => string {
  return (sessionId) => createHmac("sha256", key).update(`csrf|${sessionId}`).digest("base64url");
}

function derivedKey(secret: string): Uint8Array {
  if (secret.length < ORIGINAL_MIN) {
    throw new StartRefused("server_key_invalid", `${ORIGINAL} must hold at least ${String(ORIGINAL_MIN)} characters`);
  }
  return createHmac("sha256", secret).update("countersign server key").digest();
}

function keyFrom(text: string, place: string): Uint8Array {
  const key = Buffer.from(text.trim(), "base64");
  if (key.length === KEY_BYTES) return key;
  throw new StartRefused("server_key_invalid", `${place} must hold 32 bytes in base64: openssl rand -base64 32`);
}
