/**
 * Which entries does a tar have, judged as it streams by? Regular files, directories and symbolic links with one meaning for
 * every program, then an end marker and zeros (deploy R-MANIFEST-1, R-MANIFEST-2; docs/adr/0015-archive-reader.md).
 */
import type { ArchiveLimits } from "../../gates/deploy/archive-limits.ts";
import { badForm, tooLarge, WHOLE } from "./archive-refused.ts";
import { entryPath } from "./entry-path.ts";
import { PathRegister } from "./path-register.ts";
import { type PaxRecords, paxRecords } from "./pax-records.ts";
import { BLOCK_BYTES, isZero, type TarHeader, tarHeader, utf8 } from "./tar-header.ts";

export type TarEntry =
  | { readonly kind: "file"; readonly path: string; readonly size: number; readonly executable: boolean }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  | { readonly kind: "directory"; readonly path: string };

/** Told of entries in their order; `content` and `fileEnd` belong to the last file. */
export interface TarVisitor {
  entry(entry: TarEntry): void;
  content(chunk: Buffer): void;
  fileEnd(): void;
}

/** Long names, attributes and comments of one entry. */
const EXTENSION_BYTES_MAX = 256 * 1024;
const SET_ID_BITS = 0o6000;
const EXECUTE_BITS = 0o111;
/** The longest name that a header holds without an extension. */
const PLAIN_NAME_BYTES = 100;
const NO_END = "it ends before its end marker";

const REFUSED_TYPES: ReadonlyMap<string, string> = new Map([
  ["1", "it is a hard link"],
  ["3", "it is a device"],
  ["4", "it is a device"],
  ["6", "it is a named pipe"],
  ["S", "it is a sparse file"],
]);

interface Extension {
  readonly type: "x" | "g" | "L" | "K";
  readonly body: Buffer;
  filled: number;
}

type Stage = "header" | "content" | "padding" | "extension" | "half-ended" | "ended";

export class TarEntries {
  readonly #visitor: TarVisitor;
  readonly #limits: ArchiveLimits;
  readonly #register: PathRegister;
  readonly #block = Buffer.alloc(BLOCK_BYTES);
  #blockFilled = 0;
  #stage: Stage = "header";
  /** Bytes of the content, or of the padding, that are still to come. */
  #left = 0;
  #padding = 0;
  #entries = 0;
  #extension: Extension | null = null;
  /** What extensions said about the entry that comes next. */
  #pax: PaxRecords | null = null;
  #longName: string | null = null;
  #longLink: string | null = null;
  /** For faults. */
  #where = WHOLE;

  constructor(visitor: TarVisitor, limits: ArchiveLimits) {
    this.#visitor = visitor;
    this.#limits = limits;
    this.#register = new PathRegister(limits.entries);
  }

  /** Throws `ArchiveRefused`. The chunk is not kept. */
  push(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) rest = rest.subarray(this.#consume(rest));
  }

  finish(): void {
    if (this.#stage !== "ended") throw badForm(WHOLE, NO_END);
  }

  /** How many of the bytes were used; at least one. */
  #consume(bytes: Buffer): number {
    switch (this.#stage) {
      case "header":
      case "half-ended":
        return this.#fillBlock(bytes);
      case "content":
        return this.#content(bytes);
      case "padding":
        return this.#skipPadding(bytes);
      case "extension":
        return this.#fillExtension(bytes);
      case "ended":
        if (!isZero(bytes)) throw badForm(WHOLE, "something other than zeros follows its end marker");
        return bytes.length;
    }
  }

  #fillBlock(bytes: Buffer): number {
    // Most headers lie whole in one chunk.
    if (this.#blockFilled === 0 && bytes.length >= BLOCK_BYTES) {
      this.#header(bytes.subarray(0, BLOCK_BYTES));
      return BLOCK_BYTES;
    }
    const taken = bytes.copy(this.#block, this.#blockFilled, 0, BLOCK_BYTES - this.#blockFilled);
    this.#blockFilled += taken;
    if (this.#blockFilled === BLOCK_BYTES) {
      this.#blockFilled = 0;
      this.#header(this.#block);
    }
    return taken;
  }

