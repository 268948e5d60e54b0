/**
 * A small world for tests of the engine: people by name, policies with defaults, facts, ids that count, and a run that
 * gives commands to one request and keeps what happened. Nothing here decides anything.
 */
import type { Proven } from "../../src/core/assurance.ts";
import { createRequest } from "../../src/core/create-request.ts";
import { decide, type Command } from "../../src/core/decide.ts";
import type { EngineEvent, EngineEventType } from "../../src/core/event.ts";
import { explain, type Explanation } from "../../src/core/explain.ts";
import { factsNeeded, lookupKey, type Facts, type Lookup, type Settings } from "../../src/core/facts.ts";
import { isId, type NewId, type PersonId } from "../../src/core/ids.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { foldName, type Actor, type Delegation, type Instant, type Person } from "../../src/core/person.ts";
import type { ApproverRule, Policy, Stage } from "../../src/core/policy.ts";
import { Bug, isRefusal, type Refusal } from "../../src/core/refusal.ts";
import { isOpenTask, type PolicyPin, type Request, type StageRun, type Task } from "../../src/core/request.ts";

export const HOUR = 3_600_000;
export const START: Instant = Date.UTC(2026, 0, 5, 9);

/** A source whose next id is this one. */
function idFrom(hex: () => string): NewId {
  return <Name extends string>() => {
    const text = hex()
      .padStart(32, "0")
      .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
    if (!isId<Name>(text)) throw new Bug(`'${text}' is no id`);
    return text;
  };
}

/** 1, 2, 3 … as ids. */
export function idSource(): NewId {
  let last = 0;
  return idFrom(() => {
    last += 1;
    return last.toString(16);
  });
}

/** The same name is always the same person. */
export function idOf(name: string): PersonId {
  const hex = Array.from(name.slice(-16), (character) => character.charCodeAt(0).toString(16).padStart(2, "0")).join(
    "",
  );
  return idFrom(() => hex)();
}

export function person(name: string, change: Partial<Person> = {}): Person {
  return {
    id: idOf(name),
    assignee: name,
    foldedNames: [foldName(name)],
    displayName: null,
    disabled: false,
    machine: false,
    ...change,
  };
}

export function actor(who: string | Person, change: Partial<Actor> = {}): Actor {
  const known = typeof who === "string" ? person(who) : who;
  return {
    person: known,
    assignee: known.assignee,
    displayName: known.displayName ?? known.assignee,
    issuer: "https://issuer.test",
    subject: `subject of ${known.assignee}`,
    clientId: null,
    email: null,
    credential: null,
    standsFor: [],
    machine: false,
    permissions: [],
    admin: false,
    viewer: false,
    ...change,
  };
}

export const admin = (name: string): Actor => actor(name, { admin: true });

export function machine(name: string, change: Partial<Actor> = {}): Actor {
  return actor(name, { person: null, machine: true, clientId: name, ...change });
}

export function users(...names: readonly string[]): readonly ApproverRule[] {
  return names.map((name) => ({ match: { type: "user", name }, kind: "approver", required: false }));
}

export function requires(name: string): ApproverRule {
  return { match: { type: "user", name }, kind: "approver", required: true };
}

export function observer(name: string): ApproverRule {
  return { match: { type: "user", name }, kind: "observer", required: false };
}

export function role(name: string): ApproverRule {
  return { match: { type: "role", role: name, client: null }, kind: "approver", required: false };
}

export function group(path: string): ApproverRule {
  return { match: { type: "group", path, includeSubgroups: false }, kind: "approver", required: false };
}

export function expression(logic: JsonObject): ApproverRule {
  return { match: { type: "expression", logic }, kind: "approver", required: false };
}

export function stage(change: Partial<Stage> = {}): Stage {
  const mode = change.mode ?? "all";
  return {
    order: 1,
    name: `Stage ${String(change.order ?? 1)}`,
    mode,
    modeValue: null,
    minApprovals: 1,
    abstain: mode === "percentage" ? "against" : "neutral",
    reject: "veto",
    rules: users("ann", "bob", "cid"),
    skipIf: null,
    onEmpty: "block",
    parallelGroup: null,
    slaHours: null,
    onBreach: "notify",
    escalationRules: [],
    escalationsMax: 1,
    allowDelegation: true,
    assurance: "session",
    rejectAssurance: "session",
    batch: change.assurance !== "signed",
    minViewSeconds: null,
    requireView: false,
    ...change,
  };
}

/** Stages without an order of their own are numbered in turn. */
export function policy(change: Partial<Omit<Policy, "stages">> & { readonly stages: readonly Stage[] }): Policy {
  return {
    key: "payout",
    name: "Payout",
    artifactType: "payout.batch",
    forbidSelfApproval: false,
    forbidRepeatApprovers: false,
    forbiddenApprovers: [],
    requestTtlHours: null,
    adminOverride: null,
    allowHandover: false,
    grant: { ttlMinutes: null, uses: null },
    ...change,
  };
}

