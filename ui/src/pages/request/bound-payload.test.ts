import { describe, expect, it } from "vitest";

import { deployBoundPayload } from "../../../../src/gates/deploy/bound-payload.ts";
import { boundPayload as genericBoundPayload } from "../../../../src/gates/generic/bound-payload.ts";
import { boundPayload } from "./bound-payload.ts";

const context = {
  scope: "production",
  app: "myapp",
  git_commit_hash: "a".repeat(40),
  message: "m",
  hour: 7,
  extra: [1],
};
const about = { requester: "rita", revision: 2, context };
const wire = { ...about, artifact_type: "deploy", artifact_id: "x", salt: "s", policy_digest: "d" };
const engine = { ...about, artifactType: "deploy", artifactId: "x", salt: "s", policy: { digest: "d" } };

describe("the text that an approval is bound to", () => {
  it("deploy R-REQ-7, console R-CON-2: is the one that the gate of the request computes the digest of", () => {
    expect(boundPayload({ gate: "deploy", ...wire })).toEqual(deployBoundPayload(engine));
    expect(boundPayload({ gate: "generic", ...wire })).toEqual(genericBoundPayload(engine));
  });
});
