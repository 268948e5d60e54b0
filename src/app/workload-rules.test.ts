import { describe, expect, it } from "vitest";
import type { JsonObject } from "../core/json.ts";
import { isRefusal } from "../core/refusal.ts";
import type { WorkloadProviderRecord } from "../ports/identity-records.ts";
import { deployRulesFault, letsIn, providerConditions, rulesFault, type WorkloadRules } from "./workload-rules.ts";

const github: WorkloadRules = {
  preset: "github",
  issuer: "https://token.actions.githubusercontent.com",
  subjects: ["repo:acme/app:ref:refs/heads/main"],
  claims: { repository_id: ["1"] },
};

describe("rules of a workload provider", () => {
  it.each([
    "repo:acme/app*",
    "repo:acme/*app",
    "repo:*/app:ref",
    "*",
    ":*",
    "/*",
    "repo:acme/app:**",
    "repo:acme/app:*:*",
    "repo:acme/app-*",
    "",
  ])("identity R-WID-1: the subject %j is refused", (subject) => {
    expect(rulesFault({ ...github, subjects: [subject] })).toMatchObject({ refusal: "invalid_input" });
  });

  it.each(["repo:acme/app:*", "repo:acme/*", "repo:acme/app:ref:refs/heads/main"])(
    "identity R-WID-1: the subject %j is sound",
    (subject) => {
      expect(rulesFault({ ...github, subjects: [subject] })).toBeNull();
    },
  );

  it.each([
    ["github", "https://token.actions.githubusercontent.com", "repository_id"],
    ["gitlab", "https://gitlab.example.com", "project_id"],
    ["circleci", "https://oidc.circleci.com/org/3f1c2f5e-1111-4222-8333-444455556666", "oidc.circleci.com/project-id"],
    ["kubernetes", "https://kubernetes.default.svc", "kubernetes.io.serviceaccount.uid"],
  ] as const)("identity R-WID-2: %s demands an id that no name can stand for", (preset, issuer, id) => {
    const rules = { preset, issuer, subjects: ["a:b"] };
    expect(rulesFault({ ...rules, claims: {} })?.message).toContain(id);
    expect(rulesFault({ ...rules, claims: { [id]: [] } })?.message).toContain(id);
    expect(rulesFault({ ...rules, claims: { [id]: ["1"] } })).toBeNull();
  });

  it.each([
    ["github", "https://token.actions.githubusercontent.com.evil.example"],
    ["github", "https://token.actions.githubusercontent.com/"],
    ["circleci", "https://oidc.circleci.com/org/"],
    ["circleci", "https://oidc.circleci.com/org/3f1c2f5e-1111-4222-8333-444455556666/x"],
  ] as const)("identity R-WID-2: %s has no issuer %s", (preset, issuer) => {
    const ids = { repository_id: ["1"], "oidc.circleci.com/project-id": ["1"] };
    const fault = rulesFault({ preset, issuer, subjects: ["a:b"], claims: ids });
    expect(fault !== null && isRefusal(fault) && fault.message).toContain("no issuer");
  });
});

