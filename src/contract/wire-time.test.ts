import { describe, expect, it } from "vitest";
import { instantInput, wireTime, wireTimeOrNull, wireTimeSchema } from "./wire-time.ts";

describe("times on the wire", () => {
  it("engine R-API-3: have six digits and end in Z", () => {
    expect(wireTime(Date.UTC(2026, 10, 20, 8, 54, 40, 257))).toBe("2026-11-20T08:54:40.257000Z");
    expect(wireTimeSchema.safeParse(wireTime(0)).success).toBe(true);
    expect(wireTimeOrNull(null)).toBeNull();
    expect(wireTimeOrNull(0)).toBe("1970-01-01T00:00:00.000000Z");
  });

  it("engine R-API-3: are read with any offset", () => {
    expect(instantInput.parse("2026-11-20T09:54:40+01:00")).toBe(Date.UTC(2026, 10, 20, 8, 54, 40));
    expect(instantInput.parse("2026-11-20T08:54:40.257123Z")).toBe(Date.UTC(2026, 10, 20, 8, 54, 40, 257));
  });

  it.each([
    "2026-11-20",
    "2026-11-20T08:54:40",
    "2026-02-30T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "+010000-01-01T00:00:00Z",
    "now",
    "",
  ])("engine R-API-8: what is no time is refused: %s", (text) => {
    expect(instantInput.safeParse(text).success).toBe(false);
  });
});
