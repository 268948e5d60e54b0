import type { Pool } from "pg";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { connect } from "../../src/adapters/postgres/connect.ts";
import { createReader } from "../../src/adapters/postgres/reader.ts";
import { InvalidCursor } from "../../src/ports/invalid-cursor.ts";
import type { InboxFilter, Reader, TaskFilter } from "../../src/ports/reader.ts";
import type { Page } from "../../src/ports/page.ts";
import { ISSUER, readerOfAll, START, StoredApprovals, viewerOf } from "../support/stored-approvals.ts";
import { randomId } from "../../src/main/random-id.ts";
import { createTestDatabase, describeOnEveryPostgres, type TestDatabase } from "../support/test-database.ts";

const PAGE = { sort: "-created_at", page: 1, pageSize: 25, now: START } as const satisfies Partial<TaskFilter>;
const EVERYBODY = { kind: "everybody" } as const;
const HOUR = 3_600_000;

/** Every item, page by page; `between` happens after each page. */
async function walk<Item>(
  page: (cursor: string | undefined) => Promise<Page<Item>>,
  between: () => Promise<unknown> = () => Promise.resolve(),
): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < 100; pages += 1) {
    const { items: more, next } = await page(cursor);
    items.push(...more);
    if (next === null) return items;
    cursor = next;
    await between();
  }
  throw new Error("the list has no end");
}

const withCursor = (cursor: string | undefined): { cursor?: string } => (cursor === undefined ? {} : { cursor });

