/** What may run under an approval, position by position, and how a refusal reads. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ImagePatterns, patternFault } from "./image-pattern.ts";
import { checkImages, type CheckedImages, type ImageQuestion } from "./image-rules.ts";
import type { ContentRefusal } from "./content-refusal.ts";
import { manifestImages, type ManifestImages } from "./manifest-images.ts";
import type { JsonValue } from "../../core/json.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const DIGEST = `sha256:${"d".repeat(64)}`;
const OTHER_DIGEST = `sha256:${"e".repeat(64)}`;

/** Expressions of this test have no meaning that RE2 and JavaScript disagree about. */
function compile(source: string): ((text: string) => boolean) | null {
  try {
    const whole = new RegExp(`^(?:${source})$`);
    return (text) => whole.test(text);
  } catch {
    return null;
  }
}

function images(manifest: JsonValue): ManifestImages {
  const found = manifestImages(manifest);
  if ("why" in found) throw new Error(found.why);
  return found;
}

function question(manifest: JsonValue, more: Partial<ImageQuestion> = {}): ImageQuestion {
  return {
    access: "approval",
    commit: COMMIT,
    patterns: {},
    repositories: null,
    requireDigest: false,
    requestImages: {},
    manifest: images(manifest),
    committed: null,
    active: null,
    compile,
    ...more,
  };
}

function web(image: string, more: Partial<ImageQuestion> = {}): CheckedImages | ContentRefusal {
  return checkImages(question({ services: { web: { image } } }, more));
}

function said(outcome: CheckedImages | ContentRefusal): string {
  return "code" in outcome ? `${outcome.code} ${outcome.status} ${outcome.message}` : "ok";
}

function lines(outcome: CheckedImages | ContentRefusal): readonly string[] {
  return "code" in outcome ? outcome.lines : [];
}

function mismatch(name: string, image: string, pattern: string): string {
  return `image_pattern 422 manifest validation failed: service ${name} image "${image}" does not match required pattern "${pattern}"`;
}

/** A place that the rack fills in. */
function slot(name: string): string {
  return "$".concat("{", name, "}");
}

describe("deploy R-IMAGE-3: the default pattern", () => {
  it.each([
    `app:${COMMIT}`,
    `r.example:5000/myorg/app:${COMMIT}`,
    `app:${COMMIT}-amd64`,
    `app:${COMMIT}_a.b-c`,
    `app:${COMMIT}@${DIGEST}`,
  ])("deploy R-IMAGE-3: %s passes", (image) => {
    expect(said(web(image))).toBe("ok");
    // The same pattern means the same where somebody writes it into the setting.
    expect(said(web(image, { patterns: { web: ".*:{{GIT_COMMIT}}" } }))).toBe("ok");
  });

  it.each([
    ...["app", "app:latest", `app:evil-${COMMIT}`, `app:v${COMMIT}`, `app:${COMMIT}x`, `app:${COMMIT}-`],
    ...[`app:${COMMIT.slice(0, 39)}`, `app:${COMMIT.toUpperCase()}`, `app/${COMMIT}:latest`],
  ])("deploy R-IMAGE-3: %s does not", (image) => {
    expect(said(web(image))).toBe(mismatch("web", image, ".*:{{GIT_COMMIT}}"));
  });

  it("deploy R-IMAGE-3: a variant has at most 64 characters", () => {
    expect(said(web(`app:${COMMIT}-${"a".repeat(64)}`))).toBe("ok");
    expect(said(web(`app:${COMMIT}-${"a".repeat(65)}`))).toContain("does not match");
  });

  it("deploy R-IMAGE-3: does not bind callers with direct permission", () => {
    expect(said(web("nginx", { access: "direct" }))).toBe("ok");
    expect(said(web(`${slot("TAG")} of anything`, { access: "direct" }))).toBe("ok");
  });
});

