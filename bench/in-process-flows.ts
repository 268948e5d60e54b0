/** Flows through the use cases of one application: create with a fresh key, then every approver's decision, then approved. */
import { randomUUID } from "node:crypto";
import { activatePolicy } from "../src/app/activate-policy.ts";
import type { Application } from "../src/app/application.ts";
import { createPolicy } from "../src/app/create-policy.ts";
import { createRequest } from "../src/app/create-request.ts";
import { decideTask } from "../src/app/decide-task.ts";
import { identify, type Principal } from "../src/app/identify.ts";
import { admitted, type Actor } from "../src/app/admitted-actor.ts";
import { isRefusal } from "../src/core/refusal.ts";
import type { Request } from "../src/core/request.ts";
import { approvalPolicy, approverName, ARTIFACT_TYPE, smallContext, upTo, type Shape } from "./approval-policy.ts";

export interface FlowWork {
  readonly app: Application;
  readonly shape: Shape;
  readonly policyKey: string;
  readonly requester: Actor;
  readonly approvers: ReadonlyMap<string, Actor>;
}

export interface Measured {
  readonly commandsPerSecond: number;
  /** Milliseconds of each command, from submission to the answer. */
  readonly create: readonly number[];
  readonly decide: readonly number[];
}

/** Everybody and the policy are known before anything is measured. */
export async function prepareFlows(app: Application, shape: Shape): Promise<FlowWork> {
  const policyKey = `bench-${randomUUID().slice(0, 8)}`;
  const requester = await actor(app, "bench-requester");
  const admin = await actor(app, "bench-admin");
  const names = upTo(shape.stages).flatMap((stage) =>
    upTo(shape.approvers).map((approver) => approverName(stage, approver)),
  );
  const approvers = new Map<string, Actor>();
  for (const name of names) approvers.set(name, await actor(app, name));
  const made = await createPolicy(app, admin, approvalPolicy(policyKey, shape), null);
  if (isRefusal(made)) throw new Error(made.message);
  const active = await activatePolicy(app, admin, { key: policyKey, version: 1 }, null);
  if (isRefusal(active)) throw new Error(active.message);
  return { app, shape, policyKey, requester, approvers };
}

/** `concurrency` flows at once until `flows` are through; a command that fails or a flow that ends otherwise throws. */
export async function runFlows(work: FlowWork, flows: number, concurrency: number): Promise<Measured> {
  const create: number[] = [];
  const decide: number[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < flows) {
      next += 1;
      await oneFlow(work, next, { create, decide });
    }
  };
  const startedAt = performance.now();
  await Promise.all(upTo(Math.min(concurrency, flows)).map(worker));
  const seconds = (performance.now() - startedAt) / 1_000;
  return { commandsPerSecond: (create.length + decide.length) / seconds, create, decide };
}

async function oneFlow(
  work: FlowWork,
  flow: number,
  times: { readonly create: number[]; readonly decide: number[] },
): Promise<void> {
  let request = await timed(times.create, () => create(work, flow));
  for (const stage of upTo(work.shape.stages)) {
    for (const approver of upTo(work.shape.approvers)) {
      const before = request;
      request = await timed(times.decide, () => approve(work, before, approverName(stage, approver)));
    }
  }
  if (request.status !== "approved") throw new Error(`a flow ended ${request.status}`);
}

async function create({ app, policyKey, requester }: FlowWork, flow: number): Promise<Request> {
  const input = {
    policyKey,
    artifactType: ARTIFACT_TYPE,
    artifactId: `batch-${flow}`,
    context: smallContext(flow),
    requester: null,
    expiresInHours: null,
  };
  const call = {
    scope: "bench",
    key: randomUUID(),
    bodyHash: "bench",
    render: ({ id }: Request) => ({ status: 201, body: { id } }),
  };
  const answer = await createRequest(app, requester, input, call);
  if (!("stages" in answer)) throw new Error(`a request was not made: ${JSON.stringify(answer)}`);
  return answer;
}

async function approve({ app, approvers }: FlowWork, request: Request, name: string): Promise<Request> {
  const task = request.stages.flatMap((run) => run.tasks).find((candidate) => candidate.assignee === name);
  const approver = approvers.get(name);
  if (task === undefined || approver === undefined) throw new Error(`${name} has no task`);
  const answer = await decideTask(
    app,
    approver,
    { taskId: task.id, action: "approve", comment: null, attachmentsRef: null, reasonCode: null, digest: null },
    null,
  );
  if (!("decision" in answer)) throw new Error(`a decision was not taken: ${JSON.stringify(answer)}`);
  return answer.request;
}

async function timed<Value>(times: number[], act: () => Promise<Value>): Promise<Value> {
  const startedAt = performance.now();
  const value = await act();
  times.push(performance.now() - startedAt);
  return value;
}

async function actor(app: Application, name: string): Promise<Actor> {
  const principal: Principal = {
    issuer: "bench",
    subject: `subject-of-${name}`,
    assignee: name,
    name,
    email: null,
    clientId: null,
    machine: false,
    roles: name === "bench-admin" ? ["AWE_ADMIN"] : [],
  };
  const found = await identify(app, principal);
  if (isRefusal(found)) throw new Error(found.message);
  return admitted(found);
}
