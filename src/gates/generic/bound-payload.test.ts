import { describe, expect, it } from "vitest";
import { boundPayload, type Bound } from "./bound-payload.ts";

const bound: Bound = {
  salt: "cHFyc3R1dnd4eXp7fH1-fw",
  policy: { digest: "sha256:ab" },
  artifactType: "payout.batch",
  artifactId: "batch-7",
  requester: "ann",
  revision: 1,
  context: { amount: 5 },
};

describe("what an approval is bound to", () => {
  it("engine R-STAGE-6: has exactly these members", () => {
    expect(boundPayload(bound)).toEqual({
      v: 1,
      gate: "generic",
      salt: "cHFyc3R1dnd4eXp7fH1-fw",
      policy_digest: "sha256:ab",
      artifact_type: "payout.batch",
      artifact_id: "batch-7",
      requester: "ann",
      revision: 1,
      context: { amount: 5 },
    });
  });

  it("engine R-STAGE-6: is another payload when anything that is bound changes", () => {
    const changes: readonly Partial<Bound>[] = [
      { salt: "other" },
      { policy: { digest: "sha256:cd" } },
      { artifactType: "payout" },
      { artifactId: "batch-8" },
      { requester: "bob" },
      { revision: 2 },
      { context: { amount: 6 } },
    ];
    const texts = [{}, ...changes].map((change) => JSON.stringify(boundPayload({ ...bound, ...change })));
    expect(new Set(texts).size).toBe(changes.length + 1);
  });
});
