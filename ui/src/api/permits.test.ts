import { describe, expect, it } from "vitest";

import { permits } from "./permits.ts";

describe("what is offered to somebody", () => {
  it.each([
    [["org:user:read"], "org:user:read", true],
    [["org:*:read"], "org:user:read", true],
    [["platform:*:*"], "platform:org:create", true],
    [["org:*:read"], "org:user:write", false],
    [["org:user"], "org:user:read", false],
    [[], "org:user:read", false],
  ])("console R-CON-4: with %j, %s is offered: %s", (granted, needed, offered) => {
    expect(permits(granted, needed)).toBe(offered);
  });
});
