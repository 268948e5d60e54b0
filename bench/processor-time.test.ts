import { existsSync } from "node:fs";
import { expect, it } from "vitest";
import { processorTime } from "./processor-time.ts";

it.skipIf(!existsSync("/proc/self/stat"))("counts the time that this very process uses, and grows", () => {
  const before = processorTime({ serverPid: process.pid, databasePid: null });
  const until = performance.now() + 100;
  while (performance.now() < until);
  const after = processorTime({ serverPid: process.pid, databasePid: null });
  expect(after?.serverMs).toBeGreaterThan(before?.serverMs ?? Infinity);
});

it("has no answer for a process that does not exist", () => {
  expect(processorTime({ serverPid: 4_194_305, databasePid: null })).toBeNull();
});
