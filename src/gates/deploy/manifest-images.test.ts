/** All three positions of images, and manifests of odd shape. */
import { describe, expect, it } from "vitest";
import type { JsonValue } from "../../core/json.ts";
import { manifestImages } from "./manifest-images.ts";

/** A place that the rack fills in. */
function slot(name: string): string {
  return "$".concat("{", name, "}");
}

describe("deploy R-IMAGE-1: image positions", () => {
  it("deploy R-IMAGE-1: services, their init containers, and resources", () => {
    const manifest = {
      services: {
        web: { image: "a:1", initContainer: { image: "b:1" } },
        api: { build: "." },
        job: null,
        cron: { image: "", initContainer: { image: "c:1" } },
      },
      resources: { db: { type: "postgres", image: "d:1" }, cache: { type: "redis" } },
    };
    expect(manifestImages(manifest)).toEqual({
      images: [
        { kind: "service", name: "web", key: "web", image: "a:1" },
        { kind: "init_container", name: "web", key: "web.initContainer", image: "b:1" },
        { kind: "init_container", name: "cron", key: "cron.initContainer", image: "c:1" },
        { kind: "resource", name: "db", key: "resources.db", image: "d:1" },
      ],
      built: ["api", "job", "cron"],
    });
  });

  const odd: readonly (readonly [JsonValue, string])[] = [
    [null, "no services defined in manifest"],
    [["services"], "no services defined in manifest"],
    [{}, "no services defined in manifest"],
    [{ services: {} }, "no services defined in manifest"],
    [{ services: "web" }, "no services defined in manifest"],
    [{ services: { web: "nginx" } }, "service web is not a map"],
    [{ services: { web: { image: 5 } } }, "service web image is not a string"],
    [{ services: { web: { image: { a: 1 } } } }, "service web image is not a string"],
    [{ services: { web: { initContainer: "x" } } }, "service web.initContainer is not a map"],
    [{ services: { web: {} }, resources: [] }, "resources is not a map"],
    [{ services: { web: {} }, resources: { db: { image: true } } }, "resource db image is not a string"],
  ];
  it.each(odd)("deploy R-MANIFEST-4: %j", (manifest, why) => {
    expect(manifestImages(manifest)).toEqual({ why });
  });

  it.each([
    { services: { web: {} }, [slot("X")]: {} },
    { services: { [slot("X")]: {} } },
    { services: { web: { [slot("X")]: "evil:1" } } },
    { services: { web: { initContainer: { [slot("X")]: "evil:1" } } } },
    { services: { web: {} }, resources: { [slot("X")]: {} } },
    { services: { web: {} }, resources: { db: { [slot("X")]: "evil:1" } } },
  ])("deploy R-IMAGE-6: a key that the rack fills in may become an image: %j", (manifest) => {
    expect(manifestImages(manifest)).toEqual({ why: `key "${slot("X")}" uses interpolation and cannot be validated` });
  });
});
