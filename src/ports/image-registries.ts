/**
 * What do image references lead to now? Asked of the registries that the server's configuration names, and of nobody else
 * (docs/spec/deploy.md R-IMAGE-8).
 */
import type { ImageReference } from "../gates/deploy/image-reference.ts";

/** `sha256:…`, or a sentence for people that says why there is none. */
export type DigestAnswer = { readonly digest: string } | { readonly why: string };

export interface ImageRegistries {
  /** In the order of the references, all together within 10 s; never throws. */
  readonly digests: (references: readonly ImageReference[]) => Promise<readonly DigestAnswer[]>;
}
