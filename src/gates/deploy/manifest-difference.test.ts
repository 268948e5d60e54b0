/** Which changes of a manifest are images only. */
import { describe, expect, it } from "vitest";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { manifestDifference } from "./manifest-difference.ts";

function manifest(web: JsonObject = {}, rest: JsonObject = {}): JsonObject {
  return {
    services: {
      web: {
        image: `a:${slot("TAG")}`,
        port: 1,
        command: ["x", "y"],
        initContainer: { image: "i:1", user: "u" },
        ...web,
      },
    },
    resources: { db: { type: "postgres", image: "p:1" } },
    ...rest,
  };
}

/** A place that the rack fills in. */
function slot(name: string): string {
  return "$".concat("{", name, "}");
}

describe("deploy R-SOURCE-5: the manifest may differ in images only", () => {
  it("deploy R-SOURCE-5: no difference, whatever the order of the keys", () => {
    expect(manifestDifference(manifest(), manifest())).toEqual({ kind: "none" });
    const { services, resources } = manifest();
    expect(manifestDifference({ resources: resources ?? null, services: services ?? null }, manifest())).toEqual({
      kind: "none",
    });
  });

  it("deploy R-SOURCE-5: strings at image positions, named by their keys", () => {
    const filled = {
      ...manifest({ image: "a:1", initContainer: { image: "i:2", user: "u" } }),
      resources: { db: { type: "postgres", image: "p:2" } },
    };
    expect(manifestDifference(filled, manifest())).toEqual({
      kind: "images",
      keys: new Set(["web", "web.initContainer", "resources.db"]),
    });
  });

  const without = {
    services: { web: { port: 1, command: ["x", "y"], initContainer: { image: "i:1", user: "u" } } },
    resources: { db: { type: "postgres", image: "p:1" } },
  };
  const others: readonly (readonly [string, JsonValue, JsonValue, string])[] = [
    ["a value", manifest({ port: 2 }), manifest(), "services.web.port"],
    ["a value of another type", manifest({ port: "1" }), manifest(), "services.web.port"],
    ["a value in a list", manifest({ command: ["x", "z"] }), manifest(), "services.web.command.1"],
    ["a longer list", manifest({ command: ["x", "y", "z"] }), manifest(), "services.web.command.2"],
    ["a list in place of a map", manifest({ command: {} }), manifest(), "services.web.command"],
    ["a new key", manifest({ privileged: true }), manifest(), "services.web.privileged"],
    ["a key that JavaScript has everywhere", manifest({ constructor: 1 }), manifest(), "services.web.constructor"],
    ["a new part", manifest({}, { timers: {} }), manifest(), "timers"],
    ["an image that was not there", manifest(), without, "services.web.image"],
    ["an image in place of an empty one", manifest(), manifest({ image: "" }), "services.web.image"],
    ["an image that is gone", without, manifest(), "services.web.image"],
    [
      "an image elsewhere",
      manifest({ sidecar: { image: "x" } }),
      manifest({ sidecar: { image: "y" } }),
      "services.web.sidecar.image",
    ],
    [
      "an init container's other members",
      manifest({ initContainer: { image: "i:1", user: "root" } }),
      manifest(),
      "services.web.initContainer.user",
    ],
    [
      "a new service",
      { ...manifest(), services: { web: {}, evil: { image: "e" } } },
      { services: { web: {} } },
      "services.evil",
    ],
    ["a manifest that is none", { services: {} }, manifest(), "no services defined in manifest"],
    ["a committed manifest that is none", manifest(), "text", "the committed manifest cannot be read"],
  ];
  it.each(others)("deploy R-SOURCE-5: %s is a difference", (_, captured, committed, at) => {
    expect(manifestDifference(captured, committed)).toEqual({ kind: "other", at });
  });

  it("deploy R-SOURCE-5: parts that are no maps are compared as they are", () => {
    const odd = { services: { web: { image: "" } }, resources: null };
    expect(manifestDifference(odd, odd)).toEqual({ kind: "none" });
    expect(manifestDifference({ services: { web: null } }, { services: { web: null } })).toEqual({ kind: "none" });
  });
});
