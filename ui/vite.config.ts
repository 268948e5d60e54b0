import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vite";

const outDir = join(import.meta.dirname, "../dist/ui");

/** R-FAST-1, bytes as transferred: text compressed, fonts as they are (woff2 is compressed already). */
const budgets = { firstRoute: 250_000, laterRoute: 80_000 };

interface Chunk {
  readonly type: "chunk" | "asset";
  readonly isEntry?: boolean;
  readonly imports?: readonly string[];
  readonly dynamicImports?: readonly string[];
  /** The style sheets that come with the chunk, as Vite notes them. */
  readonly viteMetadata?: { readonly importedCss: ReadonlySet<string> };
}

function transferred(file: string): number {
  const bytes = readFileSync(join(outDir, file));
  return file.endsWith(".woff2") ? bytes.length : gzipSync(bytes).length;
}

function closure(start: readonly string[], chunks: ReadonlyMap<string, Chunk>): Set<string> {
  const seen = new Set<string>();
  const queue = [...start];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    queue.push(...(chunks.get(file)?.imports ?? []));
  }
  return seen;
}

/** What the chunks transfer with their style sheets; each counts once. */
function withStyles(files: Iterable<string>, chunks: ReadonlyMap<string, Chunk>): Set<string> {
  const all = new Set(files);
  for (const file of [...all]) for (const sheet of chunks.get(file)?.viteMetadata?.importedCss ?? []) all.add(sheet);
  return all;
}

/** The build fails when a route outgrows its budget. All fonts count towards the first route. */
function routeBudgets(): Plugin {
  return {
    name: "route-budgets",
    apply: "build",
    writeBundle(_options, bundle) {
      const chunks = new Map<string, Chunk>(Object.entries(bundle));
      const entries = [...chunks].filter(([, chunk]) => chunk.isEntry === true).map(([file]) => file);
      const first = withStyles(closure(entries, chunks), chunks);
      const routes = entries.flatMap((file) => chunks.get(file)?.dynamicImports ?? []);
      const assets = readdirSync(join(outDir, "assets")).map((name) => `assets/${name}`);
      const still = assets.filter((file) => file.endsWith(".woff2")).reduce((sum, file) => sum + transferred(file), 0);
      const shell = still + [...first].reduce((sum, file) => sum + transferred(file), 0);
      let widest = 0;
      for (const route of routes) {
        const added = [...withStyles(closure([route], chunks), chunks)].filter((file) => !first.has(file));
        const bytes = added.reduce((sum, file) => sum + transferred(file), 0);
        if (bytes > budgets.laterRoute)
          this.error(`${route} transfers ${String(bytes)} bytes, over ${String(budgets.laterRoute)}`);
        widest = Math.max(widest, bytes);
      }
      const firstRoute = shell + widest;
      if (firstRoute > budgets.firstRoute) {
        this.error(`the first route transfers ${String(firstRoute)} bytes, over ${String(budgets.firstRoute)}`);
      }
      this.info(
        `first route at most ${String(firstRoute)} bytes transferred, any later route at most ${String(widest)}`,
      );
    },
  };
}

export default defineConfig({
  root: import.meta.dirname,
  base: "/app/",
  plugins: [react(), routeBudgets()],
  build: {
    outDir,
    emptyOutDir: true,
    target: ["chrome123", "firefox121", "safari17.5"],
    // Nothing is inlined: the content security policy allows this origin only, no data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  // Development of the console against a running server: npx vite ui
  server: { proxy: { "/v1": process.env["COUNTERSIGN_SERVER"] ?? "http://127.0.0.1:8000" } },
  css: { modules: { localsConvention: "camelCaseOnly" } },
});
