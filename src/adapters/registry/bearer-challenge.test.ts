import { describe, expect, it } from "vitest";
import { registryChallenge } from "./bearer-challenge.ts";

describe("a registry's challenge", () => {
  it.each([
    [
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull,push"',
      { kind: "bearer", realm: "https://auth.docker.io/token", service: "registry.docker.io" },
    ],
    ["bearer realm=https://r.example/t", { kind: "bearer", realm: "https://r.example/t", service: null }],
    ['Bearer realm="https://r/\\"t", service="a, b"', { kind: "bearer", realm: 'https://r/"t', service: "a, b" }],
    ['Basic realm="x", Bearer realm="https://r/t"', { kind: "bearer", realm: "https://r/t", service: null }],
    ['Basic realm="ecr"', { kind: "basic" }],
    ["Basic", { kind: "basic" }],
    ["Bearer", null],
    ["Negotiate", null],
    ["", null],
    [null, null],
    [`Basic realm="${"x".repeat(5_000)}"`, null],
  ] as const)("deploy R-IMAGE-8: %s", (header, expected) => {
    expect(registryChallenge(header)).toEqual(expected);
  });
});
