/**
 * Checks the walls of docs/adr/0001-one-package-with-walls.md, and then the checker: a tool that sees nothing reports
 * nothing, so every rule must also catch a violation planted for it in a temporary copy of the tree.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { ESLint } from "eslint";
import tseslint from "typescript-eslint";

const root = dirname(import.meta.dirname);

/** Names that say nothing about what is inside. */
const BANNED_NAMES =
  /^(utils?|helpers?|common|misc|shared|manager|base|impl|types|index)\.tsx?$|[-.](utils?|helpers?|impl)\.tsx?$/;

/** Every folder gets this module, so that a planted import has something to reach. */
const TARGET =
  "export interface Planted {\n  readonly planted: true;\n}\nexport const planted: Planted = { planted: true };\n";

/** Planted violations: [rule that must catch it, file, what it imports]. A leading `type ` makes the import type-only. */
const plantedImports = [
  ["core-imports", "src/core/planted-a.ts", "../ledger/planted-target.ts"],
  ["core-imports", "src/core/planted-b.ts", "type ../ports/planted-target.ts"],
  ["core-imports", "src/core/planted-c.ts", "type ../gates/planted/planted-target.ts"],
  ["core-packages", "src/core/planted-d.ts", "zod"],
  ["core-packages", "src/core/planted-e.ts", "node:fs"],
  ["core-packages", "src/core/planted-f.ts", "type pg"],
  ["ledger-imports", "src/ledger/planted-a.ts", "../core/planted-target.ts"],
  ["ledger-imports", "src/ledger/planted-b.ts", "type ../contract/planted-target.ts"],
  ["ledger-packages", "src/ledger/planted-c.ts", "node:crypto"],
  ["ledger-packages", "src/ledger/planted-d.ts", "zod"],
  ["gates-imports", "src/gates/planted/planted-a.ts", "../../ledger/planted-target.ts"],
  ["gates-imports", "src/gates/planted/planted-b.ts", "type ../../adapters/planted/planted-target.ts"],
  ["gates-islands", "src/gates/planted/planted-c.ts", "../other/planted-target.ts"],
  ["gates-islands", "src/gates/planted/planted-d.ts", "type ../other/planted-target.ts"],
  ["gates-packages", "src/gates/planted/planted-e.ts", "json-logic-engine"],
  ["evidence-imports", "src/evidence/planted-a.ts", "type ../app/planted-target.ts"],
  ["evidence-packages", "src/evidence/planted-b.ts", "node:crypto"],
  ["contract-imports", "src/contract/planted-a.ts", "type ../core/planted-target.ts"],
  ["contract-packages", "src/contract/planted-b.ts", "fastify"],
  ["ports-imports", "src/ports/planted-a.ts", "type ../app/planted-target.ts"],
  ["ports-packages", "src/ports/planted-b.ts", "type pg"],
  ["ports-are-types", "src/ports/planted-c.ts", "../core/planted-target.ts"],
  ["app-imports", "src/app/planted-a.ts", "../adapters/planted/planted-target.ts"],
  ["app-imports", "src/app/planted-b.ts", "type ../contract/planted-target.ts"],
  ["app-imports", "src/app/planted-c.ts", "type ../http/planted-target.ts"],
  ["app-packages", "src/app/planted-d.ts", "pg"],
  ["app-packages", "src/app/planted-e.ts", "node:timers"],
  ["adapters-imports", "src/adapters/planted/planted-a.ts", "../../app/planted-target.ts"],
  ["adapters-imports", "src/adapters/planted/planted-b.ts", "type ../../http/planted-target.ts"],
  ["adapters-islands", "src/adapters/planted/planted-c.ts", "../other/planted-target.ts"],
  ["http-imports", "src/http/planted-a.ts", "../adapters/planted/planted-target.ts"],
  ["http-imports", "src/http/planted-b.ts", "type ../worker/planted-target.ts"],
  ["worker-imports", "src/worker/planted-a.ts", "type ../http/planted-target.ts"],
  ["worker-imports", "src/worker/planted-b.ts", "../adapters/planted/planted-target.ts"],
  ["client-imports", "src/client/planted-a.ts", "../app/planted-target.ts"],
  ["client-packages", "src/client/planted-b.ts", "node:http"],
  ["cli-imports", "src/cli/planted-a.ts", "../app/planted-target.ts"],
  ["cli-imports", "src/cli/planted-b.ts", "type ../adapters/planted/planted-target.ts"],
  ["main-imports", "src/main/planted-a.ts", "../cli/planted-target.ts"],
  ["main-imports", "src/main/planted-b.ts", "../../ui/planted-target.ts"],
  ["only-main-wires", "src/http/planted-c.ts", "type ../main/planted-target.ts"],
  ["ui-imports", "ui/planted-a.ts", "../src/core/planted-target.ts"],
  ["ui-imports", "ui/planted-b.ts", "type ../src/app/planted-target.ts"],
  ["product-without-tests", "src/http/planted-d.ts", "../../test/planted-target.ts"],
  ["product-without-dev-packages", "src/main/planted-c.ts", "vitest"],
  ["no-circular", "src/core/planted-g.ts", "type ./planted-h.ts"],
  ["no-unresolvable", "src/http/planted-e.ts", "./planted-nowhere.ts"],
];

