import { describe, expect, it } from "vitest";
import { actor, idOf, machine, policy, Run, stage, START } from "../../test/support/engine-world.ts";
import { requesterOf } from "./create-request.ts";

const plain = policy({ stages: [stage({ order: 3 }), stage({ order: 7 })] });

describe("creating a request", () => {
  it("engine R-STAGE-7: the requester is the body's value, else the caller's assignee id", () => {
    expect(new Run(plain, { requester: "someone else", by: actor("maker") }).request.requester).toBe("someone else");
    expect(new Run(plain, { by: actor("maker") }).request.requester).toBe("maker");
    expect(requesterOf({ requester: null, actor: machine("pipeline") })).toBe("pipeline");
  });

  it("engine R-STAGE-7: the caller is kept as the credential said", () => {
    expect(new Run(plain, { by: machine("pipeline") }).request.creator).toEqual({
      issuer: "https://issuer.test",
      subject: "subject of pipeline",
      clientId: "pipeline",
      assignee: "pipeline",
      personId: null,
      machine: true,
      standsFor: [],
    });
    expect(new Run(plain, { by: actor("maker") }).request.creator).toMatchObject({
      personId: idOf("maker"),
      machine: false,
    });
  });

  it("engine section 4: it begins in the lowest stage, with the policy pinned and its times set", () => {
    const { request, latest } = new Run(plain);
    expect(request).toMatchObject({
      status: "in_review",
      currentStageOrder: 3,
      revision: 1,
      createdAt: START,
      completedAt: null,
      outcome: null,
      eventCount: 2,
      policy: { key: "payout", version: 1 },
    });
    expect(latest[0]).toMatchObject({ type: "request_created", sequence: 1, stageOrder: 3, actor: { id: "pipeline" } });
  });

  it("engine R-API-21: another artifact type than the policy's is refused, unless the setting allows it", () => {
    const refused = new Run(plain, { artifactType: "other" });
    expect(refused.refusal).toMatchObject({
      refusal: "artifact_type_mismatch",
      details: [{ path: ["body", "artifact_type"] }],
    });
    const lax = new Run(plain, { artifactType: "other", settings: { enforceArtifactType: false } });
    expect(lax.request.artifactType).toBe("other");
  });

  it("engine R-TTL-1: a caller may shorten the policy's life of a request, not lengthen it", () => {
    const short = policy({ requestTtlHours: 24, stages: [stage()] });
    expect(new Run(short, { expiresInHours: 24 }).refusal).toBeNull();
    expect(new Run(short, { expiresInHours: 25 }).refusal).toMatchObject({
      refusal: "invalid_input",
      message: "expires_in_hours may be at most 24",
      details: [{ path: ["body", "expires_in_hours"] }],
    });
  });

  it("deploy R-EXPIRY-2: a gate gives minutes, within what the policy allows", () => {
    const short = policy({ requestTtlHours: 24, stages: [stage()] });
    expect(new Run(short, { expiresInMinutes: 90 }).request.expiresAt).toBe(START + 90 * 60_000);
    expect(new Run(short, { expiresInMinutes: 24 * 60 + 1 }).refusal?.refusal).toBe("invalid_input");
  });

  it("policies section 4: a policy without stages approves nothing", () => {
    expect(() => new Run(policy({ stages: [] }))).toThrow("policy payout has no stage");
  });
});