describe("a workload's claims", () => {
  const provider: WorkloadProviderRecord = {
    ...{ id: "p", orgId: "o", machineId: "m", name: "n", preset: "custom", issuer: "https://i.example", audience: "a" },
    ...{ subjects: ["repo:acme/app:*", "exact"], claims: { repository_id: ["1", "2"] }, scopes: [], enabled: true },
    ...{ limits: {}, bindCommit: true, createdAt: 0, updatedAt: 0, deletedAt: null },
  };

  it("identity R-WID-1: fit by whole subject, or by what stands before the star", () => {
    const letIn = (sub: unknown): boolean => letsIn(provider, { sub: String(sub), repository_id: "1" });
    expect([letIn("repo:acme/app:ref:refs/heads/main"), letIn("exact")]).toEqual([true, true]);
    expect(
      ["repo:acme/app-evil:ref", "repo:acme/app", "exactly", "Exact", "", "xrepo:acme/app:ref"].map(letIn),
    ).toEqual(Array.from({ length: 6 }, () => false));
  });

  it("identity R-WID-1: must have every bound claim, numbers as they are written", () => {
    const letIn = (claims: object): boolean => letsIn(provider, { sub: "exact", ...claims });
    expect([letIn({ repository_id: 2 }), letIn({ repository_id: ["9", "1"] })]).toEqual([true, true]);
    expect([letIn({}), letIn({ repository_id: "3" }), letIn({ repository_id: { id: "1" } })]).toEqual([
      ...[false, false, false],
    ]);
    expect(letsIn(provider, { repository_id: "1" })).toBe(false);
  });

  it("deploy R-OIDC-1: may end in a star behind a colon or a slash; ids and what could be given today never are wild", () => {
    const letIn = (claims: object, bound: JsonObject): boolean =>
      letsIn({ ...provider, claims: bound }, { sub: "exact", ...claims });
    const branches = { ref: ["refs/heads/release/*"] };
    expect(letIn({ ref: "refs/heads/release/1" }, branches)).toBe(true);
    expect([letIn({ ref: "refs/heads/release" }, branches), letIn({ ref: "refs/heads/releases/1" }, branches)]).toEqual(
      [...[false, false]],
    );
    expect([letIn({ ref: "refs/x" }, { ref: ["refs*"] }), letIn({ ref: "refs*" }, { ref: ["refs*"] })]).toEqual([
      ...[false, true],
    ]);
    expect(letIn({ repository_id: "a:1" }, { repository_id: ["a:*"] })).toBe(false);
  });

  it("deploy R-UI-6: issuer, audience and a provider that is switched off are conditions like any other", () => {
    const claims = { iss: provider.issuer, aud: ["x", "a"], sub: "exact", repository_id: 1 };
    const failing = (about: object, changed: Partial<WorkloadProviderRecord> = {}): readonly string[] =>
      providerConditions({ ...provider, ...changed }, { ...claims, ...about }).flatMap(({ claim, holds }) =>
        holds ? [] : [claim],
      );
    expect(failing({})).toEqual([]);
    expect(failing({ iss: "https://j.example", aud: "x" }, { enabled: false })).toEqual(["provider", "iss", "aud"]);
    expect(failing({ repository_id: 3 })).toEqual(["repository_id"]);
  });

  it("deploy R-OIDC-3: of a CircleCI job that was started anew over SSH let nobody in", () => {
    const circleci = { ...provider, preset: "circleci", claims: {} } as const;
    const letIn = (rerun: object): boolean => letsIn(circleci, { sub: "exact", ...rerun });
    const claim = "oidc.circleci.com/ssh-rerun";
    expect(letIn({ [claim]: false })).toBe(true);
    expect([letIn({ [claim]: true }), letIn({ [claim]: "false" }), letIn({})]).toEqual([false, false, false]);
  });
});

describe("a provider of the deploy gate", () => {
  const id = { repository_id: ["1"] };
  const custom: WorkloadRules = { preset: "custom", issuer: "https://ghe.example/oidc", subjects: ["a:b"], claims: id };

  it("deploy R-OIDC-1: is known by an id of the repository or project, on whatever platform", () => {
    expect(deployRulesFault(custom)).toBeNull();
    expect(deployRulesFault({ ...custom, claims: { pipeline_id: ["1"] } })).toBeNull();
    for (const claims of [{}, { repository: ["a/b"] }, { repository_owner_id: ["1"] }, { repository_id: [] }]) {
      expect(deployRulesFault({ ...custom, claims })).toMatchObject({ refusal: "invalid_input" });
    }
  });

  it.each([
    ["github", "https://token.actions.githubusercontent.com"],
    ["gitlab", "https://gitlab.com"],
    ["circleci", "https://oidc.circleci.com/org/3f1c2f5e-1111-4222-8333-444455556666"],
  ])("deploy R-OIDC-1: of %s is no custom one, whose rules would be looser", (preset, issuer) => {
    expect(deployRulesFault({ ...custom, issuer })?.message).toContain(preset);
  });
});
