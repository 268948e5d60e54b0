import { describe, expect, it } from "vitest";
import {
  expression,
  group,
  idSource,
  memberKey,
  observer,
  person,
  requires,
  role,
  users,
} from "../../test/support/engine-world.ts";
import { findCandidates, isResolutionFailure, type Candidates } from "./candidates.ts";
import type { Facts } from "./facts.ts";
import type { JsonObject } from "./json.ts";
import type { ApproverRule } from "./policy.ts";

const facts: Facts = {
  people: new Map(["ann", "bob", "cid", "7"].map((name) => [name, person(name)])),
  lookups: new Map([
    [memberKey("finance"), { ok: true, members: [person("bob"), person("dan"), person("gone", { disabled: true })] }],
    [memberKey("/leads"), { ok: true, members: [person("eva"), person("robot", { machine: true })] }],
    [memberKey("down"), { ok: false, error: "no answer" }],
  ]),
  delegations: new Map(),
  newId: idSource(),
};

function find(rules: readonly ApproverRule[], data: JsonObject = {}): Candidates {
  const found = findCandidates(rules, data, facts, (who) => (who.machine ? { reason: "machine" } : null));
  if (isResolutionFailure(found)) throw new Error(found.error);
  return found;
}

const approvers = (rules: readonly ApproverRule[], data: JsonObject = {}): readonly string[] =>
  find(rules, data).approvers.map((candidate) => candidate.person.assignee);

describe("candidates", () => {
  it("engine R-RULE-1: the union of the rules in rule order, first seen first, each once", () => {
    expect(approvers([...users("cid"), role("finance"), group("/leads"), ...users("ann", "bob")])).toEqual([
      "cid",
      "bob",
      "dan",
      "eva",
      "ann",
    ]);
  });

  it("engine R-RULE-1: who is both approver and observer is an approver only, whatever the order", () => {
    const found = find([observer("ann"), observer("bob"), ...users("ann")]);
    expect(found.approvers.map(({ person: { assignee } }) => assignee)).toEqual(["ann"]);
    expect(found.observers.map(({ assignee }) => assignee)).toEqual(["bob"]);
  });

  it("policies section 2: required if any rule that finds the person says so", () => {
    expect(find([...users("ann"), requires("ann"), ...users("ann")]).approvers).toMatchObject([{ required: true }]);
    expect(find([requires("ann"), ...users("ann")]).approvers).toMatchObject([{ required: true }]);
    expect(find(users("ann")).approvers).toMatchObject([{ required: false }]);
  });

  it("engine R-RULE-2: disabled people and machines are left out and named, observers too", () => {
    const watchers: ApproverRule = { ...group("/leads"), kind: "observer" };
    const found = find([role("finance"), watchers]);
    expect(found.excluded).toEqual([
      { user: "gone", reason: "disabled" },
      { user: "robot", reason: "machine" },
    ]);
    expect(found.observers.map(({ assignee }) => assignee)).toEqual(["eva"]);
  });

  it("engine R-RULE-3: text is one name, a list its items in order, anything else nobody", () => {
    const rule = [expression({ var: "who" })];
    expect(approvers(rule, { who: " ann " })).toEqual(["ann"]);
    expect(approvers(rule, { who: ["bob", "", 7, null, {}, "ann", "bob"] })).toEqual(["bob", "7", "ann"]);
    expect(approvers(rule, { who: 7 })).toEqual([]);
    expect(approvers(rule, { who: true })).toEqual([]);
    expect(approvers(rule, { who: { name: "ann" } })).toEqual([]);
    expect(approvers(rule)).toEqual([]);
  });

  it("engine R-RESOLVE-6: what could not be looked up or evaluated is a failure, not nobody", () => {
    const failure = (rules: readonly ApproverRule[]): object => findCandidates(rules, {}, facts, () => null);
    expect(failure([...users("ann"), role("down")])).toEqual({ rule: "role down", error: "no answer" });
    expect(failure([group("/unasked")])).toEqual({ rule: "group /unasked", error: "the directory was not asked" });
    expect(failure(users("stranger"))).toEqual({ rule: "user stranger", error: "the directory was not asked" });
    expect(failure([expression({ nonsense: 1 })])).toMatchObject({ rule: "expression" });
  });
});
