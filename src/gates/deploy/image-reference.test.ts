/** References, and when two of them name the same repository. */
import { describe, expect, it } from "vitest";
import { committedRepository, imageReference, isInRepository } from "./image-reference.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

/** A place that the rack fills in. */
function slot(name: string): string {
  return "$".concat("{", name, "}");
}

describe("deploy R-IMAGE-2: parts of a reference", () => {
  it.each([
    ["nginx", "docker.io/library/nginx", null, null],
    ["myorg/app:v1", "docker.io/myorg/app", "v1", null],
    ["docker.io/nginx:1", "docker.io/library/nginx", "1", null],
    ["index.docker.io/library/nginx", "docker.io/library/nginx", null, null],
    ["Registry.Example.com:5000/team/app:v_1.2-3", "registry.example.com:5000/team/app", "v_1.2-3", null],
    ["localhost/app", "localhost/app", null, null],
    [`a__b/c-d.e@${DIGEST}`, "docker.io/a__b/c-d.e", null, DIGEST],
    [`x/y:t@${DIGEST}`, "docker.io/x/y", "t", DIGEST],
  ])("deploy R-IMAGE-2: %s", (text, repository, tag, digest) => {
    expect(imageReference(text)).toMatchObject({ repository, tag, digest });
  });

  it("deploy R-IMAGE-2: the part that patterns see has no digest", () => {
    expect(imageReference(`x/y:t@${DIGEST}`)?.withoutDigest).toBe("x/y:t");
    expect(imageReference(`x/y@${DIGEST}`)?.withoutDigest).toBe("x/y");
  });

  it.each([
    "",
    "UPPER",
    "a b",
    "a:",
    ":t",
    "a@sha256:12",
    "a//b",
    "/a",
    "a/",
    "a:t:u",
    "a\n",
    "$x",
    `a:${slot("T")}`,
    "a".repeat(600),
  ])("deploy R-IMAGE-2: %j is none", (text) => {
    expect(imageReference(text)).toBeNull();
  });
});

describe("deploy R-IMAGE-7: repositories", () => {
  it.each([
    [`myorg/app:${slot("TAG")}`, "docker.io/myorg/app"],
    [`myorg/app:${slot("TAG:-a/b")}`, "docker.io/myorg/app"],
    ["r.example/app:{{GIT_COMMIT}}", "r.example/app"],
    ["r.example:5000/app:<commit>@<digest>", "r.example:5000/app"],
    ["r.example:5000/app", "r.example:5000/app"],
    [`${slot("REPO")}:1`, null],
    [`registry:${slot("PORT")}/app`, null],
    [`r.example/${slot("APP")}/x:1`, null],
    ["<image>", null],
  ])("deploy R-IMAGE-7: the committed %s", (text, repository) => {
    expect(committedRepository(text)).toBe(repository);
  });

  it.each([
    ["docker.io/myorg/app", "myorg/app", true],
    ["docker.io/myorg/app", "docker.io/myorg/*", true],
    ["docker.io/myorg/app", "myorg/*", true],
    ["docker.io/myorg/deep/app", "myorg/*", true],
    ["docker.io/myorg-evil/app", "myorg/*", false],
    ["docker.io/library/nginx", "nginx", true],
    ["docker.io/library/nginx", "docker.io/*", true],
    ["r.example/team/app", "r.example/*", true],
    ["r.example/team/app", "R.example/team/app", true],
    ["r.example.evil/app", "r.example/*", false],
    ["r.example/team/app", "r.example/team", false],
    ["r.example/app", "*", false],
    ["r.example/app", "/*", false],
    ["docker.io/a/b.c/d", "a/b.c/*", true],
  ])("deploy R-IMAGE-7: is %s in %s? %s", (repository, allowed, expected) => {
    expect(isInRepository(repository, allowed)).toBe(expected);
  });
});
