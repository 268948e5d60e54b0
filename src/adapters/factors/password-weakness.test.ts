import { describe, expect, it } from "vitest";
import { passwordWeakness } from "./password-weakness.ts";

const NAMES = ["Acme Rockets", "Countersign", "approvals.example.com"];

describe("password weakness", () => {
  it("identity R-LOCAL-2: 15 to 256 code points", () => {
    expect([14, 15, 256, 257].map((length) => passwordWeakness(letters(length), []) === null)).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it("identity R-LOCAL-2: no rules about which characters there must be", () => {
    for (const good of [
      "violet harbour lantern",
      "ONLYLETTERSBUTMANYOFTHEM",
      "фиалка гавань фонарь",
      "🦊🐻🐼🐨🐯🦁🐮🐷🐸🐵🐔🐧🐦🐤🦆",
    ]) {
      expect(passwordWeakness(good, NAMES)).toBeNull();
    }
  });

  it.each(["aaaaaaaaaaaaaaaa", "abcabcabcabcabcabc", "1212121212121212", "abcdabcdabcdabcd2026!"])(
    "identity R-LOCAL-2: %j repeats a short pattern",
    (password) => {
      expect(passwordWeakness(password, [])).toMatch(/repeats a short pattern/);
    },
  );

  it.each([
    "approvals.example.com",
    "APPROVALS.EXAMPLE.COM",
    "countersigncountersign",
    "Countersign2026!!",
    "***acme rockets***",
    "rocketsrocketsrockets",
    "example.com example.com",
    "acme-countersign-2026",
  ])("identity R-LOCAL-2: %j is little more than a name of this installation", (password) => {
    expect(passwordWeakness(password, NAMES)).toMatch(/names used here/);
  });
});

/** Code points without a pattern, half of them outside of the basic plane. */
function letters(length: number): string {
  return Array.from({ length }, (_none, index) => (index % 2 === 0 ? "🦊" : String.fromCodePoint(0x430 + index))).join(
    "",
  );
}

describe("a password that many people use", () => {
  it.each([
    "123456789qwerty",
    "1qaz2wsx3edc4rfv",
    "Qwertyuiop!!!!!!",
    "passwordpasswordpassword",
    "!!!baseballbaseball2026",
  ])("identity R-LOCAL-2: '%s' is refused, however it is repeated or dressed up", (password) => {
    expect(passwordWeakness(password, [])).toContain("Many people");
  });
});
