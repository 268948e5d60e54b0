/**
 * Was something put there already? A path comes once, and nothing lies below a file (deploy R-MANIFEST-2): else the order of
 * the entries would decide what is there in the end.
 */
import { badForm, tooLarge } from "./archive-refused.ts";

/** `implied`: something lies below it, and its own entry may still come. */
type Place = "leaf" | "directory" | "implied";

/** Of all paths together: what 200,000 entries need with 335 bytes each. */
const PATH_BYTES_MAX = 64 * 1024 * 1024;

export class PathRegister {
  readonly #places = new Map<string, Place>();
  readonly #placesMax: number;
  #bytes = 0;

  /** Directories without an entry of their own count as well, so that deep paths cost no more memory than many entries. */
  constructor(entriesMax: number) {
    this.#placesMax = 2 * entriesMax;
  }

  add(path: string, kind: "leaf" | "directory"): void {
    const before = this.#places.get(path);
    if (before === "leaf" || before === "directory") throw badForm(path, "its path comes twice");
    if (before === "implied" && kind === "leaf") throw badForm(path, "other entries lie below this path");
    this.#addParents(path);
    this.#set(path, kind);
  }

  #addParents(path: string): void {
    for (let end = path.lastIndexOf("/"); end !== -1; end = path.lastIndexOf("/", end - 1)) {
      const parent = path.slice(0, end);
      const place = this.#places.get(parent);
      if (place === "leaf") throw badForm(path, "its path lies below a file");
      // Whoever is known has known parents.
      if (place !== undefined) return;
      this.#set(parent, "implied");
    }
  }

  #set(path: string, place: Place): void {
    if (!this.#places.has(path)) this.#bytes += path.length;
    this.#places.set(path, place);
    if (this.#places.size > this.#placesMax) throw tooLarge(path, "it has too many directories");
    if (this.#bytes > PATH_BYTES_MAX)
      throw tooLarge(path, `its paths together are longer than ${PATH_BYTES_MAX} bytes`);
  }
}
