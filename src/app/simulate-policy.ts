/** What a policy version would do with a context; writes nothing (R-SIM-1). */
import { tryCompilePolicy } from "../core/compile-policy.ts";
import { expressionData, factsNeeded } from "../core/facts.ts";
import type { JsonObject } from "../core/json.ts";
import type { Instant } from "../core/person.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import { nobodysQuestion, simulate, type Simulation } from "../core/simulate.ts";
import type { PolicyVersion } from "../ports/change-set.ts";
import type { StoreCommand } from "../ports/command-store.ts";
import type { Application } from "./application.ts";
import { NO_CHANGE } from "./no-change.ts";

export interface SimulatePolicyInput {
  readonly key: string;
  readonly version: number;
  readonly context: JsonObject;
  readonly requester: string | null;
  readonly at: Instant | null;
}

export interface PolicySimulated {
  readonly version: PolicyVersion;
  readonly simulation: Simulation;
}

export async function simulatePolicy(app: Application, input: SimulatePolicyInput): Promise<PolicySimulated | Refusal> {
  const version = await app.reader.policyVersion(input.key, input.version);
  if (version === undefined) {
    return refuse("policy_not_found", `Policy '${input.key}' v${String(input.version)} not found`);
  }
  const compiled = tryCompilePolicy(version.document);
  if (!compiled.ok) {
    const details = compiled.problems.map(({ code, path, message }) => ({ path: [path], message, code }));
    return refuse("policy_invalid", compiled.problems.map(({ message }) => message).join("; "), details);
  }
  const { policy } = compiled;
  const pin = { id: version.id, key: version.key, version: version.version, digest: version.digest };
  const question = nobodysQuestion(policy, { pin, context: input.context, requester: input.requester });
  // The facts come the way a command gets them; a command that changes nothing is rolled back.
  const command: StoreCommand<PolicySimulated> = {
    name: "simulate_policy",
    needs: {},
    gather: () => factsNeeded(policy.stages, expressionData(question)),
    carryOut: (world, facts) => {
      const simulation = simulate(policy, question, { facts, now: input.at ?? world.now });
      return { answer: { version, simulation }, changes: NO_CHANGE };
    },
  };
  return app.store.submit(command);
}
