import { expect, it } from "vitest";
import { median, summarize } from "./summary.ts";

it("takes percentiles between the nearest ranks of the sorted values", () => {
  const hundredOne = Array.from({ length: 101 }, (_, index) => 100 - index);
  expect(summarize(hundredOne, "ms")).toEqual({ unit: "ms", p50: 50, p95: 95, p99: 99, mean: 50, n: 101 });
  expect(median([4, 1, 3, 2])).toBe(2.5);
});

it("reports nothing measured as zero values with a count of zero", () => {
  expect(summarize([], "ms")).toEqual({ unit: "ms", p50: 0, p95: 0, p99: 0, mean: 0, n: 0 });
});
