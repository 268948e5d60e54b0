/**
 * Two instances of the application on one database, as two server processes would be: each with its own connection, queue and
 * policy cache. What they share is Postgres alone.
 */
import { activatePolicy } from "../../src/app/activate-policy.ts";
import type { Application } from "../../src/app/application.ts";
import { addPolicyVersion } from "../../src/app/add-policy-version.ts";
import { createPolicy } from "../../src/app/create-policy.ts";
import { createRequest } from "../../src/app/create-request.ts";
import { decideTask } from "../../src/app/decide-task.ts";
import { isReplay, type Once } from "../../src/app/idempotency.ts";
import type { TaskId } from "../../src/core/ids.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { Actor } from "../../src/app/admitted-actor.ts";
import { isRefusal, type Refusal } from "../../src/core/refusal.ts";
import type { DecisionAction, Request } from "../../src/core/request.ts";
import { initialize, openApplication, type TestApplication, type TestApplicationOptions } from "./test-application.ts";

export interface RaceWorld {
  /** The first process and the second one. */
  readonly sides: readonly [TestApplication, TestApplication];
  readonly admin: Actor;
  actor(name: string): Actor;
  close(): Promise<void>;
}

export interface RacePolicy extends JsonObject {
  readonly policy_key: string;
}

/** A stage of users; `mode` is `all` unless said otherwise. */
export interface RaceStage {
  readonly people: readonly string[];
  readonly mode?: "all" | "any-n";
  readonly slaHours?: number;
  readonly onBreach?: "auto_reject";
}

export async function openRaceWorld(
  url: string,
  people: readonly string[],
  options: Partial<TestApplicationOptions> = {},
): Promise<RaceWorld> {
  const orgId = await initialize(url);
  const sides = [openApplication(url, { ...options, orgId }), openApplication(url, { ...options, orgId })] as const;
  const admin = await sides[0].admin();
  const actors = new Map<string, Actor>();
  for (const name of people) actors.set(name, await sides[0].person(name));
  return {
    sides,
    admin,
    actor(name) {
      const actor = actors.get(name);
      if (actor === undefined) throw new Error(`${name} is not of this world`);
      return actor;
    },
    close: async () => {
      await Promise.all(sides.map((side) => side.close()));
    },
  };
}

export async function activate({ sides: [{ app }], admin }: RaceWorld, document: RacePolicy): Promise<string> {
  const key = document.policy_key;
  done(await createPolicy(app, admin, document, null));
  done(await activatePolicy(app, admin, { key, version: 1 }, null));
  return key;
}

/** Version 2 of a line, as a draft. */
export async function addVersion({ sides: [{ app }], admin }: RaceWorld, document: RacePolicy): Promise<void> {
  done(await addPolicyVersion(app, admin, { key: document.policy_key, document }, null));
}

export function ask(
  app: Application,
  actor: Actor,
  wanted: { readonly policyKey: string; readonly artifactId?: string; readonly hours?: number },
  call: Once<Request> | null = null,
): ReturnType<typeof createRequest> {
  const { policyKey, artifactId = "p-1", hours = null } = wanted;
  const input = { policyKey, artifactType: "payout", artifactId, context: { amount: 5 }, requester: null };
  return createRequest(app, actor, { ...input, expiresInHours: hours }, call);
}

export function decide(
  app: Application,
  actor: Actor,
  taskId: TaskId,
  action: DecisionAction,
): ReturnType<typeof decideTask> {
  const rest = { comment: null, attachmentsRef: null, reasonCode: null, digest: null };
  return decideTask(app, actor, { taskId, action, ...rest }, null);
}

/** The open task of somebody in a request. */
export function taskOf(request: Request, name: string): TaskId {
  const tasks = request.stages.flatMap((run) => run.tasks);
  const task = tasks.find((candidate) => candidate.assignee === name && candidate.status === "open");
  if (task === undefined) throw new Error(`${name} has no open task`);
  return task.id;
}

/** What an answer says, for counting: the code of the refusal, or "done". */
export function verdictOf(answer: object): string {
  return isRefusal(answer) ? answer.refusal : isReplay(answer) ? "replayed" : "done";
}

/** The answer of a command that must succeed. */
export function done<Answer extends object>(answer: Answer | Refusal): Exclude<Answer, Refusal | { replayed: true }> {
  if (isDone(answer)) return answer;
  throw new Error(`Unexpected: ${JSON.stringify(answer)}`);
}

function isDone<Answer extends object>(
  answer: Answer | Refusal,
): answer is Exclude<Answer, Refusal | { replayed: true }> {
  return !isRefusal(answer) && !isReplay(answer);
}

export function racePolicy(key: string, stages: readonly RaceStage[]): RacePolicy {
  return {
    policy_key: key,
    name: key,
    description: null,
    artifact_type: "payout",
    forbid_self_approval: false,
    forbid_repeat_approvers: false,
    stages: stages.map(({ people, mode = "all", slaHours = null, onBreach = null }, index) => ({
      name: `Stage ${String(index + 1)}`,
      stage_order: index + 1,
      mode,
      mode_value: mode === "any-n" ? 1 : null,
      sla_hours: slaHours,
      skip_if: null,
      on_empty: "block",
      parallel_group: null,
      on_breach: onBreach,
      escalation_rules: [],
      rules: people.map((name) => ({
        rule_type: "user",
        rule_value: { user_id: name },
        kind: "approver",
        required: false,
      })),
    })),
  };
}