export function pinOf(pinned: Policy): PolicyPin {
  return { id: idFrom(() => "99")(), key: pinned.key, version: 1, digest: "sha256:policy" };
}

/** Whatever a stage asks for; seen at the beginning of time. */
export const FULLY_PROVEN: Proven = { assurance: "signed", method: "passkey", factorId: null, shownAt: 0 };

export const SETTINGS: Settings = { adminOverride: "allow", defaultTtlHours: 8760, enforceArtifactType: true };

export function delegation(from: string, to: string | Person, change: Partial<Delegation> = {}): Delegation {
  return {
    id: idFrom(() => "77")(),
    from: idOf(from),
    to: typeof to === "string" ? person(to) : to,
    startsAt: START - HOUR,
    endsAt: START + 1_000 * HOUR,
    createdAt: START - HOUR,
    policyKeys: [],
    artifactTypes: [],
    ...change,
  };
}

/** What the outside world holds at the moment; tests change it while a request runs. */
export interface Surroundings {
  readonly people: Map<string, Person>;
  readonly lookups: Map<string, Lookup>;
  readonly delegations: Delegation[];
}

export interface Scene {
  readonly people?: readonly Person[];
  /** Members by role name or group path; an Error stands for a directory that does not answer. */
  readonly members?: Readonly<Record<string, readonly (string | Person)[] | Error>>;
  readonly delegations?: readonly Delegation[];
  readonly settings?: Partial<Settings>;
  readonly by?: Actor;
  readonly requester?: string | null;
  readonly context?: JsonObject;
  readonly expiresInHours?: number | null;
  readonly expiresInMinutes?: number;
  readonly artifactType?: string;
}

/** The key under which a role (`finance`) or a group (`/finance`) is looked up. */
export function memberKey(name: string): string {
  return name.startsWith("/")
    ? lookupKey({ type: "group", path: name, includeSubgroups: false })
    : lookupKey({ type: "role", role: name, client: null });
}

export function lookupOf(found: readonly (string | Person)[] | Error): Lookup {
  if (found instanceof Error) return { ok: false, error: found.message };
  return { ok: true, members: found.map((member) => (typeof member === "string" ? person(member) : member)) };
}

/** Facts about these surroundings: everybody whom the policy can name is looked up, strangers as placeholders. */
export function factsFor(pinned: Policy, context: JsonObject, around: Surroundings, newId: NewId): Facts {
  const escalating = pinned.stages.map((each) => ({ ...each, rules: each.escalationRules }));
  const names = factsNeeded([...pinned.stages, ...escalating], context).names;
  const people = new Map(names.map((name) => [name, person(name)]));
  for (const [name, known] of around.people) people.set(name, known);
  // What is known of a person now is known wherever that person turns up.
  const current = (known: Person): Person => around.people.get(known.assignee) ?? known;
  const delegations = new Map<PersonId, readonly Delegation[]>();
  for (const each of around.delegations) {
    delegations.set(each.from, [...(delegations.get(each.from) ?? []), { ...each, to: current(each.to) }]);
  }
  const lookups = new Map<string, Lookup>();
  for (const [key, found] of around.lookups) {
    lookups.set(key, found.ok ? { ok: true, members: found.members.map(current) } : found);
  }
  return { people, lookups, delegations, newId };
}

/** One request, its commands and everything that happened. `now` moves only when a test moves it. */
export class Run {
  readonly policy: Policy;
  readonly around: Surroundings;
  readonly settings: Settings;
  readonly newId: NewId = idSource();
  now: Instant = START;
  events: EngineEvent[] = [];
  /** What the last command answered, if it was a no. */
  refusal: Refusal | null = null;
  /** Events of the last command. */
  latest: readonly EngineEvent[] = [];
  #request: Request | null = null;
  readonly #context: JsonObject;

  constructor(pinned: Policy, scene: Scene = {}) {
    this.policy = pinned;
    this.settings = { ...SETTINGS, ...scene.settings };
    this.#context = scene.context ?? {};
    this.around = {
      people: new Map((scene.people ?? []).map((known) => [known.assignee, known])),
      lookups: new Map(Object.entries(scene.members ?? {}).map(([name, found]) => [memberKey(name), lookupOf(found)])),
      delegations: [...(scene.delegations ?? [])],
    };
    this.#create(scene);
  }

