import { describe, expect, it } from "vitest";
import { knownPermission } from "../app/known-permission.ts";
import { authorizationTable, type Row } from "./authorization.ts";
import { routeDifferences, RoutesDiffer } from "./route-check.ts";

const row: Row = {
  method: "GET",
  url: "/x",
  mount: "both",
  access: "any",
  permission: null,
  scope: null,
  credentials: ["person_jwt"],
  assurance: "session",
  others: null,
  enrolment: false,
};
const routes = [
  { method: "GET", url: "/v1/awe/x" },
  { method: "GET", url: "/v1/x" },
];

describe("the authorization table and the server", () => {
  it("identity R-AUTHZ-5: whatever a row asks for can be given", () => {
    const asked = authorizationTable.flatMap(({ permission, scope, others }) => [
      ...(permission === null ? [] : [permission]),
      ...(scope === null ? [] : [scope]),
      ...(others === null ? [] : [others.permission]),
    ]);
    expect(asked.length).toBeGreaterThan(50);
    expect(asked.filter((permission) => knownPermission(permission) !== permission)).toEqual([]);
  });

  it("identity R-AUTHZ-1: agree when each route has its row and each row its routes", () => {
    expect(routeDifferences([row], routes)).toEqual([]);
  });

  it("identity R-AUTHZ-1: a route without a row is named", () => {
    expect(routeDifferences([row], [...routes, { method: "DELETE", url: "/v1/x" }])).toEqual([
      "DELETE /v1/x has no row in the authorization table",
    ]);
  });

  it("identity R-AUTHZ-1: a row without a route is named", () => {
    expect(routeDifferences([row], routes.slice(0, 1))).toEqual(["GET /v1/x has a row but no route"]);
  });

  it("identity R-AUTHZ-1: what stands twice is named", () => {
    const differences = routeDifferences([row, { ...row, mount: "v1" }], [...routes, ...routes.slice(0, 1)]);
    expect(differences).toEqual([
      "GET /v1/x has more than one row in the authorization table",
      "GET /v1/awe/x is mounted more than once",
    ]);
    expect(new RoutesDiffer(differences).message).toContain("does not start: GET /v1/x has more than one row");
  });
});
