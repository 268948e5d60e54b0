/**
 * What does a manifest say? YAML with one meaning: one document, no tags, no duplicate keys, aliases and merges resolved, and
 * little enough that nobody can make the server work for it (deploy R-MANIFEST-4).
 */
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type Pair,
  parseDocument,
  type Scalar,
} from "yaml";
import type { YAMLMap } from "yaml";
import type { JsonValue } from "../../core/json.ts";

/** The parser takes its time for what makes no sense; this many pieces keep it below half a second. */
const PIECES_MAX = 50_000;
const NODES_MAX = 100_000;
const EXPANSIONS_MAX = 100;
const DEPTH_MAX = 50;

const CORE_TAGS: ReadonlySet<string> = new Set(
  ["str", "int", "float", "bool", "null", "map", "seq"].map((name) => `tag:yaml.org,2002:${name}`),
);

export function readYaml(text: string): { readonly value: JsonValue } | { readonly why: string } {
  try {
    return { value: read(text) };
  } catch (error) {
    if (error instanceof Unreadable) return { why: error.message };
    throw error;
  }
}

/** Its message is for whoever wrote the manifest. */
class Unreadable extends Error {
  override readonly name = "Unreadable";
}

function read(text: string): JsonValue {
  if (text.includes("\ufffd")) throw new Unreadable("it is not valid UTF-8");
  countPieces(text);
  const document = parseDocument(text, {
    version: "1.2",
    schema: "core",
    strict: true,
    // Keys are compared and merged below: the library compares each with each.
    uniqueKeys: false,
    merge: false,
    resolveKnownTags: false,
    prettyErrors: false,
    logLevel: "error",
  });
  const [error] = document.errors;
  if (error !== undefined) {
    const several = error.code === "MULTIPLE_DOCS";
    throw new Unreadable(several ? "it has more than one document" : `it is not YAML: ${firstLine(error.message)}`);
  }
  if (hasDirectives(document)) throw new Unreadable("it has YAML directives");
  const [warning] = document.warnings;
  if (warning !== undefined) throw new Unreadable(`it is not plain YAML: ${firstLine(warning.message)}`);
  return new Reading(document).node(document.contents, 1);
}

function countPieces(text: string): void {
  const pieces = new Lexer().lex(text);
  for (let count = 0; pieces.next().done !== true; count += 1) {
    if (count === PIECES_MAX) throw new Unreadable(`it has more than ${PIECES_MAX} pieces`);
  }
}

/** `%YAML 1.1` would change what plain words mean. */
function hasDirectives({ directives }: Document): boolean {
  if (directives === undefined) return false;
  return directives.yaml.explicit === true || Object.keys(directives.tags).length > 1;
}

class Reading {
  readonly #document: Document;
  #expansions = 0;
  #nodes = 0;

  constructor(document: Document) {
    this.#document = document;
  }

  node(node: unknown, depth: number): JsonValue {
    this.#nodes += 1;
    if (this.#nodes > NODES_MAX) throw new Unreadable(`it has more than ${NODES_MAX} values`);
    if (depth > DEPTH_MAX) throw new Unreadable(`it is nested more than ${DEPTH_MAX} deep`);
    if (node === null || node === undefined) return null;
    if (isAlias(node)) return this.node(this.#anchored(node), depth);
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) throw new Unreadable("it has a value of an unknown kind");
    checkTag(node.tag);
    if (isScalar(node)) return scalar(node);
    if (isSeq(node)) return node.items.map((item) => this.node(item, depth + 1));
    return Object.fromEntries(this.#members(node, depth));
  }

  #anchored(alias: Alias): unknown {
    this.#expansions += 1;
    if (this.#expansions > EXPANSIONS_MAX) throw new Unreadable(`it has more than ${EXPANSIONS_MAX} alias expansions`);
    const source = alias.resolve(this.#document);
    if (source === undefined) throw new Unreadable(`the anchor ${alias.source} is unknown`);
    return source;
  }

  /** Explicit keys win over merged ones, and earlier merged ones over later. */
  #members(map: YAMLMap, depth: number): Map<string, JsonValue> {
    const members = new Map<string, JsonValue>();
    let merges: Pair | null = null;
    for (const pair of map.items) {
      if (isMerge(pair)) {
        if (merges !== null) throw new Unreadable("the key << comes twice");
        merges = pair;
        continue;
      }
      const key = keyOf(pair);
      if (members.has(key)) throw new Unreadable(`the key ${key} comes twice`);
      members.set(key, this.node(pair.value, depth + 1));
    }
    for (const source of merges === null ? [] : this.#mergeSources(merges.value)) {
      for (const [key, value] of this.#members(source, depth + 1)) if (!members.has(key)) members.set(key, value);
    }
    return members;
  }

  #mergeSources(node: unknown): readonly YAMLMap[] {
    const value = isAlias(node) ? this.#anchored(node) : node;
    const sources = isSeq(value) ? value.items.map((item) => (isAlias(item) ? this.#anchored(item) : item)) : [value];
    return sources.map((source) => {
      if (!isMap(source)) throw new Unreadable("the key << merges something that is not a map");
      return source;
    });
  }
}

function checkTag(tag: string | undefined): void {
  if (tag !== undefined && !CORE_TAGS.has(tag)) throw new Unreadable(`the tag ${tag} is not allowed`);
}

/** Only the plain word is a merge; a quoted one is a key like others. */
function isMerge({ key }: Pair): boolean {
  return isScalar(key) && key.type === "PLAIN" && key.value === "<<" && key.tag === undefined;
}

function keyOf({ key }: Pair): string {
  if (!isScalar(key)) throw new Unreadable("it has a key that is not text");
  checkTag(key.tag);
  if (typeof key.value === "string") return key.value;
  if (key.value === null || key.source === undefined) throw new Unreadable("it has a key that is empty");
  return key.source;
}

/**
 * Numbers that would be written otherwise stay the text that they are: programs do not agree on what `0755` or `1.10` is, and
 * two manifests that differ there are not the same.
 */
function scalar({ value, source }: Scalar): JsonValue {
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value !== "number") return null;
  return String(value) === source || source === undefined ? value : source;
}

function firstLine(message: string): string {
  return message.split("\n", 1).join("");
}