  #header(block: Buffer): void {
    if (isZero(block)) {
      if (this.#hasExtensions()) throw badForm(this.#where, "an extended header is followed by no entry");
      this.#stage = this.#stage === "header" ? "half-ended" : "ended";
      return;
    }
    if (this.#stage === "half-ended") throw badForm(WHOLE, "its end marker is incomplete");
    this.#where = this.#longName ?? this.#pax?.path ?? `entry ${this.#entries + 1}`;
    const header = tarHeader(block, this.#where);
    if (header.type === "x" || header.type === "g" || header.type === "L" || header.type === "K") {
      this.#openExtension(header.type, header);
    } else {
      this.#openEntry(header);
    }
  }

  #openExtension(type: Extension["type"], { size, name }: TarHeader): void {
    this.#where = name;
    const twice = type === "x" ? this.#pax : type === "L" ? this.#longName : type === "K" ? this.#longLink : null;
    if (twice !== null) throw badForm(name, "an entry has two extended headers of a kind");
    if (type === "g") {
      if (this.#hasExtensions()) throw badForm(name, "an extended header is followed by no entry");
      this.#count(name);
    }
    if (size > EXTENSION_BYTES_MAX)
      throw tooLarge(name, `an extended header is longer than ${EXTENSION_BYTES_MAX} bytes`);
    this.#extension = { type, body: Buffer.alloc(size), filled: 0 };
    this.#padding = paddingOf(size);
    if (size === 0) this.#closeExtension(this.#extension);
    else this.#stage = "extension";
  }

  #fillExtension(bytes: Buffer): number {
    const extension = this.#extension;
    if (extension === null) throw new Error("No extended header is open (this is a bug)");
    const taken = bytes.copy(extension.body, extension.filled);
    extension.filled += taken;
    if (extension.filled === extension.body.length) this.#closeExtension(extension);
    return taken;
  }

  #closeExtension({ type, body }: Extension): void {
    this.#extension = null;
    switch (type) {
      case "x":
        this.#pax = paxRecords(body, "own", this.#where);
        break;
      case "g":
        paxRecords(body, "global", this.#where);
        break;
      case "L":
        this.#longName = longText(body, this.#where);
        break;
      case "K":
        this.#longLink = longText(body, this.#where);
    }
    this.#pad();
  }

  #openEntry(header: TarHeader): void {
    const { pax, longName, longLink } = this.#takeExtensions(header);
    const written = meant("name", header.name, longName, pax.path);
    const path = entryPath(written, this.#limits.pathBytes);
    this.#where = path === "" ? written : path;
    this.#count(this.#where);
    const link = meant("link target", header.link, longLink, pax.linkpath);
    const size = this.#size(header, pax);
    this.#padding = paddingOf(size);
    const refused = REFUSED_TYPES.get(header.type);
    if (refused !== undefined) throw badForm(this.#where, refused);
    switch (header.type) {
      case "0":
      case "\0":
        this.#openFile(written, path, header.mode, size);
        return;
      case "2":
        this.#addLink(written, path, link, size);
        break;
      case "5":
        if (size !== 0) throw badForm(this.#where, "it is a directory with content");
        this.#register.add(path, "directory");
        this.#visitor.entry({ kind: "directory", path });
        break;
      default:
        throw badForm(this.#where, "it is of an unknown type");
    }
    this.#stage = "header";
  }

  #openFile(written: string, path: string, mode: number, size: number): void {
    if (path === "" || written.endsWith("/")) throw badForm(this.#where, "it is a file with the path of a directory");
    if ((mode & SET_ID_BITS) !== 0) throw badForm(this.#where, "it would run with the rights of its owner or group");
    this.#register.add(path, "leaf");
    this.#visitor.entry({ kind: "file", path, size, executable: (mode & EXECUTE_BITS) !== 0 });
    this.#left = size;
    this.#stage = "content";
    if (size === 0) this.#endFile();
  }

  #addLink(written: string, path: string, target: string, size: number): void {
    if (path === "" || written.endsWith("/")) throw badForm(this.#where, "it is a link with the path of a directory");
    if (target === "") throw badForm(this.#where, "it is a link to nowhere");
    if (Buffer.byteLength(target) > this.#limits.pathBytes) {
      throw tooLarge(this.#where, `a link's target is longer than ${this.#limits.pathBytes} bytes`);
    }
    if (size !== 0) throw badForm(this.#where, "it is a link with content");
    this.#register.add(path, "leaf");
    this.#visitor.entry({ kind: "link", path, target });
  }

  #content(bytes: Buffer): number {
    const part = bytes.length <= this.#left ? bytes : bytes.subarray(0, this.#left);
    this.#visitor.content(part);
    this.#left -= part.length;
    if (this.#left === 0) this.#endFile();
    return part.length;
  }

  #endFile(): void {
    this.#visitor.fileEnd();
    this.#pad();
  }

  #pad(): void {
    this.#left = this.#padding;
    this.#stage = this.#left === 0 ? "header" : "padding";
  }

  #skipPadding(bytes: Buffer): number {
    const part = bytes.subarray(0, this.#left);
    if (!isZero(part)) throw badForm(this.#where, "something other than zeros fills its last block");
    this.#left -= part.length;
    if (this.#left === 0) this.#stage = "header";
    return part.length;
  }

  #hasExtensions(): boolean {
    return this.#pax !== null || this.#longName !== null || this.#longLink !== null;
  }

  #takeExtensions({ type }: TarHeader): { pax: PaxRecords; longName: string | null; longLink: string | null } {
    const taken = { pax: this.#pax ?? {}, longName: this.#longName, longLink: this.#longLink };
    const linkName = taken.longLink ?? taken.pax.linkpath;
    if (linkName !== undefined && type !== "2" && type !== "1") {
      throw badForm(this.#where, "its extended header names a link's target");
    }
    this.#pax = null;
    this.#longName = null;
    this.#longLink = null;
    return taken;
  }

  #count(where: string): void {
    this.#entries += 1;
    if (this.#entries > this.#limits.entries) throw tooLarge(where, `it has more than ${this.#limits.entries} entries`);
  }

  #size(header: TarHeader, pax: PaxRecords): number {
    const size = pax.size ?? header.size;
    if (size > this.#limits.fileBytes)
      throw tooLarge(this.#where, `a file is larger than ${this.#limits.fileBytes} bytes`);
    // Whatever fits the limit fits the header: two sizes are one too many.
    if (size !== header.size) throw badForm(this.#where, "its PAX size is not the size in its header");
    return size;
  }
}

/**
 * The name that counts. An extension is for names that a header cannot hold; one that replaces a name which fits shows
 * programs that read it another tree than those that do not.
 */
function meant(called: string, plain: string, long: string | null, pax: string | undefined): string {
  if (long !== null && pax !== undefined) throw badForm(pax, `it has two extended headers for its ${called}`);
  const extended = long ?? pax;
  if (extended === undefined) return plain;
  const fits = /^[\x20-\x7e]*$/.test(extended) && extended.length <= PLAIN_NAME_BYTES;
  if (fits && bare(extended) !== bare(plain))
    throw badForm(extended, `its extended header replaces the ${called} ${plain}`);
  return extended;
}

function bare(name: string): string {
  return name.replace(/\/$/, "");
}

/** GNU long names end with one NUL. */
function longText(body: Buffer, where: string): string {
  const text = body.at(-1) === 0 ? body.subarray(0, -1) : body;
  if (text.length === 0) throw badForm(where, "its long name is empty");
  if (text.includes(0)) throw badForm(where, "its long name has a NUL in it");
  return utf8(text, where);
}

function paddingOf(size: number): number {
  return (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
}