describe("deploy R-IMAGE-2: patterns of the setting", () => {
  it("deploy R-IMAGE-2: the whole image has to match", () => {
    const patterns = { web: `myorg/app:{{GIT_COMMIT}}` };
    expect(said(web(`myorg/app:${COMMIT}`, { patterns }))).toBe("ok");
    for (const image of [`evil/myorg/app:${COMMIT}`, `myorg/app:${COMMIT}-amd64`]) {
      expect(said(web(image, { patterns }))).toBe(mismatch("web", image, patterns.web));
    }
    expect(said(web(`b:${COMMIT}x`, { patterns: { web: "a:.*|b:{{GIT_COMMIT}}" } }))).toContain("does not match");
  });

  it("deploy R-IMAGE-2: {{GIT_COMMIT_SHORT}} is any beginning of the commit with seven digits or more, and nothing else", () => {
    const patterns = { web: "app:{{GIT_COMMIT_SHORT}}" };
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), (length) => {
        expect(said(web(`app:${COMMIT.slice(0, length)}`, { patterns })) === "ok").toBe(length >= 7);
      }),
    );
    expect(said(web(`app:${COMMIT.slice(0, 8)}f`, { patterns }))).toContain("does not match");
    expect(said(web(`app:${COMMIT}0`, { patterns }))).toContain("does not match");
  });

  const everywhere = {
    services: { web: { image: "s:1", initContainer: { image: "i:1" } } },
    resources: { db: { image: "r:1" } },
  };
  it.each<readonly [string, ImagePatterns, string]>([
    [
      "the exact key before the star",
      { web: "s:1", "*": "x", "web.initContainer": "i:1", "resources.db": "r:1" },
      "ok",
    ],
    ["the star for services and their init containers", { "*": "[si]:1", "resources.db": "r:1" }, "ok"],
    [
      "the service's key for its init container",
      { web: "s:1", "*": "i:1", "resources.db": "r:1" },
      mismatch("web.initContainer", "i:1", "s:1"),
    ],
    [
      "the init container's own key",
      { web: "s:1", "web.initContainer": "x:1", "resources.db": "r:1" },
      mismatch("web.initContainer", "i:1", "x:1"),
    ],
    [
      "no star for resources",
      { "*": ".*" },
      'image_pattern 422 manifest validation failed: resource db image "r:1" is not the one of the commit or of the active build',
    ],
    [
      "the resource's key",
      { "*": ".*", "resources.db": "x" },
      'image_pattern 422 manifest validation failed: resource db image "r:1" does not match required pattern "x"',
    ],
    ["only its own members", { "*": ".*", "resources.db": "r:1", constructor: "x" }, "ok"],
  ])("deploy R-IMAGE-2: %s", (_, patterns, expected) => {
    expect(said(checkImages(question(everywhere, { patterns })))).toBe(expected);
  });

  it("deploy R-IMAGE-2: an image with a digest and no tag passes only if the request names that digest", () => {
    const image = `myorg/app@${DIGEST}`;
    expect(said(web(image))).toBe(mismatch("web", image, ".*:{{GIT_COMMIT}}"));
    expect(said(web(image, { requestImages: { other: `x@${OTHER_DIGEST}`, broken: "?" } }))).toContain(
      "does not match",
    );
    expect(said(web(image, { requestImages: { web: `myorg/app:1@${DIGEST}` } }))).toBe("ok");
  });

  it("deploy R-IMAGE-2: an expression that cannot be read is refused when it is stored, and again when it is used", () => {
    expect(patternFault({ web: ".*:{{GIT_COMMIT}}", "*": "a" }, compile)).toBeNull();
    expect(patternFault({ web: "[" }, compile)).toBe("invalid image pattern for service web");
    expect(web("a:1", { patterns: { web: "[" } })).toMatchObject({
      code: "image_pattern",
      lines: ["This pattern cannot be read."],
    });
  });
});