describeOnEveryPostgres("lists", (database) => {
  let pool: Pool;
  let stored: StoredApprovals;
  let reader: Reader;
  const pools: Pool[] = [];

  beforeEach(async () => {
    const fresh = await database.fresh();
    pool = connect(fresh.url);
    pools.push(pool);
    stored = new StoredApprovals(pool);
    await stored.prepare();
    reader = createReader(pool, { orgId: stored.orgId });
  });
  afterAll(async () => {
    await Promise.all(pools.map((one) => one.end()));
  });

  describe("engine R-API-10: pages", () => {
    it("of requests visit each request that was there exactly once, newest first, whatever is inserted meanwhile", async () => {
      const ana = await stored.person("ana");
      const made: string[] = [];
      // Three of each time, so that ties are cut apart by pages of four.
      for (let count = 0; count < 17; count += 1) {
        const createdAt = START + Math.floor(count / 3) * 1_000;
        made.push((await stored.request({ requester: "ana", createdAt })).id);
      }
      for (const viewer of [viewerOf(ana), readerOfAll()]) {
        const insert = (): Promise<unknown> => stored.request({ requester: "ana", createdAt: START + 24 * HOUR });
        const found = await walk((cursor) => reader.requests({ limit: 4, ...withCursor(cursor) }, viewer), insert);
        const known = found.filter(({ id }) => made.includes(id));
        expect(new Set(known.map(({ id }) => id)).size).toBe(17);
        expect(known).toHaveLength(17);
        expect(known.map(({ createdAt }) => createdAt)).toEqual(
          known.map(({ createdAt }) => createdAt).sort((left, right) => right - left),
        );
      }
    });

    it.each(["due_at", "-created_at"] as const)(
      "of the inbox by %s show each of one's own tasks once",
      async (sort) => {
        const ben = await stored.person("ben");
        const made: string[] = [];
        for (let count = 0; count < 11; count += 1) {
          const dueAt = count % 4 === 3 ? null : START + Math.floor(count / 3) * HOUR;
          made.push(await stored.task(await stored.request(), ben, { dueAt }));
        }
        const question: InboxFilter = { state: "open", sort, limit: 3 };
        const found = await walk((cursor) => reader.inbox({ ...question, ...withCursor(cursor) }, viewerOf(ben)));
        expect(found.map(({ task }) => task.id).sort()).toEqual(made.sort());
        if (sort === "due_at") {
          const due = found.map(({ task }) => task.dueAt ?? Infinity);
          expect(due).toEqual(due.toSorted((left, right) => left - right));
        }
      },
    );

    it("of policies show the newest version of every line once, by key", async () => {
      for (const key of ["b", "a", "c"]) await stored.policy(key, 1, "archived");
      await stored.policy("b", 2, "draft");
      const found = await walk((cursor) => reader.policies({ limit: 2, ...withCursor(cursor) }));
      expect(found.map(({ key, version }) => [key, version])).toEqual([
        ["a", 1],
        ["b", 2],
        ["c", 1],
      ]);
    });

    it("are not opened by a cursor that was made up, or that belongs to another list", async () => {
      for (let count = 0; count < 3; count += 1) await stored.request();
      const { next } = await reader.requests({ limit: 1 }, readerOfAll());
      const made = Buffer.from(JSON.stringify(["requests", "yesterday", randomId()])).toString("base64url");
      for (const cursor of ["", "%", "bm8", made, Buffer.from("[1").toString("base64url")]) {
        await expect(reader.requests({ limit: 1, cursor }, readerOfAll())).rejects.toThrow(InvalidCursor);
      }
      const foreign = { state: "open", sort: "-created_at", limit: 1, cursor: next ?? "" } as const;
      await expect(reader.inbox(foreign, viewerOf(await stored.person("ben")))).rejects.toThrow(InvalidCursor);
    });
  });

  it("engine R-API-12: search finds text literally, in any case, in the search text and in the context", async () => {
    const plain = await stored.request({ searchText: "Ümit 100 percent" });
    const marked = await stored.request({ searchText: "100% of_a\\b", context: { note: "Quoted Ärger" } });
    const find = async (q: string): Promise<string[]> =>
      (await reader.requests({ q, limit: 10 }, readerOfAll())).items.map(({ id }) => id);
    expect(await find("100")).toEqual([marked.id, plain.id]);
    expect(await find("100%")).toEqual([marked.id]);
    expect(await find("of_a")).toEqual([marked.id]);
    expect(await find("o%a")).toEqual([]);
    expect(await find("_")).toEqual([marked.id]);
    expect(await find("\\")).toEqual([marked.id]);
    expect(await find("PERCENT")).toEqual([plain.id]);
    expect(await find("quoted ä")).toEqual([marked.id]);
    expect(await find("'; drop table requests; --")).toEqual([]);
  });

  it("api section 6.3: each filter leaves out what does not match it", async () => {
    const wanted = await stored.request({
      ...{ requester: "ana", artifactType: "payout.single", status: "approved", createdAt: START + HOUR },
    });
    await stored.request({ createdAt: START });
    const filters = [
      { requester: "ana" },
      { artifactType: "payout.single" },
      { status: "approved" },
      { createdAfter: START + HOUR },
      { requester: "ana", artifactId: "batch-1", policyKey: "payout.v1", createdBefore: START + HOUR + 1 },
    ] as const;
    for (const filter of filters) {
      const { items } = await reader.requests({ ...filter, limit: 5 }, readerOfAll());
      expect(items.map(({ id }) => id)).toEqual([wanted.id]);
    }
    const { items } = await reader.requests({ createdBefore: START, limit: 5 }, readerOfAll());
    expect(items).toEqual([]);
  });

  it("api section 6.4: `*` means every completed task and one's own waiting ones; with a status, everybody's of that status", async () => {
    const ben = await stored.person("ben");
    const chloe = await stored.person("chloe");
    const request = await stored.request();
    const other = await stored.request();
    const own = await stored.task(request, ben);
    const claimed = await stored.task(other, ben, { status: "claimed" });
    const hers = await stored.task(request, chloe);
    const done = await stored.task(other, chloe, { status: "completed" });
    const ids = async (filter: Partial<TaskFilter>): Promise<string[]> => {
      const { items, total } = await reader.tasks({ ...PAGE, assignee: EVERYBODY, ...filter }, readerOfAll(ben));
      expect(total).toBe(items.length);
      return items.map(({ task }) => task.id);
    };
    expect(await ids({})).toEqual([done, claimed, own]);
    expect(await ids({ status: "open" })).toEqual([hers, own]);
    expect(await ids({ assignee: { kind: "person", name: "chloe" } })).toEqual([done, hers]);
    expect(await ids({ requestId: request.id, status: "open" })).toEqual([hers, own]);
  });

  it("engine R-TASK-2: overdue are open tasks whose time has passed, and nothing else", async () => {
    const ben = await stored.person("ben");
    const late = await stored.task(await stored.request(), ben, { dueAt: START });
    const inTime = await stored.task(await stored.request(), ben, { dueAt: START + 2 * HOUR });
    const timeless = await stored.task(await stored.request(), ben);
    const closed = await stored.task(await stored.request(), ben, { dueAt: START, status: "skipped" });
    const assignee = { kind: "person", name: "ben" } as const;
    const ids = async (overdue: boolean): Promise<string[]> =>
      (await reader.tasks({ ...PAGE, assignee, overdue, now: START + HOUR }, viewerOf(ben))).items.map(
        ({ task }) => task.id,
      );
    expect(await ids(true)).toEqual([late]);
    expect((await ids(false)).sort()).toEqual([inTime, timeless, closed].sort());
  });

  it("api section 6.4: pages of tasks are cut by number and size, and the total counts them all", async () => {
    const ben = await stored.person("ben");
    const made: string[] = [];
    for (let count = 0; count < 5; count += 1) made.unshift(await stored.task(await stored.request(), ben));
    const assignee = { kind: "person", name: "ben" } as const;
    const page = (number: number): Promise<{ items: readonly { task: { id: string } }[]; total: number }> =>
      reader.tasks({ ...PAGE, assignee, page: number, pageSize: 2 }, viewerOf(ben));
    const pages = await Promise.all([page(1), page(3), page(4)]);
    expect(pages.map(({ items }) => items.map(({ task }) => task.id))).toEqual([made.slice(0, 2), made.slice(4), []]);
    expect(pages.map(({ total }) => total)).toEqual([5, 5, 5]);
  });

  it("engine R-QUORUM-14: a task's view tells its decision and what its stage has and needs", async () => {
    const ben = await stored.person("ben");
    const chloe = await stored.person("chloe");
    const request = await stored.request({ context: { amount: 7 }, searchText: "seven" });
    const waiting = await stored.task(request, chloe);
    const decided = await stored.task(request, ben);
    await stored.decision(decided, ben);
    const view = await reader.task(decided, viewerOf(chloe));
    expect(view).toMatchObject({
      ...{ stageId: request.stageId, stageOrder: 1, stageName: "First", searchText: "seven", approved: 1, needed: 2 },
      decision: { action: "approve", comment: "fine", actor: "ben" },
      request: { id: request.id, context: { amount: 7 }, creator: { issuer: ISSUER } },
    });
    expect(await reader.task(waiting, viewerOf(chloe))).toMatchObject({ decision: null, approved: 1, needed: 2 });
    const whole = await reader.request(request.id, viewerOf(chloe));
    expect(whole?.stages[0]).toMatchObject({
      tasks: [
        { id: waiting, status: "open" },
        { id: decided, decisionId: view?.decision?.id },
      ],
      seats: [
        { holder: chloe.id, state: "open" },
        { holder: ben.id, state: "approved" },
      ],
      decisions: [{ taskId: decided, createdAt: view?.decision?.createdAt }],
    });
  });

  it("api section 6.7: the inbox holds one's own tasks, its counts know no filter and its total does", async () => {
    const ben = await stored.person("ben");
    const wanted = await stored.task(await stored.request({ artifactType: "payout.single" }), ben);
    await stored.task(await stored.request(), ben, { status: "claimed" });
    const done = await stored.task(await stored.request(), ben);
    await stored.decision(done, ben);
    await stored.task(await stored.request(), await stored.person("chloe"));
    const question: InboxFilter = { state: "open", sort: "due_at", limit: 5, artifactType: "payout.single" };
    const inbox = await reader.inbox(question, viewerOf(ben));
    expect(inbox.items.map(({ task }) => task.id)).toEqual([wanted]);
    expect({ total: inbox.total, counts: inbox.counts }).toEqual({ total: 1, counts: { open: 2, done: 1 } });
    expect(await reader.taskCounts("open", viewerOf(ben))).toEqual(new Map([["payout.single", 1]]));
    expect(await reader.taskCounts(undefined, viewerOf(ben))).toEqual(
      new Map([
        ["payout.single", 1],
        ["payout.batch", 2],
      ]),
    );
    expect((await reader.inbox(question, viewerOf(null))).counts).toEqual({ open: 0, done: 0 });
  });

  it("api section 6.5: delegations are shown to both sides, to readers of everything, and to nobody else", async () => {
    const [ana, ben, eve] = [await stored.person("ana"), await stored.person("ben"), await stored.person("eve")];
    await stored.delegation(ana, ben, { from: 0, to: 1 });
    await stored.delegation(ana, ben, { from: 5, to: 6 });
    const list = async (viewer: ReturnType<typeof viewerOf>, more: object = {}): Promise<number[]> =>
      (await reader.delegations({ now: START + HOUR, limit: 9, ...more }, viewer)).map(({ startsAt }) => startsAt);
    const both = [START + 5 * 24 * HOUR, START];
    expect(await list(viewerOf(ana))).toEqual(both);
    expect(await list(viewerOf(ben))).toEqual(both);
    expect(await list(readerOfAll())).toEqual(both);
    expect(await list(viewerOf(eve))).toEqual([]);
    expect(await list(viewerOf(null))).toEqual([]);
    expect(await list(viewerOf(ana), { active: true })).toEqual([START]);
    expect(await list(readerOfAll(), { active: false, name: "ana" })).toEqual([both[0]]);
    expect(await list(readerOfAll(), { name: "ben" })).toEqual([]);
  });

  it("engine R-AUTH-3: a principal is found by identity and by exact name, with the subjects that have claimed the person", async () => {
    const ana = await stored.person("ana");
    await pool.query("insert into identities values ($1, 'sub-1', $2, now(), $3, gen_random_uuid())", [
      ISSUER,
      ana.id,
      await stored.entry(),
    ]);
    const found = await reader.identify({ issuer: ISSUER, subject: "sub-1", assignee: "Ana" });
    expect(found.byIdentity).toMatchObject({
      record: { id: ana.id },
      foldedNames: ["ana"],
      claimedSubjects: ["sub-1"],
    });
    expect(found.byName).toBeUndefined();
    const other = await reader.identify({ issuer: "https://other.test", subject: "sub-1", assignee: "ana" });
    expect(other.byIdentity).toBeUndefined();
    expect(other.byName).toMatchObject({ record: { id: ana.id }, claimedSubjects: [] });
  });

  it("engine section 9: due requests are found in the order of their timers", async () => {
    const early = await stored.request();
    const late = await stored.request();
    for (const [request, at] of [
      [late, START + HOUR],
      [early, START],
    ] as const) {
      const due = new Date(at).toISOString();
      await pool.query("insert into request_timers values ($1, $2, null, '{}')", [request.id, due]);
    }
    expect(await reader.nextTimerAt()).toBe(START);
    expect(await reader.dueRequests(START - 1, 5)).toEqual([]);
    expect(await reader.dueRequests(START, 5)).toEqual([early.id]);
    expect(await reader.dueRequests(START + HOUR, 5)).toEqual([early.id, late.id]);
    expect(await reader.dueRequests(START + HOUR, 1)).toEqual([early.id]);
  });
});

describe("a database that is away", () => {
  it("engine R-STAGE-2: is told within 2 s as unavailable, and asked again by the next question", async () => {
    const test: TestDatabase = await createTestDatabase();
    const pool = connect(test.url);
    const reader = createReader(pool, { orgId: randomId() });
    expect(await reader.nextTimerAt()).toBeNull();
    await test.drop();
    const started = performance.now();
    await expect(reader.nextTimerAt()).rejects.toMatchObject({ name: "Unavailable", code: "database_down" });
    expect(performance.now() - started).toBeLessThan(2_000);
    await pool.end();
  });
});
