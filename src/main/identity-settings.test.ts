import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { attestationRoots } from "./attestation-roots.ts";
import { loadConfig } from "./config.ts";
import { identitySettings } from "./identity-settings.ts";

const directory = mkdtempSync(join(tmpdir(), "countersign-identity-"));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

it("console R-ADM-1: tells the environment, by the variable that said it, from the file and from the default", () => {
  const loaded = loadConfig({
    CONFIG_PATH: file("config.yaml", "countersign:\n  backup_codes_decide: false\n"),
    RGW_SETTING_SESSION_TIMEOUT_MINUTES: "30",
    COUNTERSIGN_FACTOR_COOL_DOWN: "24",
  });
  const settings = identitySettings(loaded, { development: false, publicUrl: "https://approvals.example.com" });
  expect([settings.webIdleSeconds, settings.backupCodesDecide, settings.coolDownHours]).toEqual([1_800, false, 24]);
  expect(settings.said).toEqual({
    factor_cool_down_hours: { by: "environment", variable: "COUNTERSIGN_FACTOR_COOL_DOWN" },
    session_timeout_minutes: { by: "environment", variable: "RGW_SETTING_SESSION_TIMEOUT_MINUTES" },
    backup_codes_decide: { by: "file" },
    person_token_audience: { by: "default" },
  });
});

it("identity R-FACT-12: a file of makers' certificates that cannot be used stops the start, and none is none", () => {
  expect(attestationRoots("")).toEqual([]);
  const missing = join(directory, "missing.pem");
  expect(() => attestationRoots(missing)).toThrow(
    `countersign.attestation_roots_file cannot be used: ${missing} cannot be read.`,
  );
  expect(() => attestationRoots(file("empty.pem", "nothing"))).toThrow("holds no certificates in PEM");
});
