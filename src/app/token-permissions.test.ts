import { describe, expect, it } from "vitest";
import { permits } from "../core/permission.ts";
import { permissionsOf } from "../core/roles.ts";
import { beyond, lendable, tokenPermissions } from "./token-permissions.ts";

const WITH_APPROVAL = "convox:deploy:deploy_with_approval";
const admin = permissionsOf(["admin"]);
const deployer = permissionsOf(["deployer"]);
const viewer = permissionsOf(["viewer"]);

describe("what a token may do", () => {
  it("identity R-TOK-4: is what its scopes, its maker then and its owners now all allow", () => {
    const scopes = ["approval:request:create", "approval:request:read", "convox:app:restart"];
    const bounds = { scopes, creatorPermissions: admin };
    expect(tokenPermissions({ ...bounds, owners: [admin] })).toEqual(scopes);
    expect(tokenPermissions({ ...bounds, owners: [deployer] })).toEqual([
      "approval:request:read",
      "convox:app:restart",
    ]);
    expect(tokenPermissions({ ...bounds, owners: [viewer] })).toEqual(["approval:request:read"]);
    expect(tokenPermissions({ ...bounds, creatorPermissions: viewer, owners: [admin] })).toEqual([
      "approval:request:read",
    ]);
    expect(tokenPermissions({ ...bounds, owners: [[]] })).toEqual([]);
  });

  it("identity R-TOK-4: several owners lend what any of them holds, a service account is capped by nobody", () => {
    const bounds = { scopes: ["convox:app:restart", "convox:log:read"], creatorPermissions: admin };
    expect(tokenPermissions({ ...bounds, owners: [viewer, deployer] })).toEqual(bounds.scopes);
    expect(tokenPermissions({ ...bounds, owners: null })).toEqual(bounds.scopes);
    expect(tokenPermissions({ ...bounds, owners: [] })).toEqual([]);
  });

  it("identity R-TOK-4: who may promote a release may lend promoting it with an approval, and nothing more", () => {
    expect(permits(deployer, WITH_APPROVAL)).toBe(false);
    expect(beyond([WITH_APPROVAL, "convox:release:promote"], deployer)).toEqual([]);
    expect(beyond([WITH_APPROVAL], viewer)).toEqual([WITH_APPROVAL]);
    const bounds = { scopes: [WITH_APPROVAL], creatorPermissions: lendable(deployer) };
    expect(tokenPermissions({ ...bounds, owners: [deployer] })).toEqual([WITH_APPROVAL]);
    expect(tokenPermissions({ ...bounds, owners: [permissionsOf(["ops"])] })).toEqual([]);
  });

  it("identity R-TOK-4: a wildcard is wider than each permission under it", () => {
    expect(beyond(["convox:app:*"], deployer)).toEqual(["convox:app:*"]);
    expect(beyond(["convox:app:*", "org:token:read"], admin)).toEqual([]);
    expect(beyond(["*:*:read"], admin)).toEqual(["*:*:read"]);
  });

  it("identity R-TOK-5: never decides, whatever was stored", () => {
    const scopes = [
      "approval:*:*",
      "gateway:deploy_approval_request:approve",
      "approval:task:decide",
      "org:token:read",
    ];
    expect(tokenPermissions({ scopes, creatorPermissions: admin, owners: null })).toEqual(["org:token:read"]);
  });
});
