import type { Pool } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect } from "../../src/adapters/postgres/connect.ts";
import { createReader } from "../../src/adapters/postgres/reader.ts";
import type { Reader, TaskFilter, Viewer } from "../../src/ports/reader.ts";
import {
  ISSUER,
  readerOfAll,
  START,
  StoredApprovals,
  viewerOf,
  type StoredPerson,
  type StoredRequest,
} from "../support/stored-approvals.ts";
import { randomId } from "../../src/main/random-id.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";

/** Who may read the one request that each case is about (engine R-AUTH-30). */
interface Case {
  readonly who: string;
  readonly viewer: (people: Readonly<Record<string, StoredPerson>>) => Viewer;
  readonly sees: boolean;
}

const person = (name: string): ((people: Readonly<Record<string, StoredPerson>>) => Viewer) => {
  return (people) => viewerOf(people[name] ?? null);
};

const cases: readonly Case[] = [
  { who: "a reader of everything", viewer: () => readerOfAll(), sees: true },
  { who: "the requester", viewer: person("ana"), sees: true },
  { who: "a machine that has the requester's name", viewer: () => viewerOf(null, { assignee: "ana" }), sees: false },
  { who: "somebody whose name differs from the requester's in case", viewer: person("Ana"), sees: false },
  { who: "the person who created it", viewer: person("clerk"), sees: true },
  {
    who: "the very credential that created it",
    viewer: () => viewerOf(null, { subject: "creating-subject", machine: true }),
    sees: true,
  },
  {
    who: "the same subject of another issuer",
    viewer: () => viewerOf(null, { subject: "creating-subject", issuer: "https://other.test" }),
    sees: false,
  },
  { who: "a machine of the same client", viewer: () => viewerOf(null, { clientId: "registry" }), sees: true },
  {
    who: "a machine of the same client name at another issuer",
    viewer: () => viewerOf(null, { clientId: "registry", issuer: "https://other.test" }),
    sees: false,
  },
  {
    who: "a person who signed in through the same client",
    viewer: (people) => viewerOf(people["stranger"] ?? null, { clientId: "registry" }),
    sees: false,
  },
  { who: "the holder of an open task", viewer: person("ben"), sees: true },
  { who: "somebody who held a task", viewer: person("chloe"), sees: true },
  { who: "an observer", viewer: person("olga"), sees: true },
  { who: "the delegator of a task", viewer: person("dora"), sees: true },
  { who: "a stranger", viewer: person("stranger"), sees: false },
  { who: "a machine that nothing connects with it", viewer: () => viewerOf(null), sees: false },
];

const PAGE = { sort: "-created_at", page: 1, pageSize: 25, now: START } as const satisfies Partial<TaskFilter>;

describeOnEveryPostgres("who may read a request", (database) => {
  let pool: Pool;
  let reader: Reader;
  let request: StoredRequest;
  const people: Record<string, StoredPerson> = {};
  let taskOfBen: Awaited<ReturnType<StoredApprovals["task"]>>;

  beforeAll(async () => {
    pool = connect(database.url);
    const stored = new StoredApprovals(pool);
    await stored.prepare();
    for (const name of ["ana", "Ana", "clerk", "ben", "chloe", "olga", "dora", "stranger"]) {
      people[name] = await stored.person(name);
    }
    const { ben, chloe, olga, dora, clerk } = people;
    if (!ben || !chloe || !olga || !dora || !clerk) throw new Error("people are missing");
    request = await stored.request({
      ...{ requester: "ana", creator: clerk, creatorSubject: "creating-subject", clientId: "registry" },
    });
    taskOfBen = await stored.task(request, ben, { delegator: dora });
    await stored.task(request, chloe, { status: "reassigned" });
    await stored.task(request, olga, { kind: "observer" });
    await stored.events(request, 2);
    // Something of everybody else's, so that no list is right by being empty of others.
    const other = await stored.request({ requester: "somebody-else", creatorSubject: "another" });
    await stored.task(other, await stored.person("nobody"));
    reader = createReader(pool, { orgId: stored.orgId });
  });
  afterAll(async () => {
    await pool.end();
  });

  describe.each(cases)("engine R-AUTH-30: $who", ({ viewer: viewerFor, sees }) => {
    it("sees the request, its events, tasks and lists alike, or none of them", async () => {
      const viewer = viewerFor(people);
      const limit = 10;
      const tasks = await reader.tasks({ ...PAGE, assignee: { kind: "person", name: "ben" } }, viewer);
      const open = await reader.tasks({ ...PAGE, assignee: { kind: "everybody" }, status: "open" }, viewer);
      const seen = {
        request: (await reader.request(request.id, viewer))?.id === request.id,
        events: (await reader.events(request.id, 0, viewer))?.length === 2,
        list: (await reader.requests({ limit }, viewer)).items.some(({ id }) => id === request.id),
        task: (await reader.task(taskOfBen, viewer))?.task.id === taskOfBen,
        tasks: tasks.items.some(({ task }) => task.id === taskOfBen) && tasks.total === 1,
        everybody: open.items.some(({ task }) => task.id === taskOfBen),
        stream: (await reader.eventsAfter(0, limit, viewer)).length === 2,
      };
      expect(seen).toEqual(Object.fromEntries(Object.keys(seen).map((place) => [place, sees])));
      if (!viewer.readsAll) expect((await reader.requests({ limit }, viewer)).items.length).toBe(sees ? 1 : 0);
    });
  });

  it("engine R-EVENT-4: an unknown request has no events, not an empty list of them", async () => {
    expect(await reader.events(randomId(), 0, readerOfAll())).toBeUndefined();
    expect(await reader.events(request.id, 2, readerOfAll())).toEqual([]);
  });

  it("engine R-AUTH-5: a name that somebody goes by finds tasks by the person, whatever the issuer", async () => {
    const viewer = readerOfAll();
    const tasks = await reader.tasks({ ...PAGE, assignee: { kind: "person", name: "nobody-known" } }, viewer);
    expect({ total: tasks.total, issuer: viewer.issuer }).toEqual({ total: 0, issuer: ISSUER });
  });
});
