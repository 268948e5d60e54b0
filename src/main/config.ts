/**
 * Where does each setting come from? The environment first, then the file, then the default (docs/guide/configuration.md).
 * Whatever cannot be understood stops the start with a sentence that names the setting and where it was found.
 */
import { existsSync, readFileSync } from "node:fs";
import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document, type YAMLMap } from "yaml";
import { z } from "zod";
import { configSchema, ENVIRONMENT_NAMES, type Config } from "./config-schema.ts";
import { contradictedByOriginal, refusedByName, saidByOriginal } from "./original-environment.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** A setting as `countersign config check` shows it. */
export interface Setting {
  readonly key: string;
  /** Masked when it is a secret that is set. */
  readonly value: unknown;
  readonly source: string;
}

export interface LoadedConfig {
  readonly config: Config;
  readonly settings: readonly Setting[];
}

/** The configuration cannot be used; each problem is a sentence that names setting and source. */
export class ConfigFault extends Error {
  override readonly name = "ConfigFault";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

const DEFAULT_FILE = "./config/default.yaml";
const MASK = "********";

type Tree = Record<string, unknown>;

/** What was said about each setting, and where. */
interface Said {
  readonly value: unknown;
  readonly source: string;
}

/** `flags` are settings given on the command line, by key; they come before everything else. */
export function loadConfig(environment: Environment, flags: Readonly<Record<string, unknown>> = {}): LoadedConfig {
  const problems: string[] = [];
  const said = new Map<string, Said>();
  readFile(environment, said, problems);
  readEnvironment(environment, said, problems);
  for (const [key, value] of Object.entries(flags)) {
    if (value !== undefined) said.set(key, { value, source: "the command line" });
  }
  const parsed = configSchema.safeParse(treeOf(said));
  if (!parsed.success) problems.push(...parsed.error.issues.map((issue) => sentence(issue, said)));
  else problems.push(...contradictedByOriginal(environment, parsed.data.countersign.public_url));
  if (!parsed.success || problems.length > 0) throw new ConfigFault([...new Set(problems)]);
  return { config: parsed.data, settings: leaves().map((leaf) => setting(leaf, parsed.data, said)) };
}

interface Leaf {
  readonly path: readonly string[];
  readonly schema: z.core.$ZodType;
  readonly isSecret: boolean;
}

function leaves(schema: z.core.$ZodType = configSchema, path: readonly string[] = []): readonly Leaf[] {
  if (!(schema instanceof z.ZodObject)) return [{ path, schema, isSecret: isSecret(schema) }];
  return Object.entries(schema.shape).flatMap(([name, part]) =>
    part instanceof z.ZodType ? leaves(part, [...path, name]) : [],
  );
}

function isSecret(schema: z.core.$ZodType): boolean {
  if (schema instanceof z.ZodDefault) return isSecret(schema.unwrap());
  return schema instanceof z.ZodType && schema.meta()?.["secret"] === true;
}

const leafOf: ReadonlyMap<string, Leaf> = new Map(leaves().map((leaf) => [leaf.path.join("."), leaf]));

function readEnvironment(environment: Environment, said: Map<string, Said>, problems: string[]): void {
  const database = databaseUrlOfParts(environment);
  if (database !== null) said.set("countersign.database_url", { value: database, source: "DB_HOST" });
  for (const { key, value, source } of saidByOriginal(environment)) said.set(key, { value, source });
  problems.push(...refusedByName(environment));
  for (const [key, leaf] of leafOf) {
    const name = environmentNames(key).find((candidate) => (environment[candidate] ?? "") !== "");
    const text = name === undefined ? undefined : environment[name];
    if (name !== undefined && text !== undefined) said.set(key, { value: valueOf(text, leaf), source: name });
  }
  for (const [name, text] of Object.entries(environment)) {
    if (text !== undefined && text !== "" && isUnknown(name)) {
      problems.push(
        `${name} in the environment is no setting of Countersign: remove it, or see docs/guide/configuration.md.`,
      );
    }
  }
}

/** In the order in which they are believed. */
function environmentNames(key: string): readonly string[] {
  const [section = "", ...rest] = key.split(".");
  const own =
    section === "awe" ? ["AWE", ...rest].join("__").toUpperCase() : `COUNTERSIGN_${rest.join("_").toUpperCase()}`;
  return [own, ...(ENVIRONMENT_NAMES[key] ?? [])];
}

const KNOWN_NAMES: ReadonlySet<string> = new Set([...leafOf.keys()].flatMap(environmentNames));

/** Tests have settings of their own, which the program ignores. */
function isUnknown(name: string): boolean {
  const isOurs = name.startsWith("AWE__") || name.startsWith("COUNTERSIGN_");
  return isOurs && !name.startsWith("COUNTERSIGN_TEST_") && !KNOWN_NAMES.has(name) && !KEYS.has(name);
}

/** Keys are no settings: they are read where they are used, and shown nowhere (identity R-SEAL-2). */
const KEYS: ReadonlySet<string> = new Set([
  "COUNTERSIGN_SEALING_KEYS",
  "COUNTERSIGN_SEALING_KEYS_FILE",
  "COUNTERSIGN_SEALING_KEYS_COMMAND",
  "COUNTERSIGN_SERVER_KEY",
]);

/** Text where the setting is text, else JSON: lists, maps, numbers and flags are written as JSON. */
function valueOf(text: string, { schema }: Leaf): unknown {
  if (z.safeParse(schema, text).success) return text;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "string" ? text : value;
  } catch {
    return text;
  }
}