/** The pure folders compile without Node and browser types: each of these must be a compile error. */
const plantedTypes = [
  ["src/core/planted-node.ts", "export const planted: unknown = process.env;\n"],
  ["src/ledger/planted-node.ts", "export const planted: unknown = Buffer.from([]);\n"],
  ["src/gates/planted/planted-node.ts", 'export const planted: unknown = fetch("https://planted.example");\n'],
  ["src/contract/planted-node.ts", "export const planted: unknown = setTimeout(() => undefined, 1);\n"],
  [
    "src/evidence/planted-node.ts",
    'import { readFileSync } from "node:fs";\nexport const planted: unknown = readFileSync;\n',
  ],
  ["src/core/planted-console.ts", 'console.log("planted");\nexport const planted = true;\n'],
  ["src/core/planted-document.ts", "export const planted: unknown = document;\n"],
];

/** What types cannot show: the clock, chance and waiting. Each must be a lint error in each of the three folders. */
const plantedSyntax = [
  "export const planted: number = Date.now();\n",
  "export const planted: Date = new Date();\n",
  "export const planted: number = Math.random();\n",
  "export async function planted(): Promise<void> {}\n",
];
const timelessFolders = ["src/core", "src/ledger", "src/gates/generic"];

const tree = cruise(root);
const copy = mkdtempSync(join(tmpdir(), "countersign-walls-"));
const failures = [
  ...tree.violations.map((violation) => `${violation.rule}: ${violation.from} -> ${violation.to}`),
  ...unseenFiles(),
  ...wrongNames(),
  ...rulesWithoutPlant(),
];
try {
  copyTree();
  failures.push(...missedImports(), ...missedTypes(), ...(await missedSyntax()));
} finally {
  rmSync(copy, { recursive: true, force: true });
}

const plants = plantedImports.length + plantedTypes.length + plantedSyntax.length * timelessFolders.length;
for (const failure of failures) console.error(`  ${failure}`);
if (failures.length === 0)
  console.log(`${tree.modules.size} modules inside the walls, ${plants} planted violations caught`);
process.exitCode = failures.length === 0 ? 0 : 1;

