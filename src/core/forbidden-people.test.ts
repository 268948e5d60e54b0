import { describe, expect, it } from "vitest";
import {
  actor,
  admin,
  delegation,
  idOf,
  person,
  policy,
  Run,
  stage,
  users,
  type Scene,
} from "../../test/support/engine-world.ts";
import { forbiddenNames } from "./forbidden-people.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import type { Policy } from "./policy.ts";

function strict(change: Partial<Policy> = {}, paths: readonly string[] = ["commit.authors", "owner"]): Policy {
  const stages = [stage({ mode: "any-n", rules: users("ann", "bob", "cid"), slaHours: 1 })];
  return policy({ forbiddenApprovers: paths, stages, ...change });
}

function asked(context: JsonObject, scene: Scene = {}, pinned = strict()): Run {
  return new Run(pinned, { context, ...scene });
}

describe("people whom the context names", () => {
  it("engine R-SOD-1: whoever stands at a path, as text or in a list, gets no seat, and the path is told", () => {
    const run = asked({ commit: { authors: ["bob", "nobody"] }, owner: "cid" });
    expect(run.waitingFor()).toEqual(["ann"]);
    expect(run.stage().excluded).toEqual([
      { user: "bob", reason: "forbidden", path: "commit.authors" },
      { user: "cid", reason: "forbidden", path: "owner" },
    ]);
  });

  it.each(["BOB", " bob ", "ｂｏｂ", "Robert@Example.org", `usr_${idOf("bob").replaceAll("-", "")}`])(
    "engine R-AUTH-5, identity R-ID-3: an unsure match forbids: '%s' is bob under some name or id",
    (owner) => {
      const bob = person("bob", { foldedNames: ["bob", "robert@example.org"] });
      expect(asked({ owner }, { people: [bob] }).waitingFor()).toEqual(["ann", "cid"]);
    },
  );

  it.each<[string, JsonValue]>([
    ["nothing", null],
    ["a number", 7],
    ["an object", { id: "bob" }],
    ["an empty list", []],
    ["blanks", "  "],
    ["numbers in a list", [7, { bob: true }]],
  ])("engine R-SOD-6: %s at a path names nobody, bars nobody, and is shown", (_, owner) => {
    const run = asked({ owner });
    expect(run.waitingFor()).toEqual(["ann", "bob", "cid"]);
    expect(run.explain("ann").forbiddenApprovers).toEqual([
      { path: "commit.authors", found: false },
      { path: "owner", found: false },
    ]);
  });

  it("engine R-SOD-6: only what the context itself holds is read", () => {
    expect(forbiddenNames(["constructor.name", "__proto__", "a.length", "list.0"], { a: "x", list: ["bob"] })).toEqual(
      ["constructor.name", "__proto__", "a.length", "list.0"].map((path) => ({ path, names: null })),
    );
  });

  it("engine R-SOD-3: not as delegate, target of a reassignment, added person or administrator", () => {
    const pinned = strict({
      stages: [
        stage({
          ...{ mode: "any-n", rules: users("ann", "cid"), slaHours: 1 },
          ...{ onBreach: "escalate", escalationRules: users("bob", "dan") },
        }),
      ],
    });
    const run = asked({ owner: "bob" }, { delegations: [delegation("ann", "bob")] }, pinned);
    expect(run.eventsOf("delegation_skipped")).toMatchObject([{ delegate: "bob", reason: "barred" }]);
    expect(run.reassign("ann", "bob").refusal?.message).toContain("named in 'owner'");
    run.decide("approve", admin("bob"), { task: run.task("ann") });
    expect(run.refusal?.refusal).toBe("separation_of_duties");
    expect(run.later(1).waitingFor()).toEqual(["ann", "cid", "dan"]);
  });

  it("engine R-SOD-3: nor at the decision, when a name is known of them only since they were asked", () => {
    const run = asked({ owner: "robert" });
    run.around.people.set("bob", person("bob", { foldedNames: ["bob", "robert"] }));
    expect(run.approve("bob").refusal).toEqual({
      refusal: "separation_of_duties",
      message: "Separation of duties: who is named in 'owner' may not approve this request",
    });
    expect(run.explain("bob").you.reasons).toContainEqual({
      code: "forbidden_by_context",
      message: "You are named in 'owner', whose people may not approve this",
    });
    expect(run.approve(actor("ann")).status).toBe("approved");
  });

  it("engine R-SOD-1: nobody left ends the request at once", () => {
    expect(asked({ owner: ["ann", "bob", "cid"] }).status).toBe("rejected");
  });
});