describe("deploy R-IMAGE-4: treatment per position", () => {
  it("deploy R-IMAGE-4: a service that the rack builds passes without a key, and with one needs an image", () => {
    const manifest = { services: { web: { build: "." } } };
    expect(checkImages(question(manifest))).toEqual({ images: [], built: ["web"] });
    for (const patterns of [{ web: ".*" }, { "*": ".*" }]) {
      expect(said(checkImages(question(manifest, { patterns })))).toBe(
        "image_pattern 422 manifest validation failed: service web must use a pre-built image (image pattern is configured for this service)",
      );
    }
    expect(said(checkImages(question(manifest, { patterns: { worker: ".*" } })))).toBe("ok");
  });

  it("deploy R-IMAGE-4: an init container without a key falls under the default pattern", () => {
    const manifest = { services: { web: { image: `a:${COMMIT}`, initContainer: { image: "busybox:1" } } } };
    expect(said(checkImages(question(manifest)))).toBe(mismatch("web.initContainer", "busybox:1", ".*:{{GIT_COMMIT}}"));
  });

  it("deploy R-IMAGE-4: a resource without a key has to be what the commit or the active build has", () => {
    const manifest = (image: string): JsonValue => ({ services: { web: {} }, resources: { db: { image } } });
    const asked = question(manifest("postgres:15"));
    const committed = images(manifest("postgres:15"));
    const other = images(manifest("postgres:14"));
    expect(said(checkImages(asked))).toContain(
      'resource db image "postgres:15" is not the one of the commit or of the active build',
    );
    expect(said(checkImages({ ...asked, committed: other }))).toContain("is not the one of the commit");
    expect(said(checkImages({ ...asked, committed, active: other }))).toBe("ok");
    expect(said(checkImages({ ...asked, committed: other, active: committed }))).toBe("ok");
    expect(said(checkImages({ ...asked, access: "direct" }))).toBe("ok");
  });
});

describe("deploy R-IMAGE-5: callers with direct permission", () => {
  it("deploy R-IMAGE-5: an explicit map binds them to the commit of their form", () => {
    const direct = { access: "direct", patterns: { web: "a:{{GIT_COMMIT}}" } } as const;
    expect(said(web(`a:${COMMIT}`, direct))).toBe("ok");
    expect(said(web("a:1", direct))).toContain("does not match");
    expect(said(web("a:1", { ...direct, commit: null }))).toBe(
      "git_sha_required 400 git-sha is required when image pattern validation is configured",
    );
    expect(said(web("a:1", { access: "direct", commit: null }))).toBe("ok");
    expect(said(web("b:1", { ...direct, patterns: { other: "x" } }))).toBe("ok");
  });

  it("deploy R-IMAGE-5: an approval without a commit matches nothing", () => {
    expect(said(web("a:1", { commit: null }))).toContain("does not match");
  });
});

describe("deploy R-IMAGE-6: refusals", () => {
  it.each([`app:${slot("TAG")}`, slot("IMAGE"), `${slot("REPO")}/app:${COMMIT}`])(
    "deploy R-IMAGE-6: %s cannot be validated",
    (image) => {
      expect(said(web(image))).toBe(
        `image_pattern 422 manifest validation failed: service web image "${image}" uses interpolation and cannot be validated`,
      );
      expect(said(web(image, { access: "direct", patterns: { "*": ".*" } }))).toContain("uses interpolation");
    },
  );

  it("deploy R-IMAGE-6: no reference at all is none that matches", () => {
    expect(said(web(`two words:${COMMIT}`))).toContain("is not an image reference");
    expect(said(web(`a:1\nb:${COMMIT}`))).toContain('image "a:1\\u000ab:');
  });

  it("deploy R-IMAGE-6: an abbreviated commit gets the advice that helps, anything else the commit", () => {
    expect(lines(web(`r.example/app:${COMMIT.slice(0, 7)}`))).toEqual([
      `Tag it with the full commit (r.example/app:${COMMIT}), or use {{GIT_COMMIT_SHORT}} in the pattern.`,
    ]);
    expect(lines(web(`app:${COMMIT.slice(0, 12)}-amd64`))[0]).toContain("Tag it with the full commit");
    for (const image of ["app:1", `app:x${COMMIT.slice(0, 9)}`, `app:${COMMIT.slice(0, 6)}`]) {
      expect(lines(web(image))).toEqual([
        `{{GIT_COMMIT}} is ${COMMIT}. Tag the image with the commit, or set service_image_patterns.`,
      ]);
    }
  });
});

