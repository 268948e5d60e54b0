import tseslint from "typescript-eslint";

/** What the compiler cannot see: the clock, chance and waiting, all of which the pure folders take as arguments. */
const impurities = [
  {
    selector: "MemberExpression[object.name='Date'][property.name='now']",
    message: "Time is an argument here: take `now`.",
  },
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0]",
    message: "Time is an argument here: take `now`.",
  },
  {
    selector: "CallExpression[callee.name='Date']",
    message: "Time is an argument here: take `now`.",
  },
  {
    selector: "MemberExpression[object.name='Math'][property.name='random']",
    message: "Randomness is an argument here.",
  },
  { selector: ":function[async=true]", message: "The pure folders are synchronous." },
  { selector: "AwaitExpression", message: "The pure folders are synchronous." },
];

const defaultExport = { selector: "ExportDefaultDeclaration", message: "Export by name." };

/** A suppression names one rule and says why: `// eslint-disable-next-line rule -- reason`. */
const explainedSuppression = {
  meta: {
    type: "suggestion",
    schema: [],
    messages: { explain: "A disable comment names exactly one rule and gives a reason after `--`." },
  },
  create(context) {
    return {
      Program() {
        for (const comment of context.sourceCode.getAllComments()) {
          const text = comment.value.trim();
          if (!/^eslint-disable(?!d)/.test(text)) continue;
          if (/^eslint-disable(-next-line|-line)?\s+[\w@/-]+\s+--\s+\S.{8,}/s.test(text)) continue;
          context.report({ loc: comment.loc, messageId: "explain" });
        }
      },
    };
  },
};

const ours = { plugins: { ours: { rules: { "explained-suppression": explainedSuppression } } } };

/** Rules about plain JavaScript that neither the compiler nor the typed rules cover. */
const plain = {
  "ours/explained-suppression": "error",
  eqeqeq: ["error", "always", { null: "ignore" }],
  "no-console": "error",
  "no-constant-binary-expression": "error",
  "no-constant-condition": ["error", { checkLoops: false }],
  "no-control-regex": "off",
  "no-debugger": "error",
  "no-duplicate-case": "error",
  "no-empty": "error",
  "no-fallthrough": "error",
  "no-param-reassign": "error",
  "no-promise-executor-return": "error",
  "no-prototype-builtins": "error",
  "no-self-compare": "error",
  "no-template-curly-in-string": "error",
  "no-unsafe-finally": "error",
  "no-useless-escape": "error",
  "no-var": "error",
  "object-shorthand": "error",
  "prefer-const": "error",
};

const size = {
  complexity: ["error", 12],
  "max-depth": ["error", 3],
  "max-lines": ["error", { max: 400, skipBlankLines: true, skipComments: true }],
  "max-lines-per-function": ["error", { max: 60, skipBlankLines: true, skipComments: true }],
  "max-params": ["error", 4],
};

const typed = {
  "@typescript-eslint/consistent-type-assertions": ["error", { assertionStyle: "never" }],
  "@typescript-eslint/consistent-type-imports": "error",
  "@typescript-eslint/explicit-module-boundary-types": "error",
  "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
  "@typescript-eslint/no-floating-promises": "error",
  "@typescript-eslint/no-misused-promises": "error",
  "@typescript-eslint/no-non-null-assertion": "error",
  "@typescript-eslint/no-unnecessary-condition": ["error", { allowConstantLoopConditions: "only-allowed-literals" }],
  "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
  "@typescript-eslint/switch-exhaustiveness-check": [
    "error",
    { considerDefaultExhaustiveForUnions: false, requireDefaultForNonUnion: true },
  ],
};

/** Names that Node and the web platform both have, for the scripts that no type checker reads. */
const scriptGlobals = Object.fromEntries(
  ["AbortController", "Buffer", "clearTimeout", "console", "fetch", "performance", "process", "setTimeout", "URL"].map(
    (name) => [name, "readonly"],
  ),
);

export default tseslint.config(
  { ignores: ["dist/", "node_modules/", "data/", "coverage/", ".cache/", "bench/out/", "test/e2e/out/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  ours,
  { rules: { ...plain, ...size } },
  {
    files: ["**/*.{ts,tsx}"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    rules: { ...typed, "no-restricted-syntax": ["error", defaultExport] },
  },
  {
    files: ["{src,test,bench,demo}/**/*.ts", "vitest.config.ts"],
    languageOptions: { parserOptions: { project: ["./tsconfig.check.json"], tsconfigRootDir: import.meta.dirname } },
  },
  {
    files: ["ui/src/**/*.{ts,tsx}"],
    languageOptions: { parserOptions: { project: ["./ui/tsconfig.json"], tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Markup is long without being complicated; complexity and depth still hold.
      "max-lines-per-function": ["error", { max: 120, skipBlankLines: true, skipComments: true }],
      // Bracket access says that a member comes from outside, as in the rest of the tree.
      "@typescript-eslint/dot-notation": ["error", { allowIndexSignaturePropertyAccess: true }],
      // The router's redirects are thrown by design.
      "@typescript-eslint/only-throw-error": [
        "error",
        { allow: [{ from: "package", name: ["Redirect", "NotFoundError"], package: "@tanstack/router-core" }] },
      ],
    },
  },
  {
    files: ["src/{core,ledger,gates,evidence}/**/*.ts"],
    ignores: ["**/*.test.ts"],
    rules: { "no-restricted-syntax": ["error", defaultExport, ...impurities] },
  },
  {
    // Code behind a port is asynchronous because the port says so.
    files: ["src/adapters/**/*.ts"],
    rules: { "@typescript-eslint/require-await": "off" },
  },
  {
    files: ["src/{main,cli}/**/*.ts", "{bench,demo}/**/*.ts", "scripts/**/*.mjs"],
    rules: { "no-console": "off" },
  },
  {
    files: ["**/*.test.{ts,tsx}", "test/**/*.ts"],
    rules: {
      "max-lines": ["error", { max: 800, skipBlankLines: true, skipComments: true }],
      // A describe block is one function to the rule.
      "max-lines-per-function": "off",
      "@typescript-eslint/explicit-module-boundary-types": "off",
      // Fakes of an asynchronous port.
      "@typescript-eslint/require-await": "off",
    },
  },
  {
    // Tools read these by their default export.
    files: ["*.config.{js,ts}", "ui/vite.config.ts", "test/support/postgres-cluster.ts"],
    rules: { "no-restricted-syntax": "off" },
  },
  {
    // Belongs to no TypeScript project: Vite reads it.
    files: ["ui/vite.config.ts"],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { "max-lines-per-function": "off" },
  },
  {
    files: ["**/*.{js,mjs,cjs}"],
    rules: { "no-undef": "error", "no-unused-vars": "error" },
    languageOptions: { globals: { ...scriptGlobals, module: "writable" } },
  },
  {
    files: ["ui/public/*.js"],
    languageOptions: { globals: { document: "readonly", localStorage: "readonly", window: "readonly" } },
  },
);