function databaseUrlOfParts(environment: Environment): string | null {
  const host = environment["DB_HOST"] ?? "";
  if (host === "") return null;
  const part = (name: string, otherwise: string): string => {
    const value = environment[name] ?? "";
    return encodeURIComponent(value === "" ? otherwise : value);
  };
  const password = environment["DB_PASSWORD"] ?? "";
  const user = part("DB_USER", "postgres") + (password === "" ? "" : `:${encodeURIComponent(password)}`);
  return `postgres://${user}@${host}:${part("DB_PORT", "5432")}/${part("DB_NAME", "countersign")}`;
}

function readFile(environment: Environment, said: Map<string, Said>, problems: string[]): void {
  const chosen = environment["CONFIG_PATH"] ?? "";
  const path = chosen === "" ? DEFAULT_FILE : chosen;
  if (!existsSync(path)) {
    if (chosen !== "") problems.push(`CONFIG_PATH names ${path}, which does not exist.`);
    return;
  }
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(path, "utf8"), { lineCounter: lines, uniqueKeys: true });
  const [error] = document.errors;
  if (error !== undefined) {
    problems.push(`${path} is not YAML: ${error.message.split("\n")[0] ?? "it cannot be read"}`);
    return;
  }
  if (document.contents === null) return;
  if (!isMap(document.contents)) {
    problems.push(`${path} must hold a map with the sections awe and countersign.`);
    return;
  }
  const place = (offset: number): string => `${path} line ${String(lines.linePos(offset).line)}`;
  collect(document.contents, [], { document, said, place });
}

interface Collecting {
  readonly document: Document;
  readonly said: Map<string, Said>;
  readonly place: (offset: number) => string;
}

/** What the file says of each setting; of what is no setting too, so that it is refused by name. */
function collect(map: YAMLMap, path: readonly string[], collecting: Collecting): void {
  for (const { key, value } of map.items) {
    const name = isScalar(key) ? String(key.value) : String(key);
    const here = [...path, name];
    const source = collecting.place(isScalar(key) ? (key.range?.[0] ?? 0) : 0);
    if (isMap(value) && isSection(here)) collect(value, here, collecting);
    else if (!isSection(here) || !isScalar(value) || value.value !== null) {
      collecting.said.set(here.join("."), { value: isNode(value) ? value.toJS(collecting.document) : value, source });
    }
  }
}

function isSection(path: readonly string[]): boolean {
  return [...leafOf.keys()].some((key) => key.startsWith(`${path.join(".")}.`));
}

/** Every section is there, so that the defaults inside it apply. */
function treeOf(said: ReadonlyMap<string, Said>): Tree {
  const tree: Tree = {};
  for (const { path } of leafOf.values()) sectionAt(tree, path.slice(0, -1));
  for (const [key, { value }] of said) {
    const path = key.split(".");
    sectionAt(tree, path.slice(0, -1))[path.at(-1) ?? key] = value;
  }
  return tree;
}

function sectionAt(tree: Tree, path: readonly string[]): Tree {
  let section = tree;
  for (const name of path) {
    const known = section[name];
    const next: Tree = isTree(known) ? known : {};
    section[name] = next;
    section = next;
  }
  return section;
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function sentence(issue: z.core.$ZodIssue, said: ReadonlyMap<string, Said>): string {
  const path = issue.path.map(String);
  const key = [...leafOf.keys()].find((candidate) => isPrefix(candidate.split("."), path)) ?? path.join(".");
  if (issue.code === "unrecognized_keys") {
    const [unknown = ""] = issue.keys;
    const name = [...path, unknown].join(".");
    return `${name} (${sourceOf(name, said)}) is no setting of Countersign: check its spelling in docs/guide/configuration.md.`;
  }
  const message = issue.message.replace(/^Invalid input: |^Invalid option: /, "").replace(/^Too (small|big): /, "");
  return `${key} (${sourceOf(key, said)}) cannot be used: ${message}.`;
}

function isPrefix(prefix: readonly string[], path: readonly string[]): boolean {
  return prefix.every((part, index) => path[index] === part);
}

function sourceOf(key: string, said: ReadonlyMap<string, Said>): string {
  const exact = said.get(key) ?? [...said].find(([other]) => other.startsWith(`${key}.`))?.[1];
  return exact?.source ?? "default";
}

function setting(leaf: Leaf, config: Config, said: ReadonlyMap<string, Said>): Setting {
  const key = leaf.path.join(".");
  let value: unknown = config;
  for (const name of leaf.path) value = isTree(value) ? value[name] : undefined;
  return { key, value: leaf.isSecret && value !== "" ? MASK : value, source: sourceOf(key, said) };
}
