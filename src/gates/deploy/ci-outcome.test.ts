import { describe, expect, it } from "vitest";
import { ciEffectOf, type CiSettings, type DeployOutcome } from "./ci-outcome.ts";

const outcomes: readonly DeployOutcome[] = ["approved", "rejected", "expired", "cancelled", "superseded", "deployed"];
const settings: CiSettings = {
  ...{
    provider: "circleci",
    vcsProvider: "github",
    vcsRepo: "MyOrg/myapp",
    approvalJobName: "approve",
    autoApprove: true,
  },
  ...{ cancelOnRejection: false, githubEnvironment: null, webhookUrl: null },
};

function effects(changed: Partial<CiSettings>): string {
  return outcomes.map((outcome) => ciEffectOf(outcome, { ...settings, ...changed }) ?? "-").join(" ");
}

describe("what CI is told", () => {
  // In the order approved, rejected, expired, cancelled, superseded, deployed.
  it.each<[Partial<CiSettings>, string]>([
    [{}, "unblock - - - - -"],
    [{ cancelOnRejection: true }, "unblock close - close close -"],
    [{ autoApprove: false }, "- - - - - -"],
    [{ approvalJobName: "" }, "- - - - - -"],
    [{ provider: "github_actions" }, "unblock close close close close -"],
    [{ provider: "gitlab" }, "unblock close close close close -"],
    [{ provider: "buildkite" }, "unblock - - - - -"],
    [{ provider: "buildkite", cancelOnRejection: true }, "unblock close - close close -"],
    [{ provider: "webhook", webhookUrl: "https://ci.example" }, "unblock close close close close close"],
    [{ provider: "webhook" }, "- - - - - -"],
    [{ provider: "jenkins" }, "- - - - - -"],
  ])("deploy R-CI-5, R-CI-7: with %j: %s", (changed, expected) => {
    expect(effects(changed)).toBe(expected);
  });
});
