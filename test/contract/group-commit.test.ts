/** Commands share transactions: how few statements that takes, and that sharing harms nobody (docs/adr/0007-group-commit.md). */
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Client } from "pg";
import { activatePolicy } from "../../src/app/activate-policy.ts";
import { cancelRequest } from "../../src/app/cancel-request.ts";
import { claimTask, releaseTask } from "../../src/app/claim-task.ts";
import { reassignTask } from "../../src/app/reassign-task.ts";
import type { Request } from "../../src/core/request.ts";
import { NO_CHANGE } from "../../src/app/no-change.ts";
import type { SessionRecord } from "../../src/ports/identity-records.ts";
import type { StoreCommand } from "../../src/ports/command-store.ts";
import {
  activate,
  addVersion,
  ask,
  decide,
  done,
  openRaceWorld,
  racePolicy,
  taskOf,
  type RaceWorld,
} from "../support/race-world.ts";
import { countStatements, type CountedBatch, type StatementCount } from "../support/statement-count.ts";
import { describeOnEveryPostgres, type TestDatabase } from "../support/test-database.ts";
import { verifyDatabase } from "../support/verify-database.ts";

const PEOPLE = ["ann", "ben", "cleo", "dan", "eve", "finn", "gus", "hal"] as const;
const BATCH = 64;

const ENTRY = {
  draft: {
    org: null,
    kind: "system.upgraded",
    actor: "sys_server",
    credential: null,
    resource: null,
    request: null,
    data: {},
  },
  openings: [],
} as const;

type Poison = (orgId: string) => StoreCommand<null>;

/** A session that the database refuses. */
function badSession(change: Partial<SessionRecord>): Poison {
  return (orgId) => ({
    name: "bad_session",
    needs: {},
    carryOut: (world) => {
      const session: SessionRecord = {
        ...{ tokenHash: "x", id: world.newId<"session">(), orgId, personId: world.newId<"person">(), kind: "web" },
        ...{ method: "passkey", aal: 2, claims: {}, providerId: null, upstreamSession: null, client: null },
        ...{ address: null, createdAt: world.now, expiresAt: world.now, lastSeenAt: null, idleSeconds: null },
        ...{ factorAt: null, factorId: null, endedAt: null, endCause: null },
        ...change,
      };
      return { answer: null, changes: { entries: [ENTRY], records: { session: [session] } } };
    },
  });
}

const POISONS: Readonly<Record<string, Poison>> = {
  "in its own code": () => ({
    name: "throws",
    needs: {},
    carryOut: () => {
      throw new Error("poison");
    },
  }),
  "while it says whom it needs": () => ({
    name: "throws_early",
    needs: {},
    gather: () => {
      throw new Error("poison");
    },
    carryOut: () => ({ answer: null, changes: NO_CHANGE }),
  }),
  "because its entry may not be appended": () => {
    const entry = { ...ENTRY, draft: { ...ENTRY.draft, kind: "system.unheard_of" } };
    return { name: "bad_entry", needs: {}, carryOut: () => ({ answer: null, changes: { entries: [entry] } }) };
  },
  "when its rows are written": badSession({ orgId: "no uuid" }),
  "when the transaction commits": badSession({}),
};

