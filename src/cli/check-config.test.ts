import { afterEach, expect, it, vi } from "vitest";
import { checkConfig } from "./check-config.ts";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** What is said to people, and what is printed for programs. */
function checked(json: boolean, environment: Readonly<Record<string, string>>): { said: string; printed: string } {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const said: string[] = [];
  const printed: string[] = [];
  vi.spyOn(console, "error").mockImplementation((line: string) => said.push(line));
  vi.spyOn(console, "log").mockImplementation((line: string) => printed.push(line));
  expect(checkConfig(json)).toBe(0);
  return { said: said.join("\n"), printed: printed.join("\n") };
}

const ISSUER = { AWE__KEYCLOAK__ISSUER: "https://id.example.com" };

it.each([true, false])("identity R-IDP-12: `config check` says that no audience is asked for (json: %s)", (json) => {
  const { said, printed } = checked(json, ISSUER);
  expect(said).toContain("keycloak.audience is empty");
  expect(printed).not.toContain("Warning");
});

it("identity R-IDP-12: `config check` says nothing of it where one is named, or no issuer is", () => {
  expect(checked(false, { ...ISSUER, AWE__KEYCLOAK__AUDIENCE: "countersign" }).said).toBe("");
  vi.unstubAllEnvs();
  expect(checked(false, {}).said).toBe("");
});
