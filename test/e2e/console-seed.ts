import type { ConsoleServer } from "./console-server.ts";

/** A policy of two stages that every test of the console asks under; each test has requests of its own. */
export const seededPolicy = {
  policy_key: "payout.v1",
  name: "Supplier payout",
  description: "Money that leaves the company account.",
  artifact_type: "payout.batch",
  forbid_self_approval: true,
  stages: [
    {
      name: "Finance officers",
      stage_order: 1,
      mode: "any-n",
      mode_value: 1,
      sla_hours: 8,
      rules: [user("alva"), user("bela")],
    },
    {
      name: "Treasury",
      stage_order: 2,
      mode: "all",
      skip_if: { "<": [{ var: "amount" }, 10_000] },
      rules: [user("dova")],
    },
  ],
};

function user(name: string): unknown {
  return { rule_type: "user", rule_value: { user_id: name } };
}

export async function seedPolicy(server: ConsoleServer): Promise<void> {
  const admin = server.as("maren", ["AWE_ADMIN"]);
  await admin.post("/v1/policies", seededPolicy);
  await admin.post("/v1/policies/payout.v1/versions/1/activate", {});
}

export interface Asked {
  readonly id: string;
  readonly artifactId: string;
}

let asked = 0;

/** A request by cira under the seeded policy, below the amount that needs the treasury unless told otherwise. */
export async function ask(server: ConsoleServer, context: Record<string, unknown> = {}): Promise<Asked> {
  asked += 1;
  const artifactId = `batch-${String(asked)}`;
  const created = await server.as("cira").post("/v1/requests", {
    policy_key: "payout.v1",
    artifact_type: "payout.batch",
    artifact_id: artifactId,
    context: { amount: 1_200, reason: "Monthly supplier run", ...context },
  });
  const id = created["request_id"];
  if (typeof id !== "string") throw new Error("The created request has no id");
  return { id, artifactId };
}