describe("deploy R-IMAGE-7: repositories", () => {
  const at = (image: string): ManifestImages => images({ services: { web: { image } } });
  const image = `myorg/app:${COMMIT}`;

  it("deploy R-IMAGE-7: where the setting names repositories, every image is in one of them", () => {
    expect(said(web(image, { repositories: ["r.example/x", "myorg/*"], committed: at("evil/app:1") }))).toBe("ok");
    const refused = web(image, { repositories: ["r.example/*"] });
    expect(said(refused)).toBe(
      'image_repository 422 manifest validation failed: service web image repository "myorg/app" is not the one this app uses',
    );
    expect(said(web(image, { repositories: [] }))).toContain("image_repository");
    expect(said(web("evil/app:1", { access: "direct", repositories: ["myorg/*"] }))).toContain("image_repository");
    const resource = { services: { web: {} }, resources: { db: { image: "postgres:15" } } };
    expect(said(checkImages(question(resource, { committed: images(resource), repositories: ["myorg/*"] })))).toBe(
      'image_repository 422 manifest validation failed: resource db image repository "postgres" is not the one this app uses',
    );
  });

  it("deploy R-IMAGE-7: else the repository of the commit, then of the active build, then whatever is first", () => {
    expect(said(web(image, { committed: at(`docker.io/myorg/app:${slot("TAG")}`) }))).toBe("ok");
    expect(said(web(image, { committed: at("evil/app:1"), active: at(image) }))).toContain("image_repository");
    expect(lines(web(image, { committed: at(`${slot("REPO")}:1`), active: at("evil/app:1") }))).toEqual([
      "Until now it was docker.io/evil/app; set image_repositories to allow others.",
    ]);
    expect(web(image, { committed: at("<image>"), active: at(image) })).toMatchObject({
      images: [{ firstUse: false }],
    });
    expect(web(image, { committed: at("<image>") })).toMatchObject({ images: [{ firstUse: true }] });
    expect(web(image, { repositories: ["myorg/app"] })).toMatchObject({ images: [{ firstUse: false }] });
    expect(web("x:1", { access: "direct", committed: at("evil/app:1") })).toMatchObject({
      images: [{ firstUse: false }],
    });
  });
});

describe("deploy R-IMAGE-8: digests that are written down are binding", () => {
  it("deploy R-IMAGE-8: the request's image of a service is the one that the manifest names", () => {
    const requestImages = { web: `myorg/app:1@${DIGEST}` };
    expect(said(web(`myorg/app:${COMMIT}`, { requestImages }))).toBe("ok");
    expect(said(web(`myorg/app:${COMMIT}@${DIGEST}`, { requestImages }))).toBe("ok");
    for (const other of [`myorg/app:${COMMIT}@${OTHER_DIGEST}`, `evil/app:${COMMIT}@${DIGEST}`, `evil/app:${COMMIT}`]) {
      expect(said(web(other, { requestImages }))).toContain("is not the image of the request");
    }
  });

  it("deploy R-IMAGE-8: a service that the rack would build is not the image that the request names", () => {
    const requestImages = { web: `myorg/app:1@${DIGEST}` };
    const asked = question({ services: { web: {}, api: {} } }, { requestImages });
    expect(said(checkImages(asked))).toContain("service web has no image, and the request names one");
    expect(said(checkImages({ ...asked, requestImages: { other: `myorg/app@${DIGEST}` } }))).toBe("ok");
  });

  it("deploy R-IMAGE-8: where digests are required, an image without one is refused", () => {
    expect(said(web(`app:${COMMIT}`, { requireDigest: true }))).toContain("has no digest");
    expect(said(web(`app:${COMMIT}@${DIGEST}`, { requireDigest: true }))).toBe("ok");
  });
});

describe("deploy R-SOURCE-5: only some positions", () => {
  it("deploy R-SOURCE-5: what is not asked about is not judged", () => {
    const manifest = { services: { web: { image: "a:1", initContainer: { image: "b:1" } }, api: {} } };
    const asked = question(manifest, { patterns: { api: "x", "web.initContainer": "b:1" } });
    expect(checkImages(asked, new Set(["web.initContainer"]))).toMatchObject({
      images: [{ key: "web.initContainer" }],
    });
    expect(said(checkImages(asked, new Set(["web"])))).toContain("does not match");
  });
});
