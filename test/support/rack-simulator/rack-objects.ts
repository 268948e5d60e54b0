/** The rack's object store: it keeps what arrives as it arrives, whole or not (deploy R-RACKSIM-1, row "objects"). */
import { createHash } from "node:crypto";
import { posix } from "node:path";
import { RackError } from "./rack-answer.ts";
import type { RackBody } from "./rack-body.ts";

export interface StoredObject {
  readonly app: string;
  readonly key: string;
  readonly sha256: string;
  readonly bytes: number;
  /** False of a body that was cut off, and while it is still arriving. */
  readonly complete: boolean;
  /** Null when only its hash was kept. */
  readonly body: Buffer | null;
}

export interface ObjectsKept {
  /** A larger object is hashed and not kept. */
  readonly bytesMax: number;
}

export class RackObjects {
  readonly stored = new Map<string, StoredObject>();
  readonly #kept: ObjectsKept;

  constructor(kept: ObjectsKept) {
    this.#kept = kept;
  }

  get(app: string, key: string): StoredObject | null {
    return this.stored.get(`${app}/${key}`) ?? null;
  }

  put(app: string, key: string, body: Buffer): StoredObject {
    const sha256 = createHash("sha256").update(body).digest("hex");
    const object = { app, key, sha256, bytes: body.length, complete: true, body };
    this.stored.set(`${app}/${key}`, object);
    return object;
  }

  /** Overwrites. A body that is cut off leaves the part that came. */
  async receive(app: string, key: string, body: RackBody): Promise<void> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const keep = (complete: boolean): void => {
      const kept = bytes <= this.#kept.bytesMax ? Buffer.concat(chunks) : null;
      const object = { app, key, sha256: body.sha256, bytes, complete, body: kept };
      this.stored.set(`${app}/${key}`, object);
    };
    keep(false);
    try {
      await body.read((chunk) => {
        bytes += chunk.length;
        if (bytes <= this.#kept.bytesMax) chunks.push(chunk);
        else chunks.length = 0;
      });
    } catch (error) {
      keep(false);
      throw error;
    }
    keep(true);
  }
}

/** Cleaned, and never above the app's own objects. */
export function cleanKey(key: string): string {
  if (key.split("/").includes("..") || key.includes("\0")) throw new RackError(400, "invalid object key");
  const clean = posix.join("/", key).slice(1);
  return clean.endsWith("/") ? clean.slice(0, -1) : clean;
}
