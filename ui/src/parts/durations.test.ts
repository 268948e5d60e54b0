import { describe, expect, it } from "vitest";

import { durationWords, relativeWords } from "./durations.ts";

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

describe("time in words", () => {
  it.each([
    [-5, "0:00"],
    [59 * second + 999, "0:59"],
    [12 * minute + 40 * second, "12:40"],
    [hour - 1, "59:59"],
    [hour, "1 h"],
    [3 * hour + 12 * minute, "3 h 12 min"],
    [2 * day - 1, "47 h 59 min"],
    [2 * day + 4 * hour, "2 d 4 h"],
  ])("console R-CON-10: %i ms left reads %s, never more than is left", (length, words) => {
    expect(durationWords(length)).toBe(words);
  });

  it.each([
    [-30 * second, "just now"],
    [second, "just now"],
    [-3 * minute, "3 min ago"],
    [-25 * hour, "25 h ago"],
    [-3 * day, "3 d ago"],
    [90 * second, "in 1 min"],
  ])("console R-CON-10: a moment %i ms from now reads %s", (distance, words) => {
    expect(relativeWords(1_000_000_000 + distance, 1_000_000_000)).toBe(words);
  });
});
