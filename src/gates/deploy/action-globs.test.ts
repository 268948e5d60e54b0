import { expect, it } from "vitest";
import { actionMatch } from "./action-globs.ts";

it.each([
  ["mfa.*", ["mfa.verify", "mfa.a.b"], ["mfa", "mfa_method.create", "x.mfa.verify"]],
  ["deploy-approval-request.*", ["deploy_approval_request.approve"], ["deploy_approval.approve"]],
  ["*.failed", ["login.failed"], ["login.failed.twice", "failed"]],
  ["login.*_failed", ["login.oauth_failed", "login._failed"], ["login.failed"]],
  ["a*b*c", ["abc", "a.b.b.c"], ["ac", "acb", "abcd"]],
  ["a*a", ["aa", "aba"], ["a"]],
  ["*", ["anything"], []],
  ["release.promote", ["release.promote"], ["release.promoted", "release_promote"]],
] as const)("deploy R-SLACK-4: the glob %s", (glob, matching, others) => {
  const match = actionMatch([glob]);
  expect(matching.filter((name) => !match(name))).toEqual([]);
  expect(others.filter((name) => match(name))).toEqual([]);
});

it("deploy R-SLACK-4: what is no glob matches nothing, and no glob takes long", () => {
  for (const text of ["a b", "", "(a+)+", "x".repeat(101)]) expect(actionMatch([text])(text)).toBe(false);
  expect(actionMatch(["(.*)", "[a]"])("a")).toBe(false);
  const slow = actionMatch(["*a".repeat(50)]);
  expect(slow(`${"a".repeat(10_000)}b`)).toBe(false);
});
