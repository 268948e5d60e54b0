import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ConfigFault, loadConfig } from "./config.ts";
import { registrySettings } from "./registry-settings.ts";

const directory = mkdtempSync(join(tmpdir(), "registries-"));
const SECRET = join(directory, "password");
writeFileSync(SECRET, "from-a-file\n");
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function settingsOf(...registries: readonly object[]): ReturnType<typeof registrySettings> {
  const environment = { COUNTERSIGN_REGISTRIES: JSON.stringify(registries), GHCR: "from-a-variable" };
  return registrySettings(loadConfig(environment).config, environment);
}

function problemsOf(...registries: readonly object[]): readonly string[] {
  try {
    settingsOf(...registries);
    return [];
  } catch (error) {
    if (error instanceof ConfigFault) return error.problems;
    throw error;
  }
}

describe("registries of the configuration", () => {
  it("deploy R-IMAGE-8: each has its address, the host of its tokens, and a password from outside of the file", () => {
    expect(
      settingsOf(
        { name: "docker.io" },
        { name: "ghcr.io", username: "bot", password_env: "GHCR" },
        { name: "registry.gitlab.com", token_host: "gitlab.com", username: "bot", password_file: SECRET },
        { name: "registry.internal:5000", url: "http://10.0.0.9:5000/" },
      ),
    ).toEqual([
      { name: "docker.io", url: "https://registry-1.docker.io", tokenHost: "auth.docker.io", credential: null },
      {
        ...{ name: "ghcr.io", url: "https://ghcr.io", tokenHost: "ghcr.io" },
        credential: { username: "bot", password: "from-a-variable" },
      },
      {
        ...{ name: "registry.gitlab.com", url: "https://registry.gitlab.com", tokenHost: "gitlab.com" },
        credential: { username: "bot", password: "from-a-file" },
      },
      { name: "registry.internal:5000", url: "http://10.0.0.9:5000", tokenHost: "10.0.0.9:5000", credential: null },
    ]);
  });

  it.each<[string, readonly object[], string]>([
    ["a name with a path", [{ name: "ghcr.io/org" }], "the host that images name"],
    ["an address with a path", [{ name: "ghcr.io", url: "https://ghcr.io/v2" }], "and nothing else"],
    ["no password", [{ name: "ghcr.io", username: "bot" }], "password_env or password_file"],
    [
      "two passwords",
      [{ name: "ghcr.io", username: "bot", password_env: "GHCR", password_file: SECRET }],
      "one of them",
    ],
    ["a password without a user", [{ name: "ghcr.io", password_env: "GHCR" }], "username"],
    ["an empty password", [{ name: "ghcr.io", username: "bot", password_env: "NONE" }], "NONE holds no password"],
    [
      "a file that is not there",
      [{ name: "a.b", username: "bot", password_file: "/nowhere" }],
      "/nowhere holds no password",
    ],
    ["a name twice", [{ name: "ghcr.io" }, { name: "ghcr.io" }], "Two registries"],
  ])("deploy R-IMAGE-8: %s stops the start", (_what, registries, sentence) => {
    const problems = problemsOf(...registries);
    expect(problems[0]).toContain(sentence);
    expect(problems.join()).not.toContain("from-a-");
  });
});
