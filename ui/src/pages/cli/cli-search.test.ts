import { describe, expect, it } from "vitest";

import { parseCliSearch, terminalOf } from "./cli-search.ts";
import { userCode } from "./user-code.ts";

describe("what a terminal asks for", () => {
  const whole = { code_challenge: "c", state: "s", port: 49152, client: "countersign 0.1.0", host: "laptop" };

  it("identity R-TERM-1: is read from the address; without a port the code is typed by hand", () => {
    expect(terminalOf(parseCliSearch(whole))).toEqual({ ...whole, port: 49152 });
    expect(terminalOf(parseCliSearch({ ...whole, port: undefined }))?.port).toBeNull();
  });

  it.each([{ code_challenge: "" }, { state: undefined }, { port: "80; rm" }, { port: "http://evil.example" }])(
    "identity R-TERM-1: an address that no terminal makes is none: %j",
    (other) => {
      expect(terminalOf(parseCliSearch({ ...whole, ...other }))).toBeNull();
    },
  );

  it("identity R-TERM-2: eight letters from the challenge, the same as in the terminal", () => {
    expect(userCode("nShdctZ6w-2O7DBbLcPPivUwaa6AeItwzaR3HuqkcMI")).toMatch(
      /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/,
    );
    expect(userCode("a")).not.toBe(userCode("b"));
  });
});
