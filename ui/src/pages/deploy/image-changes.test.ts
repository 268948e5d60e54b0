import { describe, expect, it } from "vitest";

import { imageChanges, isSameImage } from "./image-changes.ts";

function image(service: string, tag: string, digest: string | null = null) {
  const image = `registry.example.com/${service}:${tag}`;
  return { service, image, digest, why_no_digest: null, first_use: false, built: false };
}

describe("images of a request against what is deployed", () => {
  it("deploy R-UI-2: each service stands once, with the image that it has and the one that it gets", () => {
    const changes = imageChanges([image("web", "1"), image("old", "1")], [image("web", "2"), image("api", "1")]);
    expect(changes.map(({ service, old, now }) => [service, old?.image ?? null, now?.image ?? null])).toEqual([
      ["api", null, "registry.example.com/api:1"],
      ["old", "registry.example.com/old:1", null],
      ["web", "registry.example.com/web:1", "registry.example.com/web:2"],
    ]);
  });

  it("deploy R-UI-2: the same tag with another digest is another image", () => {
    const same = (before: string | null, now: string | null): boolean | undefined =>
      imageChanges([image("web", "1", before)], [image("web", "1", now)]).map(isSameImage)[0];
    expect([same("sha256:a", "sha256:a"), same("sha256:a", "sha256:b"), same(null, "sha256:a")]).toEqual([
      ...[true, false, false],
    ]);
  });
});
