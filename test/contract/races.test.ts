/**
 * Two processes, one database, two commands at once: exactly one outcome, whatever the order, and nothing stuck.
 * COUNTERSIGN_RACE_ROUNDS says how many rounds of each race are run.
 */
import { afterEach, beforeEach, expect, it } from "vitest";
import { activatePolicy } from "../../src/app/activate-policy.ts";
import type { Application } from "../../src/app/application.ts";
import { applyDueTimers } from "../../src/app/apply-due-timers.ts";
import { cancelRequest } from "../../src/app/cancel-request.ts";
import { isReplay, type Once } from "../../src/app/idempotency.ts";
import { reassignTask } from "../../src/app/reassign-task.ts";
import type { Request } from "../../src/core/request.ts";
import { brokenRules, countByStatus } from "../support/race-end.ts";
import {
  activate,
  addVersion,
  ask,
  decide,
  done,
  openRaceWorld,
  racePolicy,
  taskOf,
  verdictOf,
  type RaceWorld,
} from "../support/race-world.ts";
import { describeOnEveryPostgres, type TestDatabase } from "../support/test-database.ts";
import { verifyDatabase } from "../support/verify-database.ts";

const ROUNDS = Number(process.env["COUNTERSIGN_RACE_ROUNDS"] ?? 1_000);
const CONCURRENCY = 48;
const HOUR = 3_600_000;

const PEOPLE = ["ann", "ben", "cleo", "dan", "eve", "finn", "gus", "hal"] as const;

