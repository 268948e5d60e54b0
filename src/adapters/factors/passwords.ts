/** Passwords: how they are kept, compared and judged (identity R-LOCAL-2, R-LOCAL-3). */
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import type { Passwords } from "../../ports/factors.ts";
import { HashTurns } from "./hash-turns.ts";
import { passwordWeakness } from "./password-weakness.ts";

/** Cost 2^17, block size 8, no parallelism: 128 MiB and some tenths of a second for each hash. */
const COST = { log2N: 17, r: 8, p: 1 } as const;
const MEMORY_MAX = 256 * 1024 * 1024;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const STORED = /^scrypt\$17\$8\$1\$([A-Za-z0-9_-]{22})\$([A-Za-z0-9_-]{43})$/;

export function createPasswords(): Passwords {
  const turns = new HashTurns();
  /** Stands in where nobody has a password, so that the answer takes as long (R-LOCAL-3). */
  const nobody = { salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES) };
  return {
    hash: (password) =>
      turns.take(async () => {
        const salt = randomBytes(SALT_BYTES);
        const hash = await derive(password, salt);
        const { log2N, r, p } = COST;
        return ["scrypt", log2N, r, p, salt.toString("base64url"), hash.toString("base64url")].join("$");
      }),
    matches: (password, stored) =>
      turns.take(async () => {
        const known = stored === null ? null : parseStored(stored);
        const { salt, hash } = known ?? nobody;
        const isEqual = timingSafeEqual(await derive(password, salt), hash);
        return isEqual && known !== null;
      }),
    weakness: passwordWeakness,
  };
}

function parseStored(stored: string): { readonly salt: Buffer; readonly hash: Buffer } | null {
  const [, salt, hash] = STORED.exec(stored) ?? [];
  if (salt === undefined || hash === undefined) return null;
  return { salt: Buffer.from(salt, "base64url"), hash: Buffer.from(hash, "base64url") };
}

/** The password's UTF-8 bytes as they came: nothing is normalized (R-LOCAL-2). */
function derive(password: string, salt: Buffer): Promise<Buffer> {
  const options = { N: 2 ** COST.log2N, r: COST.r, p: COST.p, maxmem: MEMORY_MAX };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, HASH_BYTES, options, (error, hash) => {
      if (error === null) resolve(hash);
      else reject(error);
    });
  });
}
