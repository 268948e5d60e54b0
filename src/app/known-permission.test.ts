/** Every permission that is asked for anywhere can be written down, and nothing else can. */
import { describe, expect, it } from "vitest";
import { ROLES } from "../core/roles.ts";
import { knownPermission } from "./known-permission.ts";

describe("permissions that are written down", () => {
  it("identity R-AUTHZ-5: whatever a role holds is known, in its one spelling", () => {
    const held = ROLES.flatMap(({ permissions }) => permissions);
    for (const permission of held) expect(knownPermission(permission), permission).toBe(permission);
  });

  it.each([
    ["approval:request:*", "approval:request:*"],
    ["org:identity-provider:read", "org:identity_provider:read"],
    ["gateway:audit-log:read", "ledger:entry:read"],
    ["convox:deploy:deploy-with-approval", "convox:deploy:deploy_with_approval"],
    ["org:token:unlimited", "org:token:unlimited"],
  ])("identity R-AUTHZ-5: %s is written %s", (text, permission) => {
    expect(knownPermission(text)).toBe(permission);
  });

  it.each([
    ...["org:unicorn:read", "org:user:levitate", "org:unicorn:*", "org:*:levitate", "approval:task:retry"],
    ...["convox:spaceship:read", "gateway:user:levitate", "ledger:constructor:read", "constructor:user:read"],
  ])("identity R-AUTHZ-5: %s is unknown", (text) => {
    expect(knownPermission(text)).toBeNull();
  });
});
