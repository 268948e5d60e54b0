/** The queue of what is to be done outside, and what the ledger tells of it (docs/spec/effects.md). */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createEffectQueue, type PostgresEffectQueue } from "../../src/adapters/postgres/effect-queue.ts";
import { connect } from "../../src/adapters/postgres/connect.ts";
import { effectGivenUp } from "../../src/app/effects/effect-given-up.ts";
import { newEffect, type EffectPlan } from "../../src/app/effects/new-effect.ts";
import { retryEffect } from "../../src/app/effects/retry-effect.ts";
import { describe as entry } from "../../src/app/entry-writer.ts";
import { ledgerId } from "../../src/app/ledger-names.ts";
import { isRefusal } from "../../src/core/refusal.ts";
import { keepEffects } from "../../src/main/keep-effects.ts";
import type { ClaimedEffect, EffectAttempt, EffectOutcome, EffectRecord } from "../../src/ports/effects.ts";
import { recordsBy } from "../../src/ports/records.ts";
import type { EffectWork } from "../../src/worker/effect-loop.ts";
import { initialize, openApplication, type TestApplication } from "../support/test-application.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";

const SECOND = 1_000;
const LEASE_MS = 40 * SECOND;
const ERROR = { code: "http_500", message: "The answer was 500" };
const AGAIN: EffectOutcome = { kind: "retry", error: ERROR, afterMs: null };

