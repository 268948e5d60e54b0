import { describe, expect, it } from "vitest";
import type { JsonObject } from "../core/json.ts";
import { isPrincipalFault, principalOf } from "./principal.ts";

const settings = { roleClients: ["awe-admin-portal"], machineClaims: { typ: ["Bot"] } };

function read(claims: JsonObject): ReturnType<typeof principalOf> {
  return principalOf({ claims, issuer: "https://idp.example" }, settings);
}

describe("whom a token names", () => {
  it.each([
    [{ sub: "s", preferred_username: " ana ", username: "b" }, "ana"],
    [{ sub: "s", preferred_username: "  ", username: "ben" }, "ben"],
    [{ sub: "s", preferred_username: 5, username: null }, "s"],
    [{ sub: " s " }, "s"],
  ])("engine R-AUTH-2: the assignee id is the first claim that is not blank: %j", (claims, assignee) => {
    expect(read(claims)).toMatchObject({ assignee });
  });

  it("engine R-AUTH-20: a token without `sub` is refused, whatever else it says", () => {
    const refused = { code: "token_invalid", message: "Token missing `sub` claim" };
    expect(read({ preferred_username: "ana" })).toEqual(refused);
    expect(read({ sub: 7, preferred_username: "ana" })).toEqual(refused);
    expect(read({ sub: "" })).toEqual(refused);
  });

  it("engine R-AUTH-20: a token whose names are all blank names nobody", () => {
    expect(read({ sub: "  " })).toMatchObject({ code: "no_assignee" });
  });

  it.each(["a\u0000b", "\ud800", "x".repeat(256)])(
    "engine R-API-9: a name that cannot be stored is no name: %j",
    (name) => {
      expect(read({ sub: "s", preferred_username: name })).toMatchObject({ code: "token_invalid" });
      expect(read({ sub: name, preferred_username: "ana" })).toMatchObject({ code: "token_invalid" });
      expect(read({ sub: "s", azp: name })).toMatchObject({ code: "token_invalid" });
      expect(read({ sub: "s", name, email: name })).toMatchObject({ assignee: "s", name: null, email: null });
    },
  );

  it.each([
    [{ sub: "s", preferred_username: "service-account-ci" }],
    [{ sub: "s", gty: "client-credentials" }],
    [{ sub: "s", idtyp: "app" }],
    [{ sub: "ci", client_id: "ci" }],
    [{ sub: "ci", azp: "ci" }],
    [{ sub: "s", typ: "Bot" }],
  ])("engine R-AUTH-6: the token of a machine is known as one: %j", (claims) => {
    expect(read(claims)).toMatchObject({ machine: true });
  });

  it("engine R-AUTH-6: a person's token is not a machine's because it came through a client", () => {
    expect(read({ sub: "s", preferred_username: "ana", azp: "portal", typ: "Bearer" })).toMatchObject({
      machine: false,
      clientId: "portal",
    });
  });

  it("engine R-AUTH-23: roles are the realm's and those of the configured clients, and no others", () => {
    const principal = read({
      sub: "s",
      realm_access: { roles: ["AWE_VIEWER", 3] },
      resource_access: { "awe-admin-portal": { roles: ["AWE_ADMIN"] }, other: { roles: ["AWE_SUPER"] } },
    });
    expect(isPrincipalFault(principal) ? null : [...principal.roles].sort()).toEqual(["AWE_ADMIN", "AWE_VIEWER"]);
  });

  it("identity R-IDP-8: an issuer's own roles that are called like ours give nothing", () => {
    const roles = ["admin", "org_admin", "viewer", "platform_superuser", "AWE_VIEWER"];
    const access = { realm_access: { roles }, resource_access: { "awe-admin-portal": { roles } } };
    expect(read({ sub: "s", ...access })).toMatchObject({ roles: ["AWE_VIEWER"] });
  });

  it.each([[{ realm_access: "AWE_ADMIN" }], [{ realm_access: { roles: "AWE_ADMIN" } }], [{ resource_access: [] }]])(
    "engine R-AUTH-23: roles in any other form are no roles: %j",
    (claims) => {
      expect(read({ sub: "s", ...claims })).toMatchObject({ roles: [] });
    },
  );
});