describeOnEveryPostgres("commands at once", (database) => {
  let fresh: TestDatabase;
  let world: RaceWorld;

  beforeEach(async () => {
    fresh = await database.fresh();
    world = await openRaceWorld(fresh.url, PEOPLE);
  });
  afterEach(() => world.close());

  /** Both on one side, or one on each, with either of them first. */
  function sidesOf(round: number): readonly [Application, Application] {
    const [left, right] = world.sides;
    const first = round % 4 < 2 ? left : right;
    const second = round % 2 === 0 ? left : right;
    return [first.app, second.app];
  }

  async function created(policyKey: string, app: Application, hours?: number): Promise<Request> {
    return done(await ask(app, world.admin, { policyKey, ...(hours !== undefined && { hours }) }));
  }

  async function expectWholeEnd(statuses: Readonly<Record<string, number>>): Promise<void> {
    const { pool } = world.sides[0];
    expect(await brokenRules(pool)).toEqual({});
    expect(await countByStatus(pool)).toEqual(statuses);
    expect(await verifyDatabase(fresh.url)).toEqual([]);
  }

  it("engine R-STAGE-2: the last approvals of a stage at once all count, and complete it once", async () => {
    const sizes = [2, 2, 3, 2, 5, 2, 8, 2];
    for (const size of new Set(sizes)) {
      await activate(world, racePolicy(`all-${String(size)}`, [{ people: PEOPLE.slice(0, size) }]));
    }
    const tally = await race(ROUNDS, async (round) => {
      const size = sizes[round % sizes.length] ?? 2;
      const request = await created(`all-${String(size)}`, sidesOf(round)[0]);
      const answers = await Promise.all(
        PEOPLE.slice(0, size).map((name, index) =>
          decide(sidesOf(round + index)[1], world.actor(name), taskOf(request, name), "approve"),
        ),
      );
      return answers.map((answer) => ("request" in answer ? answer.request.status : verdictOf(answer))).sort();
    });
    const expected: Record<string, number> = {};
    for (let round = 0; round < ROUNDS; round += 1) {
      const label = ["approved", ...Array<string>((sizes[round % sizes.length] ?? 2) - 1).fill("in_review")].join(" ");
      expected[label] = (expected[label] ?? 0) + 1;
    }
    expect(tally).toEqual(expected);
    await expectWholeEnd({ approved: ROUNDS });
  });

  it("engine R-QUORUM-1: of two approvals where one is enough, one counts and the next stage starts once", async () => {
    const stages = [{ people: ["ann", "ben"], mode: "any-n" } as const, { people: ["cleo"] }];
    await activate(world, racePolicy("any", stages));
    const tally = await race(ROUNDS, async (round) => {
      const [first, second] = sidesOf(round);
      const request = await created("any", first);
      const answers = await Promise.all([
        decide(first, world.actor("ann"), taskOf(request, "ann"), "approve"),
        decide(second, world.actor("ben"), taskOf(request, "ben"), "approve"),
      ]);
      const winner = answers.flatMap((answer) => ("request" in answer ? [answer.request] : []))[0];
      if (winner !== undefined) done(await decide(second, world.actor("cleo"), taskOf(winner, "cleo"), "approve"));
      return answers.map(verdictOf).sort();
    });
    expect(tally).toEqual({ "done wrong_state": ROUNDS });
    await expectWholeEnd({ approved: ROUNDS });
  });

  it("engine R-STAGE-3: of approve and reject of one task one takes effect, and the end fits it", async () => {
    await activate(world, racePolicy("one", [{ people: ["ann"] }]));
    const tally = await race(ROUNDS, async (round) => {
      const request = await created("one", sidesOf(round)[0]);
      const task = taskOf(request, "ann");
      const acts = inTurn(round, ["approve", "reject"] as const);
      const answers = await Promise.all(
        acts.map((action, index) => decide(sidesOf(round)[index === 0 ? 0 : 1], world.actor("ann"), task, action)),
      );
      return answers
        .map((answer, index) =>
          "request" in answer ? `${String(acts[index])}=${answer.request.status}` : verdictOf(answer),
        )
        .sort();
    });
    expectBoth(tally, "approve=approved wrong_state", "reject=rejected wrong_state");
    await expectWholeEnd({
      approved: tally["approve=approved wrong_state"] ?? 0,
      rejected: tally["reject=rejected wrong_state"] ?? 0,
    });
  });

  it("engine R-CANCEL-1: of approve and cancel one takes effect, and the end fits it", async () => {
    await activate(world, racePolicy("one", [{ people: ["ann"] }]));
    const tally = await race(ROUNDS, async (round) => {
      const [first, second] = sidesOf(round);
      const request = await created("one", second);
      const approve = (app: Application): Promise<object> =>
        decide(app, world.actor("ann"), taskOf(request, "ann"), "approve");
      const cancel = (app: Application): Promise<object> =>
        cancelRequest(app, world.admin, { requestId: request.id, reason: null }, null);
      const acts = inTurn(round, [approve, cancel] as const);
      const answers = await Promise.all([acts[0](first), acts[1](second)]);
      const [approved, cancelled] = inTurn(round, answers).map(verdictOf);
      return [`approve:${String(approved)}`, `cancel:${String(cancelled)}`];
    });
    expectBoth(tally, "approve:done cancel:wrong_state", "approve:wrong_state cancel:done");
    await expectWholeEnd({
      approved: tally["approve:done cancel:wrong_state"] ?? 0,
      cancelled: tally["approve:wrong_state cancel:done"] ?? 0,
    });
  });

  it("engine R-REASSIGN-1: of approve and reassign one takes effect, and the seat is filled once", async () => {
    await activate(world, racePolicy("one", [{ people: ["ann"] }]));
    const tally = await race(ROUNDS, async (round) => {
      const [first, second] = sidesOf(round);
      const request = await created("one", first);
      const taskId = taskOf(request, "ann");
      const approve = (app: Application): Promise<object> => decide(app, world.actor("ann"), taskId, "approve");
      const move = (app: Application): ReturnType<typeof reassignTask> =>
        reassignTask(app, world.admin, { taskId, newAssignee: "ben", reason: null }, null);
      const [approved, moved] =
        inTurn(round, [0, 1])[0] === 0
          ? await Promise.all([approve(first), move(second)])
          : await swapped(Promise.all([move(first), approve(second)]));
      if ("task" in moved) done(await decide(second, world.actor("ben"), moved.task.id, "approve"));
      return [`approve:${verdictOf(approved)}`, `reassign:${verdictOf(moved)}`];
    });
    expectBoth(tally, "approve:done reassign:wrong_state", "approve:wrong_state reassign:done");
    await expectWholeEnd({ approved: ROUNDS });
  });

  for (const { name, rule, policy, hours, end } of [
    { name: "expiry", rule: "R-STAGE-1", policy: racePolicy("timed", [{ people: ["ann"] }]), hours: 1, end: "expired" },
    {
      name: "breach",
      rule: "R-SLA-6",
      policy: racePolicy("timed", [{ people: ["ann"], slaHours: 1, onBreach: "auto_reject" }]),
      hours: 5_000,
      end: "rejected",
    },
  ]) {
    it(`engine ${rule}: of an approval and the ${name} one takes effect, whichever process has the later clock`, async () => {
      await activate(world, policy);
      const chunk = Math.ceil(ROUNDS / 12);
      const [ahead, behind] = world.sides;
      const tally: Record<string, number> = { approved: 0, [end]: 0 };
      for (let start = 0; start < ROUNDS; start += chunk) {
        const count = Math.min(chunk, ROUNDS - start);
        const requests = await Promise.all(Array.from({ length: count }, () => created("timed", behind.app, hours)));
        ahead.advance(HOUR + 1_000);
        // Two of the four orders have one side alone, so that either end is certain to occur.
        const order = (start / chunk) % 4;
        const clock = order === 3 ? behind : ahead;
        const person = order === 2 ? ahead : behind;
        const verdicts = await Promise.all(
          requests.map(async (request) => {
            const approve = (): Promise<object> =>
              decide(person.app, world.actor("ann"), taskOf(request, "ann"), "approve");
            const tick = (): Promise<object> => applyDueTimers(clock.app, request.id);
            const isClockFirst = order === 1 || order === 2;
            const answers = await Promise.all(isClockFirst ? [tick(), approve()] : [approve(), tick()]);
            return answers.map(verdictOf).sort().join(" ");
          }),
        );
        for (const verdict of verdicts) {
          expect(["done done", "done wrong_state"]).toContain(verdict);
          const outcome = verdict === "done done" ? "approved" : end;
          tally[outcome] = (tally[outcome] ?? 0) + 1;
        }
      }
      expect(Object.values(tally)).not.toContain(0);
      await expectWholeEnd(tally);
    });
  }

  it("engine R-IDEMP-3: five creates with one key at once make one request and five equal answers", async () => {
    await activate(world, racePolicy("one", [{ people: ["ann"] }]));
    const tally = await race(ROUNDS, async (round) => {
      const answers = await fiveCreates(round, () => "same");
      const ids = new Set(answers.map(idOf));
      return [String(ids.size), ...answers.map(verdictOf).sort()];
    });
    expect(tally).toEqual({ "1 done replayed replayed replayed replayed": ROUNDS });
    await expectWholeEnd({ in_review: ROUNDS });
  });

  it("engine R-IDEMP-2: five creates with one key and five bodies at once make one request and four refusals", async () => {
    await activate(world, racePolicy("one", [{ people: ["ann"] }]));
    const tally = await race(ROUNDS, async (round) => {
      const answers = await fiveCreates(round, (index) => `body ${String(index)}`);
      return answers.map(verdictOf).sort();
    });
    const refusals = Array<string>(4).fill("idempotency_conflict").join(" ");
    expect(tally).toEqual({ [`done ${refusals}`]: ROUNDS });
    await expectWholeEnd({ in_review: ROUNDS });
  });

  it("engine R-POLICY-3, R-POLICY-5: of two activations at once the later wins, and every create follows the active version", async () => {
    const key = await activate(world, racePolicy("line", [{ people: ["ann"] }]));
    await addVersion(world, { ...racePolicy("line", [{ people: ["ben"] }]), name: "second" });
    const { pool } = world.sides[0];
    const verdicts = new Set<string>();
    for (let round = 0; round < ROUNDS; round += 1) {
      const [first, second] = sidesOf(round);
      const answers = await Promise.all([
        ask(second, world.admin, { policyKey: key }),
        activatePolicy(first, world.admin, { key, version: 1 + (round % 2) }, null),
        ask(first, world.admin, { policyKey: key }),
        activatePolicy(second, world.admin, { key, version: 2 - (round % 2) }, null),
        ask(second, world.admin, { policyKey: key }),
      ]);
      for (const answer of answers) verdicts.add(verdictOf(answer));
    }
    expect([...verdicts]).toEqual(["done"]);
    const { rows } = await pool.query("select version from policies where policy_key = $1 and status = 'active'", [
      key,
    ]);
    expect(rows).toHaveLength(1);
    const { rows: stale } = await pool.query(
      `select created.seq from ledger_entries created where created.kind = 'request.created'
       and created.text::json #>> '{data,policy}' is distinct from (select active.text::json #>> '{data,digest}'
         from ledger_entries active where active.kind = 'policy.activated' and active.seq < created.seq
         order by active.seq desc limit 1)`,
    );
    expect(stale).toEqual([]);
    await expectWholeEnd({ in_review: 3 * ROUNDS });
  });

  async function fiveCreates(round: number, body: (index: number) => string): Promise<readonly object[]> {
    const call = (index: number): Once<Request> => ({
      scope: "caller and route",
      key: `key ${String(round)}`,
      bodyHash: body(index),
      render: ({ id }) => ({ status: 201, body: { id } }),
    });
    return await Promise.all(
      [0, 1, 2, 3, 4].map((index) =>
        ask(sidesOf(round + index)[1], world.admin, { policyKey: "one", artifactId: body(index) }, call(index)),
      ),
    );
  }
});

