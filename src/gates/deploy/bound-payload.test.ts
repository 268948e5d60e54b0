import { describe, expect, it } from "vitest";
import { deployBoundPayload, type DeployBound } from "./bound-payload.ts";

const bound: DeployBound = {
  ...{ artifactType: "deploy", artifactId: "production/myapp@abc", requester: "ci", revision: 1, salt: "salt" },
  policy: { digest: "sha256:policy" },
  context: { scope: "production", app: "myapp", git_commit_hash: "abc", message: "Ship", hour: 3 },
};

describe("the bound payload of a deploy approval", () => {
  it("deploy R-REQ-7: holds exactly the bound members of the context, absent ones as null", () => {
    expect(deployBoundPayload(bound)).toEqual({
      ...{ v: 1, gate: "deploy", salt: "salt", policy_digest: "sha256:policy", artifact_type: "deploy" },
      ...{ artifact_id: "production/myapp@abc", requester: "ci", revision: 1 },
      context: {
        ...{ scope: "production", app: "myapp", git_commit_hash: "abc", git_branch: null, target_api_token_id: null },
        ...{ message: "Ship", pr_url: null, ci: null, images: null, source_tree: null },
      },
    });
  });

  it("deploy R-REQ-7: what only rules look at changes nothing, what is bound does", () => {
    const later = { ...bound, context: { ...bound.context, hour: 4 } };
    const other = { ...bound, context: { ...bound.context, message: "Ship it" } };
    expect(deployBoundPayload(later)).toEqual(deployBoundPayload(bound));
    expect(deployBoundPayload(other)).not.toEqual(deployBoundPayload(bound));
  });
});
