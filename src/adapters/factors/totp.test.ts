import { describe, expect, it } from "vitest";
import { totpCode } from "../../../test/support/software-authenticator.ts";
import { createTotp } from "./totp.ts";

const totp = createTotp();
/** "12345678901234567890" of RFC 6238 in base32. */
const RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const SECOND = 1_000;

describe("authenticator codes", () => {
  // The last six digits of the eight in RFC 6238 appendix B.
  it.each([
    [59, "287082"],
    [1_111_111_109, "081804"],
    [1_111_111_111, "050471"],
    [1_234_567_890, "005924"],
    [2_000_000_000, "279037"],
    [20_000_000_000, "353130"],
  ])("identity R-FACT-4: knows the published code of second %i", (second, code) => {
    expect(totp.matchingStep(RFC_SECRET, code, second * SECOND)).toBe(Math.floor(second / 30));
  });

  it("identity R-FACT-4: takes one step either side, and no more", () => {
    const now = 1_700_000_010 * SECOND;
    const step = Math.floor(1_700_000_010 / 30);
    const at = (steps: number): number | null =>
      totp.matchingStep(RFC_SECRET, totpCode(RFC_SECRET, now + steps * 30 * SECOND), now);
    expect([-2, -1, 0, 1, 2].map(at)).toEqual([null, step - 1, step, step + 1, null]);
  });

  it.each(["", "12345", "1234567", "12345a", "１２３４５６", "287082; drop table factors"])(
    "identity R-FACT-4: %j is no code",
    (code) => {
      expect(totp.matchingStep(RFC_SECRET, code, 59 * SECOND)).toBeNull();
    },
  );

  it("identity R-FACT-4: a new secret is base32 of 20 random bytes", () => {
    const secrets = Array.from({ length: 50 }, () => totp.newSecret());
    expect(new Set(secrets).size).toBe(50);
    for (const secret of secrets) expect(secret).toMatch(/^[A-Z2-7]{32}$/);
  });

  it("shows the secret as the address that apps read, and as a picture of it", () => {
    const { uri, qr } = totp.enrolment(RFC_SECRET, "ana:ruiz", "Acme: Approvals");
    expect(uri).toBe(
      `otpauth://totp/Acme%20%20Approvals:ana%20ruiz?issuer=Acme%20%20Approvals&secret=${RFC_SECRET}&algorithm=SHA1&digits=6&period=30`,
    );
    expect(qr).toMatch(/^<svg .*<\/svg>$/s);
    expect(qr).not.toContain("<script");
  });
});
