/** What becomes of open tasks, votes and kept values when a person's status changes, on a real database. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { changePersonStatus, type StatusAct } from "../../src/app/change-person-status.ts";
import { createDelegation } from "../../src/app/create-delegation.ts";
import { explainRequest } from "../../src/app/explain-request.ts";
import { mergePeople } from "../../src/app/merge-people.ts";
import { moveName } from "../../src/app/move-name.ts";
import { putDirectoryEntry } from "../../src/app/put-directory-entry.ts";
import { setRoles } from "../../src/app/role-grants.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { Actor } from "../../src/app/admitted-actor.ts";
import { isRefusal } from "../../src/core/refusal.ts";
import { permissionsOf } from "../../src/core/roles.ts";
import type { Request } from "../../src/core/request.ts";
import type { PersonRecord } from "../../src/ports/identity-records.ts";
import type { Viewer } from "../../src/ports/reader.ts";
import { brokenRules } from "../support/race-end.ts";
import {
  activate,
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

const EVERYTHING: Viewer = {
  ...{ personId: null, assignee: "", issuer: "", subject: "", clientId: null, machine: true, readsAll: true },
};
const PEOPLE = ["ann", "ben", "cleo", "dan", "eve", "finn"] as const;

describeOnEveryPostgres("a person's status", (database) => {
  let fresh: TestDatabase;
  let world: RaceWorld;
  let number = 0;

  beforeAll(async () => {
    fresh = await database.fresh();
    world = await openRaceWorld(fresh.url, PEOPLE);
  });
  afterAll(async () => {
    expect(await brokenRules(world.sides[0].pool)).toEqual({});
    expect(await verifyDatabase(fresh.url)).toEqual([]);
    await world.close();
  });

  /** Somebody for this test alone, who has come in. */
  async function newcomer(name: string): Promise<Actor> {
    number += 1;
    return await world.sides[0].person(`${name}-${String(number)}`);
  }

  async function asked(stages: readonly JsonObject[], more: JsonObject = {}): Promise<Request> {
    number += 1;
    const key = `line-${String(number)}`;
    const { app } = world.sides[0];
    await activate(world, { ...racePolicy(key, []), ...more, stages });
    return done(await ask(app, world.admin, { policyKey: key }));
  }

  function stage(rules: readonly JsonObject[], more: JsonObject = {}): JsonObject {
    return { name: "First", stage_order: 1, mode: "all", rules, ...more };
  }

  function user(name: string, more: JsonObject = {}): JsonObject {
    return { rule_type: "user", rule_value: { user_id: name }, kind: "approver", required: false, ...more };
  }

  async function change(of: Actor, act: StatusAct, more: { readonly confirm?: string } = {}): Promise<PersonRecord> {
    const { app } = world.sides[0];
    return done(await changePersonStatus(app, world.admin, { personId: idOf(of), act, reason: "a test", ...more }));
  }

  function idOf(actor: Actor): NonNullable<Actor["person"]>["id"] {
    if (actor.person === null) throw new Error("no person");
    return actor.person.id;
  }

  async function now(request: Request): Promise<Request> {
    const found = await world.sides[0].app.reader.request(request.id, EVERYTHING);
    if (found === undefined) throw new Error("the request is gone");
    return found;
  }

  function tasksIn(request: Request, order = 1): Readonly<Record<string, string>> {
    const run = request.stages.find((one) => one.order === order);
    return Object.fromEntries((run?.tasks ?? []).map((task) => [task.assignee, task.status]));
  }

  async function ledger(kind: string): Promise<readonly JsonObject[]> {
    const { rows } = await world.sides[0].pool.query<{ data: JsonObject }>(
      "select text::json -> 'data' as data from ledger_entries where kind = $1 order by seq",
      [kind],
    );
    return rows.map(({ data }) => data);
  }

  async function count(text: string, values: readonly unknown[]): Promise<number> {
    const { rows } = await world.sides[0].pool.query<{ count: number }>(`select count(*)::integer as count ${text}`, [
      ...values,
    ]);
    return rows[0]?.count ?? -1;
  }

  it("identity section 1: who is suspended gives up the seat at once, and the rules are asked again", async () => {
    const [leaver, heir] = [await newcomer("leaver"), await newcomer("heir")];
    const { app } = world.sides[0];
    const group = { kind: "group", client: "", name: `/team-${String(number)}` } as const;
    done(await putDirectoryEntry(app, world.admin, { ...group, members: [leaver.assignee, "ann"] }));
    const rule = { rule_type: "group", rule_value: { group: group.name }, kind: "approver", required: false };
    const request = await asked([stage([rule])]);
    done(await putDirectoryEntry(app, world.admin, { ...group, members: [leaver.assignee, "ann", heir.assignee] }));
    await change(leaver, "suspend");
    const after = await now(request);
    expect(tasksIn(after)).toEqual({ [leaver.assignee]: "reassigned", ann: "open", [heir.assignee]: "open" });
    expect(after.stages[0]?.seats).toHaveLength(2);
    done(await decide(app, world.actor("ann"), taskOf(after, "ann"), "approve"));
    const end = done(await decide(app, heir, taskOf(after, heir.assignee), "approve"));
    expect(end.request.status).toBe("approved");
  });

  it("engine R-QUORUM-13: a freed seat that nobody takes leaves the count; a required one rejects the request", async () => {
    const leaver = await newcomer("leaver");
    const all = await asked([stage([user(leaver.assignee), user("ann"), user("ben")])]);
    const required = await asked([
      stage([user(leaver.assignee, { required: true }), user("ann")], { mode: "any-n", mode_value: 1 }),
    ]);
    const alone = await asked([stage([user(leaver.assignee)])]);
    done(await decide(world.sides[0].app, world.actor("ann"), taskOf(all, "ann"), "approve"));
    await change(leaver, "suspend");
    expect([(await now(all)).status, (await now(required)).status, (await now(alone)).status]).toEqual([
      "in_review",
      "rejected",
      "rejected",
    ]);
    const end = done(await decide(world.sides[0].app, world.actor("ben"), taskOf(all, "ben"), "approve"));
    expect(end.request.status).toBe("approved");
    const freed = (await ledger("request.resolved")).filter(
      ({ excluded }) => Array.isArray(excluded) && excluded.length > 0,
    );
    expect(freed.at(-1)).toMatchObject({ stage: 1, tasks: [], excluded: [{ why: "suspended" }] });
  });

  it("identity section 1: a stage that only waited for who left is complete without them", async () => {
    const leaver = await newcomer("leaver");
    const request = await asked([
      stage([user(leaver.assignee), user("ann")]),
      { ...stage([user("ben")]), name: "Next", stage_order: 2 },
    ]);
    done(await decide(world.sides[0].app, world.actor("ann"), taskOf(request, "ann"), "approve"));
    await change(leaver, "suspend");
    expect((await now(request)).stages.map(({ state }) => state)).toEqual(["approved", "open"]);
    expect(tasksIn(await now(request), 2)).toEqual({ ben: "open" });
  });

  it("engine R-DELEG-1: a seat held in the stead of who left is freed, and one's own returns when the delegate leaves", async () => {
    const [away, delegate] = [await newcomer("away"), await newcomer("delegate")];
    const { app } = world.sides[0];
    const times = { startsAt: app.clock() - 1_000, endsAt: app.clock() + 3_600_000 };
    const about = {
      userId: null,
      delegateTo: delegate.assignee,
      reason: null,
      policyKeys: [],
      artifactTypes: [],
      ...times,
    };
    done(await createDelegation(app, away, about, null));
    const request = await asked([stage([user(away.assignee), user("ann")])]);
    expect(tasksIn(request)).toEqual({ [delegate.assignee]: "open", ann: "open" });
    await change(delegate, "suspend");
    expect(tasksIn(await now(request))).toEqual({
      [delegate.assignee]: "reassigned",
      ann: "open",
      [away.assignee]: "open",
    });
    await change(away, "suspend");
    expect(tasksIn(await now(request))[away.assignee]).toBe("skipped");
  });

  it("identity section 1: who is locked keeps open tasks, shown as locked, and cannot decide; unlocked they can", async () => {
    const held = await newcomer("held");
    const { app } = world.sides[0];
    const request = await asked([stage([user(held.assignee), user("ann")])]);
    await change(held, "lock");
    expect(tasksIn(await now(request))[held.assignee]).toBe("open");
    expect(verdictOf(await decide(app, held, taskOf(request, held.assignee), "approve"))).toBe("person_locked");
    const explained = await explainRequest(app, request.id, EVERYTHING, world.admin);
    expect(explained?.explanation.stages[0]?.seats.map(({ locked }) => locked)).toEqual([true, false]);
    expect(explained?.explanation.summary).toContain(`${held.assignee} (locked)`);
    await change(held, "unlock");
    done(await decide(app, held, taskOf(request, held.assignee), "approve"));
  });

  it("identity section 1: a decision that was on its way when its person was suspended is refused", async () => {
    const late = await newcomer("late");
    const { app } = world.sides[0];
    const request = await asked([stage([user(late.assignee), user("ann")])]);
    await change(late, "suspend");
    expect(verdictOf(await decide(app, late, taskOf(request, late.assignee), "approve"))).toBe("person_suspended");
  });

  it("identity section 1: each status is left only by the acts of the table", async () => {
    const person = await newcomer("person");
    const { app } = world.sides[0];
    const outcome = async (act: StatusAct): Promise<string> => {
      const about = { personId: idOf(person), act, reason: "a test", confirm: person.assignee };
      const changed = await changePersonStatus(app, world.admin, about);
      return isRefusal(changed) ? changed.refusal : changed.status;
    };
    const seen: string[] = [];
    for (const act of [
      "unlock",
      "reactivate",
      "lock",
      "lock",
      "reactivate",
      "unlock",
      "suspend",
      "lock",
      "reactivate",
      "erase",
      "reactivate",
      "suspend",
    ] as const) {
      seen.push(`${act}: ${await outcome(act)}`);
    }
    expect(seen).toEqual([
      "unlock: wrong_state",
      "reactivate: wrong_state",
      "lock: locked",
      "lock: wrong_state",
      "reactivate: wrong_state",
      "unlock: active",
      "suspend: suspended",
      "lock: wrong_state",
      "reactivate: active",
      "erase: erased",
      "reactivate: wrong_state",
      "suspend: wrong_state",
    ]);
  });

  it("ledger R-PRIV-3: erasing deletes attributes, names and every opening that names the person; the ledger still verifies", async () => {
    const person = await newcomer("forgotten");
    const { app } = world.sides[0];
    const request = await asked([stage([user(person.assignee), user("ann")])]);
    const name = `usr_${idOf(person).replaceAll("-", "")}`;
    const named = (): Promise<number> =>
      count("from ledger_openings o join ledger_entries e on e.seq = o.seq where position($1 in e.text) > 0", [name]);
    const before = await named();
    expect(before).toBeGreaterThan(0);
    const refused = await changePersonStatus(app, world.admin, {
      personId: idOf(person),
      act: "erase",
      reason: "asked",
      confirm: "somebody",
    });
    expect(isRefusal(refused) ? refused.refusal : "done").toBe("invalid_input");
    const erased = await change(person, "erase", { confirm: person.assignee });
    expect(erased).toMatchObject({ status: "erased", displayName: null, email: null });
    // The reason of the erasure itself is kept.
    expect(await named()).toBe(1);
    expect((await ledger("ledger.openings_erased")).at(-1)).toMatchObject({ person: name, count: before });
    expect(await count("from aliases where person_id = $1", [idOf(person)])).toBe(0);
    expect(await count("from identities where person_id = $1", [idOf(person)])).toBe(0);
    expect(
      await count("from audit_records where summary like '%' || $1 || '%' and action = 'person.erased'", [
        person.assignee,
      ]),
    ).toBe(0);
    expect(tasksIn(await now(request))).toMatchObject({ ann: "open" });
    expect(await verifyDatabase(fresh.url)).toEqual([]);
  });

  it("identity R-ROLE-3: the last who runs the installation is not locked, suspended, erased or merged away", async () => {
    const [last, other] = [await newcomer("last"), await newcomer("other")];
    const { app } = world.sides[0];
    // As somebody whose own role was taken away while this call was on its way.
    const former: Actor = { ...world.admin, permissions: permissionsOf(["platform_superuser"]) };
    const roles = ["platform_superuser"];
    expect(await setRoles(app, former, { personId: idOf(last), roles })).toBeNull();
    const outcomes: unknown[] = [];
    for (const act of ["lock", "suspend", "erase"] as const) {
      const about = { personId: idOf(last), act, reason: "x", confirm: last.assignee };
      const answer = await changePersonStatus(app, former, about);
      outcomes.push(isRefusal(answer) ? answer.refusal : act);
    }
    const merged = await mergePeople(app, former, { from: idOf(last), into: idOf(other), reason: "x" });
    outcomes.push(isRefusal(merged) ? merged.refusal : "merged");
    expect(outcomes).toEqual(["last_holder", "last_holder", "last_holder", "last_holder"]);
  });

  it("identity R-ID-7: where both voted in one live stage the later vote is void, and the stage is counted again", async () => {
    const [first, second] = [await newcomer("one"), await newcomer("same")];
    const { app } = world.sides[0];
    const request = await asked([
      stage([user(first.assignee), user(second.assignee), user("ann")], { mode: "any-n", mode_value: 3 }),
    ]);
    const other = await asked([
      stage([user(first.assignee), user(second.assignee), user("ann"), user("ben")], { mode: "any-n", mode_value: 3 }),
    ]);
    for (const one of [request, other]) {
      done(await decide(app, first, taskOf(one, first.assignee), "approve"));
      done(await decide(app, second, taskOf(one, second.assignee), "approve"));
    }
    done(await mergePeople(app, world.admin, { from: idOf(second), into: idOf(first), reason: "one person" }));
    // Three were needed, and only two people are left.
    expect((await now(request)).status).toBe("rejected");
    const after = await now(other);
    expect(after.status).toBe("in_review");
    expect(after.stages[0]?.decisions.map(({ personId, voidedAt }) => [personId, voidedAt !== null])).toEqual([
      [idOf(first), false],
      [idOf(second), true],
    ]);
    const [entry] = (await ledger("decision.voided")).slice(-1);
    const { rows } = await world.sides[0].pool.query<{ kind: string }>(
      "select kind from ledger_entries where seq = $1",
      [entry?.["decision_seq"]],
    );
    expect(rows).toEqual([{ kind: "decision.recorded" }]);
    done(await decide(app, world.actor("ann"), taskOf(after, "ann"), "approve"));
    const end = done(await decide(app, world.actor("ben"), taskOf(after, "ben"), "approve"));
    expect(end.request.status).toBe("approved");
  });

  it("identity R-ID-7: identities, names and open tasks go to the survivor, who is one person from then on", async () => {
    const [from, into] = [await newcomer("former"), await newcomer("survivor")];
    const { app } = world.sides[0];
    const request = await asked([stage([user(from.assignee), user("ann")])]);
    const line = await asked([stage([user(into.assignee), user("ann"), user("ben")])], { forbid_self_approval: true });
    const theirs = done(await ask(app, from, { policyKey: line.policy.key }));
    done(await mergePeople(app, world.admin, { from: idOf(from), into: idOf(into), reason: "one person" }));
    expect(tasksIn(await now(request))).toEqual({ [into.assignee]: "open", ann: "open" });
    const again = await world.sides[0].person(from.assignee);
    expect(again.person?.id).toBe(idOf(into));
    // Whoever names the old name means the survivor.
    const named = done(await ask(app, world.admin, { policyKey: request.policy.key }));
    expect(tasksIn(named)).toEqual({ [into.assignee]: "open", ann: "open" });
    // What they asked for as one they may not approve as the other.
    expect((await now(theirs)).creator.personId).toBe(idOf(into));
    expect(tasksIn(await now(theirs))).toEqual({ [into.assignee]: "skipped", ann: "open", ben: "open" });
    const once = await mergePeople(app, world.admin, { from: idOf(from), into: idOf(into), reason: "again" });
    expect(isRefusal(once) ? once.refusal : "merged").toBe("wrong_state");
    done(await decide(app, again, taskOf(await now(request), into.assignee), "approve"));
  });

  it("identity R-ID-7: nobody merges themselves", async () => {
    const other = await newcomer("other");
    const { app } = world.sides[0];
    const merge = { from: idOf(other), into: idOf(world.admin), reason: "power" };
    const refused = await mergePeople(app, world.admin, merge);
    expect(isRefusal(refused) ? refused.refusal : "merged").toBe("permission_denied");
  });

  it("identity R-ID-5: a second subject of a claimed name is refused until the name is moved; open tasks stay", async () => {
    const { app } = world.sides[0];
    const holder = await newcomer("namesake");
    const request = await asked([stage([user(holder.assignee), user("ann")])]);
    const again = world.sides[0].person(holder.assignee, { subject: "another-subject" });
    await expect(again).rejects.toThrow("belongs to another account");
    const heir = await newcomer("heir");
    done(await moveName(app, world.admin, { personId: idOf(heir), name: holder.assignee }));
    expect((await now(request)).stages[0]?.tasks[0]?.personId).toBe(idOf(holder));
    const [moved] = (await ledger("person.name_moved")).slice(-1);
    expect(moved).toMatchObject({
      person: `usr_${idOf(holder).replaceAll("-", "")}`,
      into: `usr_${idOf(heir).replaceAll("-", "")}`,
    });
    expect((await app.reader.person(idOf(heir)))?.record.assignee).toBe(holder.assignee);
    const later = await ask(app, world.admin, { policyKey: request.policy.key });
    expect(done(later).stages[0]?.tasks.map(({ personId }) => personId)).toContain(idOf(heir));
  });
});