  #create(scene: Scene): void {
    const created = createRequest(
      {
        id: this.newId(),
        orgId: "organization",
        gate: "generic",
        liveKey: null,
        actor: scene.by ?? machine("pipeline"),
        artifactType: scene.artifactType ?? this.policy.artifactType,
        artifactId: "batch-7",
        requester: scene.requester ?? null,
        context: this.#context,
        expiresInHours: scene.expiresInHours ?? null,
        expiresInMinutes: scene.expiresInMinutes ?? null,
        salt: "salt",
        digest: "sha256:payload",
      },
      { policy: this.policy, pin: pinOf(this.policy), facts: this.facts(), settings: this.settings, now: this.now },
    );
    if (isRefusal(created)) this.refusal = created;
    else this.#take(created.request, created.events);
  }

  #take(request: Request, events: readonly EngineEvent[]): void {
    this.#request = request;
    this.latest = events;
    this.events = [...this.events, ...events];
  }

  facts(): Facts {
    return factsFor(this.policy, this.#context, this.around, this.newId);
  }

  get request(): Request {
    if (this.#request === null) throw new Bug("the request was refused");
    return this.#request;
  }

  get status(): Request["status"] {
    return this.request.status;
  }

  types(events: readonly EngineEvent[] = this.events): readonly EngineEventType[] {
    return events.map((event) => event.type);
  }

  eventsOf<Type extends EngineEventType>(type: Type): readonly Extract<EngineEvent, { type: Type }>[] {
    return this.events.filter((event): event is Extract<EngineEvent, { type: Type }> => event.type === type);
  }

  stage(order = 1): StageRun {
    const found = this.request.stages.find((run) => run.order === order);
    if (found === undefined) throw new Bug(`no stage ${String(order)}`);
    return found;
  }

  /** The newest task of this person, in the stage if one is named, else an open one before a closed one. */
  task(name: string, order?: number): Task {
    const own = this.request.stages
      .filter((run) => order === undefined || run.order === order)
      .flatMap((run) => run.tasks)
      .filter((task) => task.assignee === name);
    const found = own.findLast(isOpenTask) ?? own.at(-1);
    if (found === undefined) throw new Bug(`${name} has no task`);
    return found;
  }

  /** Names of those who hold an open task, in task order. */
  waitingFor(order = 1): readonly string[] {
    return this.stage(order)
      .tasks.filter(isOpenTask)
      .map((task) => task.assignee);
  }

  taskStates(order = 1): Readonly<Record<string, Task["status"]>> {
    return Object.fromEntries(this.stage(order).tasks.map((task) => [task.assignee, task.status]));
  }

  give(command: Command): this {
    const outcome = decide(this.request, command, {
      policy: this.policy,
      facts: this.facts(),
      settings: this.settings,
      now: this.now,
    });
    this.refusal = outcome.refusal;
    this.#take(outcome.request, outcome.events);
    return this;
  }

  /** A decision on the person's own newest task, or on somebody else's when `task` is named. */
  decide(
    action: "approve" | "reject" | "abstain",
    by: string | Actor,
    more: {
      readonly task?: Task;
      readonly comment?: string;
      readonly digest?: string;
      readonly order?: number;
      readonly proven?: Proven;
    } = {},
  ): this {
    const who = typeof by === "string" ? actor(this.around.people.get(by) ?? by) : by;
    return this.give({
      type: "decide",
      taskId: (more.task ?? this.task(who.assignee, more.order)).id,
      decisionId: this.newId(),
      actor: who,
      action,
      comment: more.comment ?? null,
      attachmentsRef: null,
      reasonCode: null,
      digest: more.digest ?? null,
      ...(more.proven === undefined ? {} : { proven: more.proven }),
    });
  }

  approve(by: string | Actor, order?: number): this {
    return this.decide("approve", by, order === undefined ? {} : { order });
  }

  reject(by: string | Actor, comment?: string): this {
    return this.decide("reject", by, comment === undefined ? {} : { comment });
  }

  abstain(by: string | Actor): this {
    return this.decide("abstain", by);
  }

  reassign(from: string, to: string, by: Actor = admin("root"), order?: number): this {
    if (!this.around.people.has(to)) this.around.people.set(to, person(to));
    return this.give({
      type: "reassign",
      taskId: this.task(from, order).id,
      newTaskId: this.newId(),
      actor: by,
      newAssignee: to,
      reason: null,
    });
  }

  cancel(by: Actor = admin("root"), reason: string | null = null): this {
    return this.give({ type: "cancel", actor: by, reason });
  }

  /** The clock alone, after so many hours more. */
  later(hours: number): this {
    this.now += hours * HOUR;
    return this.give({ type: "tick" });
  }

  answer(name: string, found: readonly (string | Person)[] | Error): this {
    this.around.lookups.set(memberKey(name), lookupOf(found));
    return this;
  }

  explain(by: string | Actor): Explanation {
    const who = typeof by === "string" ? actor(this.around.people.get(by) ?? by) : by;
    const { policy: pinned, settings, now } = this;
    return explain(this.request, who, { policy: pinned, facts: this.facts(), settings, now });
  }
}
