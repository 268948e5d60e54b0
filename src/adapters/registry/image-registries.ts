/** The registries of the server's configuration: each image is asked of its own, all of one question within 10 s (docs/spec/deploy.md R-IMAGE-8). */
import type { ImageReference } from "../../gates/deploy/image-reference.ts";
import type { DigestAnswer, ImageRegistries } from "../../ports/image-registries.ts";
import { taggedDigest, type RegistryFetch, type RegistrySettings } from "./registry-client.ts";

const TIMEOUT_MS = 10_000;
const AT_ONCE = 8;
/** Of one question; a manifest with more of them is told so. */
const REFERENCES_MAX = 100;

export interface ImageRegistriesOptions {
  readonly registries: readonly RegistrySettings[];
  readonly fetch: RegistryFetch;
  /** 10 s; shorter in tests of what happens then. */
  readonly timeoutMs?: number;
}

export function createImageRegistries({ registries, fetch, timeoutMs }: ImageRegistriesOptions): ImageRegistries {
  const byName = new Map(registries.map((registry) => [registry.name, registry]));
  return {
    async digests(references) {
      const over = new AbortController();
      const timer = setTimeout(() => {
        over.abort();
      }, timeoutMs ?? TIMEOUT_MS);
      const waiting = [...references.slice(0, REFERENCES_MAX).entries()];
      const answers: DigestAnswer[] = references.map(() => ({
        why: "there are more images than are looked up at once",
      }));
      const work = async (): Promise<void> => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          const [at, reference] = next;
          answers[at] = await digestOf(byName, fetch, reference, over.signal);
        }
      };
      try {
        await Promise.all(Array.from({ length: AT_ONCE }, work));
        return answers;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

async function digestOf(
  byName: ReadonlyMap<string, RegistrySettings>,
  fetch: RegistryFetch,
  { repository, tag, digest }: ImageReference,
  signal: AbortSignal,
): Promise<DigestAnswer> {
  if (digest !== null) return { digest };
  const slash = repository.indexOf("/");
  const name = repository.slice(0, slash);
  const registry = byName.get(name);
  if (registry === undefined) return { why: `the registry ${name} is not in the server's configuration` };
  const late = { why: `${name} did not answer in time` };
  if (isOver(signal)) return late;
  try {
    return await taggedDigest(registry, fetch, { path: repository.slice(slash + 1), tag: tag ?? "latest" }, signal);
  } catch {
    // The reason may name an address; that it failed is enough for people, and nothing is believed.
    return isOver(signal) ? late : { why: `${name} cannot be reached` };
  }
}

function isOver({ aborted }: AbortSignal): boolean {
  return aborted;
}