describeOnEveryPostgres("effects", (database) => {
  let application: TestApplication;
  let queue: PostgresEffectQueue;

  beforeAll(async () => {
    const orgId = await initialize(database.url);
    application = openApplication(database.url, { orgId });
    queue = createEffectQueue(application.pool);
  });
  afterAll(() => application.close());

  async function decide(plans: readonly Partial<EffectPlan>[]): Promise<readonly EffectRecord[]> {
    const { app } = application;
    return app.store.submit<readonly EffectRecord[]>({
      name: "decide_effects",
      needs: {},
      carryOut(world) {
        const made = plans.map((plan) => {
          const id = world.newId();
          const rest = { lane: `mail:${id}`, position: 0, requestId: null, payload: {}, at: world.now };
          return newEffect({ id, orgId: app.orgId, kind: "mail", ...rest, ...plan });
        });
        const told = entry(
          {
            ...{ org: ledgerId("org", app.orgId), kind: "setting.changed", actor: "sys_test", credential: null },
            ...{ resource: null, request: null, data: { key: "test", old: null, new: null } },
          },
          app,
        );
        return { answer: made, changes: { entries: [told], records: { effect: made } } };
      },
    });
  }

  async function stored(id: string): Promise<EffectRecord> {
    const [effect] = await application.app.reader.records(recordsBy("effect", "id", [id]));
    if (effect === undefined) throw new Error("no such effect");
    return effect;
  }

  const now = (): number => application.app.clock();

  function claim(worker: string, from: PostgresEffectQueue = queue): Promise<readonly ClaimedEffect[]> {
    return from.claim({ kinds: ["mail"], worker, now: now(), leaseMs: LEASE_MS, limit: 50 });
  }

  function ended(outcome: EffectOutcome, retryAt: number | null = null): EffectAttempt {
    return { outcome, at: now(), durationMs: 5, retryAt };
  }

  async function settleAll(claimed: readonly ClaimedEffect[]): Promise<void> {
    for (const each of claimed) await queue.settle(each, ended({ kind: "done", result: {} }));
  }

  function work(handle: EffectWork["handle"]): { mail: EffectWork } {
    return { mail: { handle, schedule: { waitsMs: [20], attemptsMax: 2, timeoutMs: 5_000 } } };
  }

  function keep(handle: EffectWork["handle"]): () => Promise<void> {
    return keepEffects({
      ...{ pool: application.pool, app: application.app, guard: { quarantined: false }, work: work(handle) },
      ...{ database: { connectionString: database.url }, fallbackMs: 60_000, webhooksAtOnce: 4 },
      onError: () => undefined,
    });
  }

  async function entriesOf(id: string): Promise<readonly string[]> {
    const { rows } = await application.pool.query<{ kind: string }>(
      "select kind from ledger_entries where kind like 'effect.%' and text like $1 order by seq",
      [`%eff_${id.replaceAll("-", "")}%`],
    );
    return rows.map(({ kind }) => kind);
  }

  it("R-HOOK-10: two workers never have the same effect, and each attempt is counted once", async () => {
    const made = await decide(Array.from({ length: 20 }, () => ({})));
    const other = connect(database.url, { applicationName: "test-worker", poolSize: 2 });
    const taken = await Promise.all([claim("one"), claim("two", createEffectQueue(other)), claim("one"), claim("two")]);
    await other.end();
    const ids = taken.flat().map(({ effect }) => effect.id);
    expect(ids.toSorted()).toEqual(made.map(({ id }) => id).toSorted());
    expect(taken.flat().every(({ effect }) => effect.attempts === 1)).toBe(true);
    await settleAll(taken.flat());
    expect((await stored(ids[0] ?? "")).state).toBe("done");
  });

  it("R-HOOK-10: a lease that runs out is an attempt that was lost, and its holder says nothing any more", async () => {
    const [made] = await decide([{}]);
    const [late] = await claim("dies");
    expect(await claim("waits")).toEqual([]);
    application.advance(LEASE_MS + SECOND);
    const [taken] = await claim("takes over");
    expect(taken?.effect.attempts).toBe(2);
    if (late === undefined || taken === undefined || made === undefined) throw new Error("nothing was claimed");
    expect(await queue.settle(late, ended(AGAIN))).toBe(false);
    expect(await queue.settle(taken, ended({ kind: "done", result: {} }))).toBe(true);
    const attempts = await queue.attempts([made.id]);
    expect(attempts.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
      [1, "lost"],
      [2, "done"],
    ]);
  });

  it("R-HOOK-9: an effect of a lane waits for the earlier one, whatever that one's end is", async () => {
    const lane = `lane:${randomUUID()}`;
    const made = await decide([3, 1, 2].map((position) => ({ lane, position })));
    const order: number[] = [];
    for (const outcome of [
      { kind: "failed", error: ERROR },
      { kind: "withdrawn", error: ERROR },
      { kind: "done", result: {} },
    ] as const) {
      const claimed = await claim("one");
      order.push(...claimed.map(({ effect }) => effect.position));
      for (const each of claimed) await queue.settle(each, ended(outcome));
    }
    expect(order).toEqual([1, 2, 3]);
    expect(made).toHaveLength(3);
  });

  it("R-HOOK-8: given up is one entry, however often and by whomever it is told", async () => {
    const [made] = await decide([{}]);
    if (made === undefined) throw new Error("nothing was decided");
    const [claimed] = await claim("one");
    if (claimed === undefined) throw new Error("nothing was claimed");
    await queue.settle(claimed, ended({ kind: "failed", error: ERROR }));
    expect((await queue.untold(10)).map(({ id }) => id)).toContain(made.id);
    const told = await Promise.all([effectGivenUp(application.app, made.id), effectGivenUp(application.app, made.id)]);
    expect(told.toSorted()).toEqual([false, true]);
    expect(await entriesOf(made.id)).toEqual(["effect.exhausted"]);
    expect((await queue.untold(10)).map(({ id }) => id)).not.toContain(made.id);
  });

  it("R-HOOK-13: an administrator's retry makes a failed one pending with an entry, keeps what was tried, and refuses one that is done", async () => {
    const admin = await application.admin();
    const [made] = await decide([{}]);
    if (made === undefined) throw new Error("nothing was decided");
    for (const each of await claim("one")) await queue.settle(each, ended({ kind: "failed", error: ERROR }));
    await effectGivenUp(application.app, made.id);
    const again = await retryEffect(application.app, admin, { id: made.id, kinds: ["mail"] });
    expect(again).toMatchObject({ state: "pending", attempts: 0, lastError: null });
    await settleAll(await claim("one"));
    expect(await stored(made.id)).toMatchObject({ state: "done", attempts: 1 });
    const attempts = await queue.attempts([made.id]);
    expect(attempts.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
      [1, "failed"],
      [1, "done"],
    ]);
    expect(await entriesOf(made.id)).toEqual(["effect.exhausted", "effect.retried"]);
    const refused = await retryEffect(application.app, admin, { id: made.id, kinds: ["mail"] });
    expect(isRefusal(refused) && refused.message).toBe("Delivery already succeeded — nothing to retry");
    const foreign = await retryEffect(application.app, admin, { id: made.id, kinds: ["webhook"] });
    expect(isRefusal(foreign) && foreign.refusal).toBe("delivery_not_found");
  });

  it("R-HOOK-11: the server hears of new effects at once, does each once, and gives up with an entry", async () => {
    const seen: string[] = [];
    const stop = keep((effect) => {
      seen.push(effect.id);
      if (effect.payload["fails"] === true) return Promise.resolve(AGAIN);
      return Promise.resolve({ kind: "done", result: {} });
    });
    try {
      const [fails] = await decide([{ payload: { fails: true } }]);
      await expect.poll(() => entriesOf(fails?.id ?? ""), { timeout: 10_000 }).toEqual(["effect.exhausted"]);
      const [works] = await decide([{}]);
      await expect.poll(async () => (await stored(works?.id ?? "")).state, { timeout: 10_000 }).toBe("done");
      expect(seen).toEqual([fails?.id, fails?.id, works?.id]);
    } finally {
      await stop();
    }
  });

  it("R-HOOK-10: what a worker began and could not end is begun again, and seen as lost", async () => {
    const [made] = await decide([{}]);
    if (made === undefined) throw new Error("nothing was decided");
    const dying = connect(database.url, { applicationName: "dying-worker", poolSize: 1 });
    const theirs = createEffectQueue(dying);
    const [claimed] = await claim("dies", theirs);
    await dying.end();
    if (claimed === undefined) throw new Error("nothing was claimed");
    await expect(theirs.settle(claimed, ended({ kind: "done", result: {} }))).rejects.toThrow();
    application.advance(LEASE_MS + SECOND);
    const stop = keep(() => Promise.resolve({ kind: "done", result: {} }));
    await expect
      .poll(async () => (await stored(made.id)).state, { timeout: 10_000 })
      .toBe("done")
      .finally(stop);
    expect((await queue.attempts([made.id])).map(({ outcome }) => outcome)).toEqual(["lost", "done"]);
  });

  it("deploy R-CI-1: nothing begins after the effect's end", async () => {
    const seen: string[] = [];
    const [made] = await decide([{ endsAt: now() - SECOND }]);
    const stop = keep((effect) => {
      seen.push(effect.id);
      return Promise.resolve({ kind: "done", result: {} });
    });
    const state = expect.poll(async () => (await stored(made?.id ?? "")).state, { timeout: 10_000 });
    await state.toBe("withdrawn").finally(stop);
    expect(seen).toEqual([]);
  });
});
