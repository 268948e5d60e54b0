/** Keeps the text of manifests while their archive streams by (deploy R-MANIFEST-1, R-MANIFEST-3). */
import type { ArchiveLimits } from "../../gates/deploy/archive-limits.ts";
import type { CapturedManifest } from "../../gates/deploy/deploy-records.ts";
import type { ArchiveOptions } from "../../ports/archive-reader.ts";
import { tooLarge } from "./archive-refused.ts";

const TOP_LEVEL_YAML = /^([^/]+\/)?[^/]+\.ya?ml$/;
const TOP_LEVEL_YAML_MAX = 64;

export class ManifestCapture {
  readonly #named: ReadonlySet<string>;
  readonly #topLevelYaml: boolean;
  readonly #limits: ArchiveLimits;
  readonly #manifests: CapturedManifest[] = [];
  #unnamed = 0;
  #bytes = 0;
  #open: { readonly path: string; readonly parts: Buffer[] } | null = null;

  constructor({ paths, topLevelYaml }: ArchiveOptions["captures"], limits: ArchiveLimits) {
    this.#named = new Set(paths.map((path) => path.replace(/^(\.\/)+/, "")));
    this.#topLevelYaml = topLevelYaml;
    this.#limits = limits;
  }

  open(path: string, size: number): void {
    if (!this.#isWanted(path, size)) return;
    this.#bytes += size;
    this.#open = { path, parts: [] };
  }

  add(chunk: Buffer): void {
    // The chunk's memory is used again.
    this.#open?.parts.push(Buffer.from(chunk));
  }

  close(): void {
    if (this.#open === null) return;
    const { path, parts } = this.#open;
    this.#open = null;
    this.#manifests.push({ path, text: decoder.decode(Buffer.concat(parts)) });
  }

  manifests(): readonly CapturedManifest[] {
    return this.#manifests;
  }

  #isWanted(path: string, size: number): boolean {
    const { manifestBytes, manifestsBytes } = this.#limits;
    const fits = size <= manifestBytes && this.#bytes + size <= manifestsBytes;
    if (this.#named.has(path)) {
      if (size > manifestBytes) throw tooLarge(path, `a manifest is larger than ${manifestBytes} bytes`);
      if (!fits) throw tooLarge(path, `its manifests together are larger than ${manifestsBytes} bytes`);
      return true;
    }
    // Any YAML may lie there, lock files too: what does not fit is not captured, and is no fault.
    if (!this.#topLevelYaml || !fits || this.#unnamed >= TOP_LEVEL_YAML_MAX || !TOP_LEVEL_YAML.test(path)) return false;
    this.#unnamed += 1;
    return true;
  }
}

/** A byte order mark stays: the text is compared with what the rack builds (deploy R-BIND-10). */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
