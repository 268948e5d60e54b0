/** Which organizations are there, and may their credentials be used? Kept for a second at most (docs/spec/identity.md R-ORG-6). */
import type { OrganizationRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Reader } from "../ports/reader.ts";

const KEPT_MS = 1_000;
const KEPT_MAX = 10_000;

export class OrganizationDirectory {
  readonly #reader: Pick<Reader, "records">;
  readonly #clock: () => number;
  readonly #known = new Map<string, { readonly at: number; readonly record: OrganizationRecord | undefined }>();

  constructor(reader: Pick<Reader, "records">, clock: () => number) {
    this.#reader = reader;
    this.#clock = clock;
  }

  /** By id, or by the short name that its people use. */
  async find(name: string): Promise<OrganizationRecord | undefined> {
    const now = this.#clock();
    const known = this.#known.get(name);
    if (known !== undefined && now - known.at < KEPT_MS && now >= known.at) return known.record;
    const by = UUID.test(name) ? "id" : "slug";
    const [record] = await this.#reader.records(recordsBy("organization", by, [name]));
    if (this.#known.size >= KEPT_MAX) this.#known.clear();
    this.#known.set(name, { at: now, record });
    return record;
  }

  /** What was kept may be out of date: somebody changed something. */
  forget(): void {
    this.#known.clear();
  }
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
