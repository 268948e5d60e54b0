import { describe, expect, it } from "vitest";

import { explicitPattern, patternSource } from "../../../../src/gates/deploy/image-pattern.ts";
import { expressionFor, imageVerdict, patternFor } from "./image-verdict.ts";

const commit = "4f0c1a2b3d4e5f60718293a4b5c6d7e8f9012345";
const pattern = "registry.example.com/app:{{GIT_COMMIT_SHORT}}";

describe("the pattern tester", () => {
  it.each([".*:{{GIT_COMMIT}}", pattern, "a/b:{{GIT_COMMIT}}-{{GIT_COMMIT_SHORT}}", "fixed"])(
    "deploy R-UI-5: %s means here what it means at the gate",
    (written) => {
      expect(expressionFor(written, commit)).toBe(patternSource(written, commit));
    },
  );

  it.each([
    ["web", "service", "web"],
    ["other", "service", "other"],
    ["web.initContainer", "init_container", "web"],
    ["other.initContainer", "init_container", "other"],
    ["resources.db", "resource", "db"],
  ] as const)("deploy R-UI-5: the pattern of %s is found as at the gate", (key, kind, name) => {
    const patterns = { web: "w", "*": "any", "resources.db": "d" };
    expect(patternFor({ service: key, patterns })).toBe(explicitPattern(patterns, { kind, name, key }));
  });

  it.each([
    [`registry.example.com/app:${commit}`, null, true],
    [`registry.example.com/app:${commit}-web`, null, true],
    [`registry.example.com/app:${commit}@sha256:${"a".repeat(64)}`, null, true],
    ["registry.example.com/app:latest", null, false],
    [`registry.example.com/app:${commit.slice(0, 9)}`, { web: pattern }, true],
    [`evil/registry.example.com/app:${commit.slice(0, 9)}`, { web: pattern }, false],
    ["anything", { web: "(" }, false],
  ])("deploy R-UI-5: %s with %j passes: %s", async (image, patterns, fits) => {
    expect((await imageVerdict({ service: "web", image, commit, patterns })).fits).toBe(fits);
  });
});
