/** Archives made by hand, block by block, so that a test can say exactly what is wrong with them. */
import { gzipSync } from "node:zlib";

const BLOCK = 512;
/** Two blocks of zeros. */
export const TAR_END = Buffer.alloc(2 * BLOCK);

export interface TarFields {
  readonly name: string | Buffer;
  readonly type?: string;
  readonly mode?: number;
  readonly size?: number | string;
  readonly link?: string | Buffer;
  readonly prefix?: string;
  readonly mtime?: number;
  readonly uid?: number;
  /** Magic and version, eight characters. */
  readonly magic?: string;
}

export function tarBlock(fields: TarFields): Buffer {
  const block = Buffer.alloc(BLOCK);
  const put = (at: number, value: string | Buffer): void => {
    block.set(Buffer.from(value), at);
  };
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, "0");
  put(0, fields.name);
  put(100, octal(fields.mode ?? 0o644, 7));
  put(108, octal(fields.uid ?? 0, 7));
  put(116, octal(0, 7));
  put(124, typeof fields.size === "string" ? fields.size : octal(fields.size ?? 0, 11));
  put(136, octal(fields.mtime ?? 0, 11));
  put(156, fields.type ?? "0");
  put(157, fields.link ?? "");
  put(257, fields.magic ?? "ustar\u000000");
  put(345, fields.prefix ?? "");
  return resummed(block);
}

/** With the checksum that belongs to the block as it is now. */
export function resummed(block: Buffer): Buffer {
  block.fill(" ", 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

function padded(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]);
}

export function tarFile(name: string | Buffer, content: string | Buffer, fields: Partial<TarFields> = {}): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([tarBlock({ name, size: bytes.length, ...fields }), padded(bytes)]);
}

export function tarLink(name: string, link: string, fields: Partial<TarFields> = {}): Buffer {
  return tarBlock({ name, link, type: "2", mode: 0o777, ...fields });
}

export function tarDirectory(name: string, fields: Partial<TarFields> = {}): Buffer {
  return tarBlock({ name, type: "5", mode: 0o755, ...fields });
}

export function paxRecord(key: string, value: string | Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from("\n")]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/** An extended header of the next entry, or with type `g` a global one. */
export function paxHeader(records: Readonly<Record<string, string | Buffer>>, type = "x"): Buffer {
  const body = Buffer.concat(Object.entries(records).map(([key, value]) => paxRecord(key, value)));
  return tarFile("PaxHeaders/entry", body, { type });
}

/** GNU's way to write a long name (type L) or a long link target (type K). */
export function gnuLong(text: string, type: "L" | "K" = "L"): Buffer {
  return tarFile("././@LongLink", `${text}\0`, { type, magic: "ustar  \u0000" });
}

export function tarGz(parts: readonly Buffer[], level = 6): Buffer {
  return gzipSync(Buffer.concat([...parts, TAR_END]), { level });
}