/** Runs dependency-cruiser in a folder and returns what it saw and what it found. */
function cruise(folder) {
  const program = join(root, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs");
  const arguments_ = [program, "--config", ".dependency-cruiser.cjs", "--output-type", "json", "src", "ui"];
  const run = spawnSync(process.execPath, arguments_, { cwd: folder, encoding: "utf8", maxBuffer: 1 << 28 });
  if (run.stdout === "") throw new Error(`dependency-cruiser said nothing: ${run.stderr}`);
  const { modules, summary } = JSON.parse(run.stdout);
  return {
    modules: new Set(modules.map(({ source }) => source)),
    violations: summary.violations.map(({ from, to, rule }) => ({ from, to, rule: rule.name })),
  };
}

function ruleNames() {
  return createRequire(import.meta.url)("../.dependency-cruiser.cjs").forbidden.map((rule) => rule.name);
}

/** A tool that lost sight of a file finds nothing wrong with it. */
function unseenFiles() {
  const files = ["src", "ui"].flatMap(filesUnder).filter((file) => /\.tsx?$/.test(file) && !/\.d\.ts$/.test(file));
  return files.filter((file) => !tree.modules.has(file)).map((file) => `${file}: not seen by dependency-cruiser`);
}

/** Files of the product stand in a folder of the table and have a name that says what they are. */
function wrongNames() {
  const files = filesUnder("src");
  const folders = new Set(ruleNames().flatMap((name) => (name.endsWith("-imports") ? [name.slice(0, -8)] : [])));
  return [
    ...files.filter((file) => !folders.has(file.split("/")[1])).map((file) => `${file}: not in a folder with walls`),
    ...files.filter((file) => BANNED_NAMES.test(basename(file))).map((file) => `${file}: a name that says nothing`),
  ];
}

function filesUnder(folder) {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

function rulesWithoutPlant() {
  const covered = new Set(plantedImports.map(([rule]) => rule));
  return ruleNames().flatMap((rule) => (covered.has(rule) ? [] : [`${rule}: no planted violation proves this rule`]));
}

function copyTree() {
  for (const part of [
    "src",
    "ui",
    "package.json",
    ".dependency-cruiser.cjs",
    ...readdirSync(root).filter(isTsconfig),
  ]) {
    cpSync(join(root, part), join(copy, part), {
      recursive: true,
      filter: (path) => basename(path) !== "node_modules",
    });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"), "dir");
  const folders = new Set(
    [...plantedImports, ...plantedTypes.map(([file]) => ["", file])].map(([, file]) => dirname(file)),
  );
  for (const folder of [...folders, "src/gates/other", "src/adapters/other", "test"]) {
    plant(`${folder}/planted-target.ts`, TARGET);
  }
  plant("src/core/planted-h.ts", 'export type { Seen } from "./planted-g.ts";\n');
}

function isTsconfig(name) {
  return /^tsconfig.*\.json$/.test(name);
}

function plant(file, text) {
  mkdirSync(dirname(join(copy, file)), { recursive: true });
  writeFileSync(join(copy, file), text);
}

function missedImports() {
  for (const [, file, what] of plantedImports) {
    const typeOnly = what.startsWith("type ");
    const source = typeOnly ? what.slice(5) : what;
    plant(
      file,
      `import ${typeOnly ? "type " : ""}* as planted from "${source}";\nexport type Seen = typeof planted;\n`,
    );
  }
  const caught = new Set(cruise(copy).violations.map(({ rule, from }) => `${rule} ${from}`));
  return plantedImports.flatMap(([rule, file, what]) =>
    caught.has(`${rule} ${file}`) ? [] : [`${rule}: the planted import of "${what}" in ${file} was not caught`],
  );
}

function missedTypes() {
  for (const [, file] of plantedImports) rmSync(join(copy, file));
  for (const [file, text] of plantedTypes) plant(file, text);
  const program = join(root, "node_modules/typescript/bin/tsc");
  const arguments_ = [
    program,
    "--noEmit",
    "--incremental",
    "false",
    "--composite",
    "false",
    "-p",
    "tsconfig.pure.json",
  ];
  const run = spawnSync(process.execPath, [...arguments_, "--pretty", "false"], { cwd: copy, encoding: "utf8" });
  return plantedTypes.flatMap(([file]) =>
    run.stdout.includes(`${file}(`) ? [] : [`${file}: the compiler let Node or browser types into a pure folder`],
  );
}

/** Lints each planted text as if it were a file of the folder; the syntax rules need no types. */
async function missedSyntax() {
  const withoutTypes = [
    tseslint.configs.disableTypeChecked,
    { languageOptions: { parserOptions: { project: null, projectService: false } } },
  ];
  const eslint = new ESLint({ cwd: root, overrideConfig: withoutTypes });
  const missed = [];
  for (const folder of timelessFolders) {
    for (const text of plantedSyntax) {
      const [result] = await eslint.lintText(text, { filePath: `${folder}/planted-syntax.ts` });
      if (result.messages.some(({ ruleId }) => ruleId === "no-restricted-syntax")) continue;
      missed.push(`${folder}: the linter let "${text.trim()}" into a pure folder`);
    }
  }
  return missed;
}
