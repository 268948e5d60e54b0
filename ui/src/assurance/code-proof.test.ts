import { describe, expect, it } from "vitest";

import { codeProof } from "./code-proof.ts";

describe("the one field for codes", () => {
  it.each(["123456", " 123 456 ", "123\t456\n"])(
    "console R-WHO-4: %j, however pasted, is an authenticator's code",
    (typed) => {
      expect(codeProof(typed)).toEqual({ type: "totp", code: "123456" });
    },
  );

  it.each(["A1B2-C3D4-E5F6-G7H8-J9K0-MNPQ", "1234567", "12345"])("console R-WHO-4: %j is a backup code", (typed) => {
    expect(codeProof(typed)).toEqual({ type: "backup_code", code: typed });
  });
});