describeOnEveryPostgres("group commit", (database) => {
  let fresh: TestDatabase;
  let world: RaceWorld;
  let count: StatementCount;

  beforeEach(async () => {
    fresh = await database.fresh();
    world = await openRaceWorld(fresh.url, PEOPLE);
    await activate(world, racePolicy("small", [{ people: ["ann"] }]));
    await activate(world, racePolicy("narrow", [{ people: ["ann"] }, { people: ["ben"] }]));
    await activate(world, racePolicy("wide", [{ people: PEOPLE }, { people: PEOPLE }, { people: PEOPLE }]));
    // From here on every policy is in memory.
    await Promise.all(["small", "narrow", "wide"].map((key) => created(key)));
    count = countStatements("countersign-writer");
  });
  afterEach(() => world.close());

  async function created(policyKey: string): Promise<Request> {
    return done(await ask(world.sides[0].app, world.admin, { policyKey }));
  }

  /** All of them in one transaction: they arrive while another one is under way. */
  async function together<Answer>(commands: readonly (() => Promise<Answer>)[]): Promise<readonly Answer[]> {
    // The transaction before this one is quite over: the first command gets the next one for itself.
    await nextTurn();
    count.reset();
    const [, ...answers] = await Promise.all([look(), ...commands.map((command) => command())]);
    expect(count.batches).toHaveLength(2);
    return answers;
  }

  function lastBatch(): CountedBatch {
    const batch = count.batches.at(-1);
    if (batch === undefined) throw new Error("Nothing was sent");
    return batch;
  }

  function look(): Promise<null> {
    return world.sides[0].app.store.submit({
      name: "look",
      needs: {},
      carryOut: () => ({ answer: null, changes: NO_CHANGE }),
    });
  }

  async function alone(command: () => Promise<object>): Promise<number> {
    count.reset();
    done(await command());
    expect(count.batches).toHaveLength(1);
    expect(lastBatch().roundTrips).toBeLessThanOrEqual(3);
    return lastBatch().statements.length;
  }

  it("storage: one command takes at most three round trips and eight statements, whatever the policy's size", async () => {
    const [{ app }] = world.sides;
    for (const act of [
      async () => await alone(() => ask(app, world.admin, { policyKey: "small" })),
      async () => {
        const request = await created("small");
        return await alone(() => decide(app, world.actor("ann"), taskOf(request, "ann"), "approve"));
      },
      async () => {
        const request = await created("small");
        return await alone(() => claimTask(app, world.actor("ann"), taskOf(request, "ann"), null));
      },
      async () => {
        const request = await created("small");
        return await alone(() => cancelRequest(app, world.admin, { requestId: request.id, reason: null }, null));
      },
      async () => {
        const input = { taskId: taskOf(await created("small"), "ann"), newAssignee: "ben", reason: null };
        return await alone(() => reassignTask(app, world.admin, input, null));
      },
    ]) {
      expect(await act()).toBeLessThanOrEqual(8);
    }
    const small = await alone(() => ask(app, world.admin, { policyKey: "small" }));
    expect(await alone(() => ask(app, world.admin, { policyKey: "wide" }))).toBe(small);
    const wide = await created("wide");
    const decision = await alone(() => decide(app, world.actor("ann"), taskOf(wide, "ann"), "approve"));
    const narrow = await created("narrow");
    expect(await alone(() => decide(app, world.actor("ann"), taskOf(narrow, "ann"), "approve"))).toBe(decision);
  });

  it("storage: 64 commands take at most three round trips and as many statements as one", async () => {
    const [{ app }] = world.sides;
    const small = await alone(() => ask(app, world.admin, { policyKey: "small" }));
    const requests = await together(
      Array.from({ length: BATCH }, (_, index) => () => created(index % 2 === 0 ? "small" : "wide")),
    );
    expect(lastBatch().roundTrips).toBeLessThanOrEqual(3);
    expect(lastBatch().statements).toHaveLength(small);
    await together(requests.map((request) => () => decide(app, world.actor("ann"), taskOf(request, "ann"), "approve")));
    expect(lastBatch().roundTrips).toBeLessThanOrEqual(3);
    expect(lastBatch().statements.length).toBeLessThanOrEqual(9);
    expect(await verifyDatabase(fresh.url)).toEqual([]);
  });

  it("engine R-IDEMP-2: a repeated call takes two statements of its own", async () => {
    const [{ app }] = world.sides;
    const call = { scope: "s", key: "k", bodyHash: "h", render: () => ({ status: 201, body: {} }) };
    done(await ask(app, world.admin, { policyKey: "small" }, call));
    count.reset();
    expect(await ask(app, world.admin, { policyKey: "small" }, call)).toMatchObject({ replayed: true });
    expect(lastBatch().statements).not.toContain("write_batch");
  });

  for (const [when, poison] of Object.entries(POISONS)) {
    for (const place of [0, 2, 4]) {
      it(`engine R-STAGE-2: a command that fails ${when} harms no other, in place ${String(place + 1)} of 5`, async () => {
        const { app } = world.sides[0];
        const before = await app.reader.position();
        const first = look();
        const answers = [0, 1, 2, 3, 4].map((index) =>
          index === place ? app.store.submit(poison(app.orgId)) : created("wide"),
        );
        const settled = await Promise.allSettled(answers);
        await first;
        expect(settled.map(({ status }) => status === "fulfilled")).toEqual(
          [0, 1, 2, 3, 4].map((index) => index !== place),
        );
        const { rows } = await world.sides[0].pool.query(
          `select (select count(*)::integer from requests where created_at > now() - interval '1 hour') as requests,
             (select count(*)::integer from sessions) as sessions`,
        );
        expect(rows).toEqual([{ requests: 3 + 4, sessions: 0 }]);
        expect(await app.reader.position()).toBeGreaterThan(before);
        expect(await verifyDatabase(fresh.url)).toEqual([]);
      });
    }
  }

  it("engine R-STAGE-2: commands of one transaction take effect in the order in which they came", async () => {
    const [{ app }] = world.sides;
    const request = await created("small");
    const task = taskOf(request, "ann");
    const ann = world.actor("ann");
    const answers = await together<object>([
      () => claimTask(app, ann, task, null),
      () => releaseTask(app, ann, task, null),
      () => claimTask(app, ann, task, null),
      () => decide(app, ann, task, "approve"),
      () => cancelRequest(app, world.admin, { requestId: request.id, reason: null }, null),
    ]);
    for (const answer of answers.slice(0, 4)) done(answer);
    expect(answers[4]).toMatchObject({ refusal: "wrong_state" });
    const { rows } = await world.sides[0].pool.query<{ event_type: string }>(
      "select event_type from events where request_id = $1 order by sequence",
      [request.id],
    );
    expect(rows.map((row) => row.event_type)).toEqual([
      ...["request_created", "stage_started", "task_claimed", "task_released", "task_claimed", "task_decided"],
      ...["stage_completed", "request_approved"],
    ]);
  });

  it("engine R-POLICY-5: a change of policy has its own transaction, and creates around it see one side of it each", async () => {
    const [{ app }] = world.sides;
    await addVersion(world, { ...racePolicy("small", [{ people: ["ben"] }]), name: "second" });
    const versionOf = async (): Promise<number> => (await created("small")).policy.version;
    const first = look();
    const before = [versionOf(), versionOf()];
    const activated = activatePolicy(app, world.admin, { key: "small", version: 2 }, null);
    await activated;
    const after = [versionOf(), versionOf()];
    await first;
    expect(await Promise.all(before)).toEqual([1, 1]);
    expect(await Promise.all(after)).toEqual([2, 2]);
  });

  it("ledger R-APP-5: a command that waited too long for its turn is refused and changes nothing", async () => {
    const holder = new Client(fresh.url);
    await holder.connect();
    await holder.query("begin");
    await holder.query("select from ledger_head for update");
    const first = created("small");
    // One batch waits for the lock; these wait behind it.
    await nextTurn();
    const started = performance.now();
    const late = created("wide");
    setTimeout(() => void holder.query("commit"), 1_150);
    await expect(late).rejects.toMatchObject({ name: "Unavailable", code: "busy" });
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(await first).toMatchObject({ status: "in_review" });
    await holder.end();
    const { rows } = await world.sides[0].pool.query("select count(*)::integer as made from requests");
    expect(rows).toEqual([{ made: 4 }]);
  });
});
