import { describe, expect, it } from "vitest";
import {
  askedName,
  askedReferences,
  changedImage,
  changeRefusal,
  foundImages,
  otherThanRequested,
  rackBuilt,
  unpinnedRefusal,
  withFoundImages,
  type FoundImage,
} from "./image-digests.ts";
import type { ManifestImage } from "./manifest-images.ts";

const ONE = `sha256:${"1".repeat(64)}`;
const TWO = `sha256:${"2".repeat(64)}`;

function image(key: string, text: string): ManifestImage {
  return { kind: "service", name: key, key, image: text };
}

function found(digest: string | null, key = "web", text = "org/app:v1"): FoundImage {
  return { key, image: text, digest, why: digest === null ? "nobody tells" : null };
}

describe("what images lead to", () => {
  it("deploy R-IMAGE-8: tags are asked about once each; digests that are written are taken as they are", () => {
    const images = [
      image("web", "org/app:v1"),
      image("worker", "docker.io/org/app:v1"),
      image("db", `postgres@${ONE}`),
      image("cache", "redis"),
      image("odd", "$IMAGE"),
    ];
    expect(askedReferences(images).map(askedName)).toEqual(["docker.io/org/app:v1", "docker.io/library/redis:latest"]);
    const answers = new Map([
      ["docker.io/org/app:v1", { digest: TWO }],
      ["docker.io/library/redis:latest", { why: "no such image" }],
    ]);
    expect(foundImages(images, answers).map(({ key, digest, why }) => [key, digest ?? why])).toEqual([
      ...[
        ["web", TWO],
        ["worker", TWO],
        ["db", ONE],
        ["cache", "no such image"],
        ["odd", "it is no image reference"],
      ],
    ]);
    expect(foundImages(images, null).map(({ digest }) => digest)).toEqual([null, null, ONE, null, null]);
  });

  it("deploy R-IMAGE-7, R-IMAGE-4: first use of a repository and what the rack builds are recorded, and neither is an image without a digest", () => {
    const [first, known] = foundImages([{ ...image("web", "org/app:v1"), firstUse: true }, image("db", "db")], null);
    expect([first?.firstUse, known?.firstUse]).toEqual([true, undefined]);
    const before = withFoundImages([], [found(null)], 1);
    const recorded = withFoundImages(before, [...(first === undefined ? [] : [first]), ...rackBuilt(["api"])], 2);
    expect(recorded.slice(1)).toMatchObject([
      { key: "web", firstUse: true },
      { key: "api", image: "", built: true },
    ]);
    expect(withFoundImages(recorded, rackBuilt(["api"]), 3)).toBe(recorded);
    expect(changedImage(recorded, rackBuilt(["api"]), 3)).toBeNull();
  });

  it("deploy R-BIND-11: the digest that was recorded first counts, and what was recorded stays", () => {
    const first = withFoundImages([], [found(ONE)], 1);
    expect(first).toEqual([{ ...found(ONE), at: 1 }]);
    expect(withFoundImages(first, [found(ONE), found(null)], 2)).toBe(first);
    const second = withFoundImages(first, [found(TWO)], 3);
    expect(second).toEqual([...first, { ...found(TWO), at: 3 }]);
    expect(changedImage(second, [found(TWO)], 4)).toEqual({ key: "web", recorded: ONE, found: TWO, at: 4 });
    expect(changedImage(second, [found(ONE), found(null)], 4)).toBeNull();
    expect(changedImage(second, [found(TWO, "worker"), found(TWO, "web", "org/app:v2")], 4)).toBeNull();
  });

  it("deploy R-BIND-11: the refusal names service, old and new digest", () => {
    const refusal = changeRefusal({ key: "web", recorded: ONE, found: TWO, at: 1 });
    expect([refusal.code, refusal.status, refusal.message]).toEqual([
      ...["approval_stale", 409, "image digest changed since it was recorded"],
    ]);
    expect(refusal.hint[0]).toBe(`web: was ${ONE}, is ${TWO}`);
  });

  it("deploy R-IMAGE-8: where digests are enforced, an image without one is neither built nor promoted", () => {
    const recorded = withFoundImages([], [found(ONE)], 1);
    expect(unpinnedRefusal("build_create", [], [found(ONE)])).toBeNull();
    expect(unpinnedRefusal("release_promote", recorded, [found(ONE)])).toBeNull();
    for (const action of ["build_create", "release_promote"] as const) {
      expect(unpinnedRefusal(action, recorded, [found(null)])).toMatchObject({ code: "image_pattern", status: 422 });
    }
    expect(unpinnedRefusal("release_promote", [], [found(ONE)])).toMatchObject({ code: "approval_stale", status: 409 });
  });

  it("deploy R-IMAGE-8: a tag that leads to another digest than the request names is not the image of the request", () => {
    const requested = { web: `org/app:v1@${ONE}` };
    expect(otherThanRequested(requested, [found(ONE), found(TWO, "worker"), found(null, "worker")])).toBeNull();
    expect(otherThanRequested(requested, [found(TWO)])).toMatchObject({ code: "image_pattern", status: 422 });
  });

  it("deploy R-IMAGE-8: where nobody tells what a tag leads to, only a digest in the manifest is the one of the request", () => {
    const requested = { web: `org/app:v1@${ONE}` };
    const [asked, plain] = [found(null), ...foundImages([image("web", "org/app:v1")], null)];
    for (const one of [asked, plain]) {
      const refusal = one === undefined ? null : otherThanRequested(requested, [one]);
      expect(refusal).toMatchObject({ code: "image_pattern", status: 422 });
      expect(refusal?.lines[1]).toContain("@sha256:");
    }
    expect(otherThanRequested(requested, foundImages([image("web", `org/app:v1@${ONE}`)], null))).toBeNull();
  });
});
