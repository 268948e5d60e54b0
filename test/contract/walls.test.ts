import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";

it("no folder imports what its wall forbids, and every wall catches the violation planted for it", () => {
  const check = spawnSync(process.execPath, ["scripts/check-boundaries.mjs"], { encoding: "utf8" });
  expect(check.stderr).toBe("");
  expect(check.stdout).toMatch(/^\d+ modules inside the walls, \d+ planted violations caught\n$/);
  expect(check.status).toBe(0);
}, 180_000);
