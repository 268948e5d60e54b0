import { describe, expect, it } from "vitest";
import { pathFault } from "./raw-path.ts";

describe("a path that is read in more than one way", () => {
  it.each([
    ["/v1/tasks/../policies", "dot segment"],
    ["/v1/./tasks", "dot segment"],
    ["/v1/%2e%2e/policies", "dot segment"],
    ["/v1/%2E/tasks", "dot segment"],
    ["/v1//tasks", "empty segment"],
    ["//v1/tasks", "empty segment"],
    ["/v1/tasks/%ff", "UTF-8"],
    ["/v1/tasks/%c0%af", "UTF-8"],
    ["/v1/tasks/%", "UTF-8"],
    ["/v1/tasks/a%00b", "more than one way"],
    ["/v1/tasks/a%5cb", "more than one way"],
    [String.raw`/v1/tasks\..\policies`, "more than one way"],
  ])("identity R-AUTHZ-7: %s is refused", (url, word) => {
    expect(pathFault(url)).toContain(word);
  });

  it.each([
    "/",
    "/v1/tasks/",
    "/v1/policies/a%2Fb",
    "/app/requests/%C3%A4",
    "/v1/tasks?next=//../x",
    "/v1/a..b/.well-known",
  ])("identity R-AUTHZ-7: %s is plain", (url) => {
    expect(pathFault(url)).toBeNull();
  });
});
