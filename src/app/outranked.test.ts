/** Who may act on whom, by the roles that both hold. */
import { describe, expect, it } from "vitest";
import { isRefusal } from "../core/refusal.ts";
import { permissionsOf } from "../core/roles.ts";
import { outrankedBy, standingOf } from "./outranked.ts";

const HERE = "5f0c2c9e-5f5b-4b5d-9d3e-0d8a9e6f0a11";
const ELSEWHERE = "6f0c2c9e-5f5b-4b5d-9d3e-0d8a9e6f0a22";

interface Held {
  readonly role: string;
  readonly orgId?: string | null;
  readonly ended?: true;
}

function outcome(actor: readonly string[], held: readonly Held[]): string {
  const grants = held.map(({ role, orgId = HERE, ended }) => ({ role, orgId, endedAt: ended === true ? 1 : null }));
  const refused = outrankedBy(permissionsOf(actor), standingOf(grants, HERE));
  return refused !== null && isRefusal(refused) ? refused.refusal : "may";
}

describe("who may act on whom", () => {
  it.each<[string, readonly string[], readonly Held[], string]>([
    ["nobody in particular", ["org_admin"], [], "may"],
    ["an equal", ["org_admin"], [{ role: "org_admin" }], "may"],
    ["who holds less", ["org_admin"], [{ role: "org_viewer" }], "may"],
    ["who holds something else", ["org_admin"], [{ role: "deployer" }], "permission_denied"],
    ["who held more once", ["org_admin"], [{ role: "admin", ended: true }], "may"],
    [
      "who runs the installation",
      ["admin", "org_admin"],
      [{ role: "platform_superuser", orgId: null }],
      "permission_denied",
    ],
    ["who runs it as oneself does", ["platform_superuser"], [{ role: "platform_superuser", orgId: null }], "may"],
    ["who runs it in full", ["platform_admin"], [{ role: "platform_superuser", orgId: null }], "permission_denied"],
    ["a viewer of elsewhere", ["admin", "org_admin"], [{ role: "viewer", orgId: ELSEWHERE }], "permission_denied"],
    ["a viewer of elsewhere, as who runs it", ["platform_superuser"], [{ role: "viewer", orgId: ELSEWHERE }], "may"],
    ["a former viewer of elsewhere", ["org_admin"], [{ role: "viewer", orgId: ELSEWHERE, ended: true }], "may"],
  ])("identity R-ROLE-3: acting on %s", (_whom, actor, held, expected) => {
    expect(outcome(actor, held)).toBe(expected);
  });
});
