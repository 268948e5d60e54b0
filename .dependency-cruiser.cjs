/**
 * The walls: which folder may import which (docs/adr/0001-one-package-with-walls.md).
 * The table is the rule; a folder that is missing from it is an error (scripts/check-boundaries.mjs).
 */

/** Folders under src/ and the folders under src/ each may import. */
const mayImport = {
  core: ["core"],
  ledger: ["ledger"],
  gates: ["gates", "core"],
  evidence: ["evidence", "core", "ledger", "contract"],
  contract: ["contract"],
  ports: ["ports", "core", "ledger", "gates"],
  app: ["app", "ports", "core", "ledger", "gates", "evidence"],
  adapters: ["adapters", "ports", "core", "ledger", "gates"],
  http: ["http", "app", "contract", "ports", "core", "gates", "ledger"],
  worker: ["worker", "app", "ports", "core"],
  client: ["client", "contract"],
  cli: ["cli", "client", "contract", "ledger", "evidence", "main"],
  main: [
    "main",
    "http",
    "worker",
    "adapters",
    "app",
    "ports",
    "gates",
    "core",
    "ledger",
    "evidence",
    "contract",
    "client",
  ],
};

/** What the console in ui/ may import from src/. */
const consoleMayImport = ["client", "contract", "ledger", "evidence"];

/** Folders that may import only the named packages, and no module of Node itself. Folders not listed are free. */
const mayImportPackages = {
  core: [],
  ledger: ["@noble/[^/]+"],
  contract: ["zod"],
  gates: [],
  evidence: ["@noble/[^/]+"],
  ports: [],
  app: [],
  client: [],
};

/** Folders whose subfolders do not know each other. */
const islands = ["gates", "adapters"];

const outside = [
  "npm",
  "npm-dev",
  "npm-optional",
  "npm-peer",
  "npm-bundled",
  "npm-unknown",
  "npm-no-pkg",
  "core",
  "unknown",
];
const tests = "\\.test\\.tsx?$";
const folders = (names) => `^src/(${names.join("|")})/`;

const walls = Object.entries(mayImport).map(([from, to]) => ({
  name: `${from}-imports`,
  severity: "error",
  from: { path: `^src/${from}/`, pathNot: tests },
  to: { path: "^(src|ui)/", pathNot: folders(to) },
}));

const packages = Object.entries(mayImportPackages).map(([from, to]) => ({
  name: `${from}-packages`,
  severity: "error",
  from: { path: `^src/${from}/`, pathNot: tests },
  to: {
    dependencyTypes: outside,
    ...(to.length === 0 ? {} : { pathNot: `node_modules/(${to.join("|")})/` }),
  },
}));

const separate = islands.map((folder) => ({
  name: `${folder}-islands`,
  severity: "error",
  from: { path: `^src/${folder}/([^/]+)/`, pathNot: tests },
  to: { path: `^src/${folder}/[^/]+/`, pathNot: `^src/${folder}/$1/` },
}));

module.exports = {
  forbidden: [
    ...walls,
    ...packages,
    ...separate,
    {
      name: "ui-imports",
      severity: "error",
      from: { path: "^ui/", pathNot: tests },
      to: { path: "^src/", pathNot: folders(consoleMayImport) },
    },
    {
      name: "ports-are-types",
      comment: "A port is an interface: nothing of it is left at run time.",
      severity: "error",
      from: { path: "^src/ports/", pathNot: tests },
      to: { path: "^src/", dependencyTypesNot: ["type-only", "pre-compilation-only"] },
    },
    {
      name: "only-main-wires",
      comment: "src/main builds the whole; only the command line starts it.",
      severity: "error",
      from: { path: "^(src|ui)/", pathNot: ["^src/(main|cli)/", tests] },
      to: { path: "^src/main/" },
    },
    {
      name: "product-without-tests",
      severity: "error",
      from: { path: "^(src|ui)/", pathNot: tests },
      to: { path: ["^(test|bench|scripts)/", tests] },
    },
    {
      name: "product-without-dev-packages",
      severity: "error",
      from: { path: "^src/", pathNot: tests },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["npm", "type-only"] },
    },
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    { name: "no-unresolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.node.json" },
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(dist|coverage|data)/" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "default"],
      extensions: [".ts", ".tsx", ".js", ".mjs", ".json", ".css"],
    },
  },
};