/** How often each outcome occurred. A round that throws fails the test. */
async function race(
  rounds: number,
  round: (number: number) => Promise<readonly string[]>,
): Promise<Readonly<Record<string, number>>> {
  const tally: Record<string, number> = {};
  const numbers = Array.from({ length: rounds }, (_, index) => index).values();
  const worker = async (): Promise<void> => {
    for (const number of numbers) {
      const label = (await round(number)).join(" ");
      tally[label] = (tally[label] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return tally;
}

/** Nothing but these two outcomes, and each of them: a race that only ever ends one way tests nothing. */
function expectBoth(tally: Readonly<Record<string, number>>, one: string, other: string): void {
  expect(Object.keys(tally).sort()).toEqual([one, other].sort());
  expect((tally[one] ?? 0) + (tally[other] ?? 0)).toBe(ROUNDS);
}

/** The order changes every four rounds, when all combinations of sides have had their turn. */
function inTurn<Item>(round: number, [one, other]: readonly [Item, Item]): readonly [Item, Item] {
  return Math.floor(round / 4) % 2 === 0 ? [one, other] : [other, one];
}

async function swapped<One, Other>(pair: Promise<readonly [One, Other]>): Promise<readonly [Other, One]> {
  const [one, other] = await pair;
  return [other, one];
}

/** The id in a fresh answer, or in the stored one. */
function idOf(answer: object): unknown {
  const body: unknown = isReplay(answer) ? answer.body : answer;
  return typeof body === "object" && body !== null && "id" in body ? body.id : answer;
}
