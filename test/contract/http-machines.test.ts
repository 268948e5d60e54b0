/** Machines from outside: who they are, who answers for them, and that none of them decides (docs/spec/identity.md R-ID-8 to R-ID-10). */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { admitted } from "../../src/app/admitted-actor.ts";
import { decideTask, type DecideTaskInput } from "../../src/app/decide-task.ts";
import { describe as describeEntry } from "../../src/app/entry-writer.ts";
import { ledgerId } from "../../src/app/ledger-names.ts";
import { machineActor } from "../../src/app/machine-actor.ts";
import { isId, type TaskId } from "../../src/core/ids.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { addressesOf, authorizationTable } from "../../src/http/authorization.ts";
import { bodyOf, textAt } from "../support/json-answer.ts";
import { machineOf, pagesOf, tokenOf } from "../support/machine-tokens.ts";
import { addMember, setStatus } from "../support/member-changes.ts";
import { must, outcomeOf, signedIn, signedInAs, type TestBrowser } from "../support/signed-in.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { openServer, type TestServer } from "../support/test-server.ts";

describeOnEveryPostgres("a machine", (database) => {
  let at: TestServer;
  let admin: TestBrowser;

  beforeAll(async () => {
    at = await openServer(database.url, { server: { development: false } });
    admin = await signedIn(at);
  });
  afterAll(() => at.close());

  async function ledger(kind: string): Promise<readonly string[]> {
    const { rows } = await at.pool.query<{ text: string }>(
      "select text from ledger_entries where kind = $1 order by seq",
      [kind],
    );
    return rows.map(({ text }) => text);
  }

  async function added(input: JsonObject): Promise<string> {
    const body = { kind: "ci", name: `machine ${randomUUID()}`, owners: [admin.personId], ...input };
    return outcomeOf(await admin.post("/machines", body, { fresh: true }));
  }

  describe("that is added", () => {
    it("identity R-ID-8: has a kind, a name and people, and is an entry that says so", async () => {
      const owner = await addMember(at.app, ["deployer"]);
      const body = { kind: "agent", name: "Helper", owners: [admin.personId, owner], acts_for_id: owner };
      const machine = must(await admin.post("/machines", body, { fresh: true }), 201);
      expect(machine).toMatchObject({
        ...body,
        contact_id: null,
        owner_active: true,
        live_tokens: 0,
        disabled_at: null,
      });
      expect(machine["people"]).toHaveLength(2);
      const id = textAt(machine, "id");
      const entry = (await ledger("machine.created")).find((text) => text.includes(ledgerId("mch", id))) ?? "";
      expect(JSON.parse(entry)).toMatchObject({
        actor: ledgerId("usr", admin.personId),
        data: { machine: ledgerId("mch", id), owners: [admin.personId, owner].map((each) => ledgerId("usr", each)) },
      });
    });

    it("identity R-ID-8: without owners is a service account, which needs a contact", async () => {
      expect(await added({ owners: [] })).toBe("422 invalid_input");
      expect(await added({ owners: [], contact_id: admin.personId })).toBe("201");
    });

    it("identity R-ID-9: acts for somebody only as an agent", async () => {
      expect(await added({ kind: "service", acts_for_id: admin.personId })).toBe("422 invalid_input");
      expect(await added({ kind: "agent", acts_for_id: admin.personId })).toBe("201");
    });

    it.each(["owners", "contact_id", "acts_for_id"])(
      "identity R-ID-8: names only active people of its organization (%s), in the same words for all others",
      async (member) => {
        const locked = await addMember(at.app, ["admin"]);
        await setStatus(at.app, locked, "locked");
        const elsewhere = await addMember(await another(), ["admin"]);
        const words = new Set<string>();
        for (const id of [randomUUID(), locked, elsewhere]) {
          const named = member === "owners" ? { owners: [id] } : { [member]: id };
          const body = { kind: "agent", name: `machine ${randomUUID()}`, owners: [admin.personId], ...named };
          const answer = await admin.post("/machines", body, { fresh: true });
          expect(outcomeOf(answer)).toBe("422 invalid_input");
          words.add(textAt(bodyOf(answer), "detail"));
        }
        expect(words.size).toBe(1);
      },
    );

    it("has a name that no other machine in use has, in whatever case", async () => {
      const body = { kind: "ci", name: "Builder ß", owners: [admin.personId] };
      const id = textAt(must(await admin.post("/machines", body, { fresh: true }), 201), "id");
      expect(await added({ name: "builder ß" })).toBe("409 already_exists");
      must(await admin.delete(`/machines/${id}`, { fresh: true }), 204);
      expect(await added({ name: "builder ß" })).toBe("201");
    });

    it.each([
      ["org_id", randomUUID()],
      ["created_by", "x"],
      ["disabled_at", null],
      ["id", randomUUID()],
      ["scopes", ["org:token:read"]],
    ])("identity section 7: sets nothing that is not the caller's to set (%s)", async (member, value) => {
      expect(await added({ [member]: value })).toBe("422 invalid_input");
      const id = await machineOf(admin);
      expect(outcomeOf(await admin.patch(`/machines/${id}`, { [member]: value }, { fresh: true }))).toBe(
        "422 invalid_input",
      );
    });

    it.each([
      [{ kind: "person" }],
      [{ name: "" }],
      [{ name: " blanks " }],
      [{ name: "x".repeat(101) }],
      [{ owners: "x" }],
      [{ owners: ["x"] }],
      [{ owners: Array.from({ length: 21 }, () => randomUUID()) }],
    ])("is refused as %j", async (input) => {
      expect(await added(input)).toBe("422 invalid_input");
    });
  });

  describe("that is there", () => {
    it("gets another name and other people; who was named before may stay, its kind stays", async () => {
      const leaver = await addMember(at.app, ["deployer"]);
      const id = await machineOf(admin, { owners: [leaver, admin.personId] });
      await setStatus(at.app, leaver, "suspended");
      const name = `renamed ${id}`;
      const changed = must(await admin.patch(`/machines/${id}`, { name }, { fresh: true }), 200);
      expect(changed).toMatchObject({ name, owners: [leaver, admin.personId] });
      const owned = must(await admin.patch(`/machines/${id}`, { owners: [admin.personId] }, { fresh: true }), 200);
      expect(owned).toMatchObject({ name, owners: [admin.personId] });
      expect(outcomeOf(await admin.patch(`/machines/${id}`, { kind: "agent" }, { fresh: true }))).toBe(
        "422 invalid_input",
      );
      const told = (await ledger("machine.changed")).filter((text) => text.includes(ledgerId("mch", id)));
      expect(told).toHaveLength(2);
    });

    it("identity R-TOK-4: gets no other owners from somebody who does not hold what its credentials then allow", async () => {
      const orgAdmin = await signedInAs(at, admin, { roles: ["org_admin"] });
      const owner = orgAdmin.personId;
      const id = await machineOf(admin, { owners: [owner] });
      const { bearer } = await tokenOf(admin, id, { scopes: ["platform:org:read"] });
      const may = async (): Promise<number> =>
        (await at.server.inject({ method: "GET", url: "/v1/orgs", headers: bearer })).statusCode;
      const change = async (by: TestBrowser, people: JsonObject): Promise<string> =>
        outcomeOf(await by.patch(`/machines/${id}`, people, { fresh: true }));
      expect(await may()).toBe(403);
      expect(await change(orgAdmin, { owners: [], contact_id: owner })).toBe("422 scope_exceeds_creator");
      expect(await change(orgAdmin, { owners: [owner, admin.personId] })).toBe("422 scope_exceeds_creator");
      expect(await may()).toBe(403);
      expect(await change(orgAdmin, { name: `renamed ${randomUUID()}` })).toBe("200");
      expect(await change(admin, { owners: [owner, admin.personId] })).toBe("200");
      expect(await change(orgAdmin, { owners: [owner] })).toBe("200");
    });

    it("is retired once, and cannot be changed afterwards", async () => {
      const id = await machineOf(admin);
      must(await admin.delete(`/machines/${id}`, { fresh: true }), 204);
      must(await admin.delete(`/machines/${id}`, { fresh: true }), 204);
      expect((await ledger("machine.changed")).filter((text) => text.includes(ledgerId("mch", id)))).toHaveLength(1);
      expect(outcomeOf(await admin.patch(`/machines/${id}`, { name: "x" }, { fresh: true }))).toBe("409 wrong_state");
      expect((await admin.get("/machines?retired=true")).body).toContain(id);
      expect((await admin.get("/machines?retired=false")).body).not.toContain(id);
    });

    it.each(["x", "0B39AC87-7b63-4c0c-9f2c-5ad6f9a1f6b0", "%00", "..%2Ftokens"])(
      "unknown ones are not found: %s",
      async (id) => {
        expect(outcomeOf(await admin.patch(`/machines/${id}`, {}, { fresh: true }))).toMatch(/^40[04] /);
        expect(outcomeOf(await admin.delete(`/machines/${id}`, { fresh: true }))).toMatch(/^40[04] /);
        expect(outcomeOf(await admin.delete(`/tokens/${id}`, { fresh: true }))).toMatch(/^40[04] /);
      },
    );

    it("identity R-ORG-2: of another organization is not found, nor are its tokens, and neither is listed", async () => {
      const app = await another();
      const owner = await addMember(app, ["admin"]);
      const machine = { id: randomUUID(), orgId: app.orgId, kind: "ci", name: "theirs", owners: [owner] } as const;
      const record = { contactId: null, actsForId: null, createdBy: "x", createdAt: app.clock(), disabledAt: null };
      const frame = { org: ledgerId("org", app.orgId), actor: "sys_test", credential: null, resource: null };
      const data = { machine: ledgerId("mch", machine.id) };
      const entry = describeEntry({ ...frame, kind: "machine.created", request: null, data }, app);
      await app.store.submit({
        name: "their_machine",
        needs: {},
        carryOut: () => ({
          answer: null,
          changes: { entries: [entry], records: { machine: [{ ...machine, ...record }] } },
        }),
      });
      const url = `/machines/${machine.id}`;
      expect(outcomeOf(await admin.patch(url, { name: "mine" }, { fresh: true }))).toBe("404 not_found");
      expect(outcomeOf(await admin.delete(url, { fresh: true }))).toBe("404 not_found");
      const body = { machine_id: machine.id, name: "x", scopes: ["org:token:read"] };
      expect(outcomeOf(await admin.post("/tokens", body, { fresh: true }))).toBe("404 not_found");
      expect((await admin.get("/machines?q=theirs")).json()).toEqual([]);
    });

    it("api R-API-10: is listed by name, page by page", async () => {
      const prefix = `page ${randomUUID().slice(0, 8)}`;
      for (const letter of ["c", "A", "b"]) await machineOf(admin, { name: `${prefix} ${letter}` });
      const machines = await pagesOf(admin, `/machines?q=${encodeURIComponent(prefix)}&limit=2`);
      const names = machines.map(({ name }) => name);
      expect(names).toEqual([`${prefix} A`, `${prefix} b`, `${prefix} c`]);
    });

    it("api R-API-10: its tokens are listed newest first, page by page, by machine and by whether they can be used", async () => {
      const machine = await machineOf(admin);
      const made: string[] = [];
      for (let index = 0; index < 3; index += 1) made.unshift((await tokenOf(admin, machine)).id);
      const ids = async (query: string): Promise<readonly unknown[]> =>
        (await pagesOf(admin, `/tokens?machine_id=${machine}&limit=2&${query}`)).map(({ id }) => id);
      expect(await ids("")).toEqual(made);
      must(await admin.delete(`/tokens/${made[1] ?? ""}`, { fresh: true }), 204);
      expect(await ids("live=true")).toEqual([made[0], made[2]]);
      expect(await ids("live=false")).toEqual([made[1]]);
    });

    it("identity section 7: whoever may not read all sees what they own", async () => {
      const machine = await machineOf(admin);
      const token = await tokenOf(admin, machine, { scopes: ["org:machine:read", "org:token:read"] });
      for (const url of ["/v1/machines", "/v1/tokens"]) {
        const answer = await at.server.inject({ url, headers: token.bearer });
        expect(answer.statusCode).toBe(200);
        expect(answer.body).toContain(machine);
      }
    });
  });

  async function another(): Promise<TestServer["app"]> {
    const id = randomUUID();
    await at.pool.query("insert into organizations (id, name, created_at) values ($1, 'Another', now())", [id]);
    return at.app.forOrganization(id);
  }

  describe("never decides", () => {
    const decideRoutes = authorizationTable.filter(
      // What goes to a rack is no decision.
      ({ access, url }) => access === "holder" && !/^\/(?:rack-proxy|convox)\//.test(url),
    );

    interface Waiting {
      readonly requestId: string;
      readonly taskId: TaskId;
      readonly stageId: string;
    }

    /** A request that waits for somebody. */
    async function approval(): Promise<Waiting> {
      const approver = await addMember(at.app, ["viewer"]);
      const key = `policy.${randomUUID().slice(0, 8)}`;
      const person = await at.app.reader.person(approver);
      const rules = [{ rule_type: "user", rule_value: { user_id: person?.record.assignee ?? "" } }];
      const stages = [{ name: "Only", stage_order: 1, mode: "any-n", mode_value: 1, rules }];
      const policy = { policy_key: key, name: "Only", artifact_type: "app", stages };
      must(await admin.post("/policies", policy, { fresh: true }), 201);
      must(await admin.post(`/policies/${key}/versions/1/activate`, {}, { fresh: true }), 200);
      const asked = { policy_key: key, artifact_type: "app", artifact_id: "1", context: {} };
      const requestId = textAt(must(await admin.post("/requests", asked), 201), "request_id");
      const { rows } = await at.pool.query<{ id: string; stage_run_id: string }>(
        "select id, stage_run_id from tasks where request_id = $1",
        [requestId],
      );
      const [task] = rows;
      if (task === undefined || !isId<"task">(task.id)) throw new Error("nobody was asked");
      return { requestId, taskId: task.id, stageId: task.stage_run_id };
    }

    function decisionOn(taskId: TaskId): DecideTaskInput {
      return { taskId, action: "approve", comment: null, attachmentsRef: null, reasonCode: null, digest: null };
    }

    it("identity R-ID-10: first wall: no decide route lists a machine's credential, or lets one of ours in", async () => {
      const machine = await machineOf(admin);
      const { bearer } = await tokenOf(admin, machine, {
        scopes: ["approval:request:create", "approval:request:read"],
      });
      const before = (await ledger("access.refused")).length;
      const addresses = decideRoutes.flatMap((row) => addressesOf(row)).map((url) => url.replace(":id", randomUUID()));
      expect(addresses.length).toBeGreaterThanOrEqual(4);
      for (const url of addresses) {
        const payload = { action: "approve", delegate_to: "root", reason: "x" };
        const answer = await at.server.inject({ method: "POST", url, headers: bearer, payload });
        expect([url, answer.statusCode]).toEqual([url, 403]);
        const family = url.startsWith("/v1/awe") ? { errorCode: "AWE-008" } : { code: codeOf(url) };
        expect(bodyOf(answer)).toMatchObject(family);
      }
      const told = (await ledger("access.refused")).slice(before);
      expect(told).toHaveLength(addresses.length);
      for (const text of told) expect(text).toContain(ledgerId("mch", machine));
    });

    it("identity R-ID-10: second wall: the command takes a person, whoever calls it past the table", async () => {
      const { taskId, requestId } = await approval();
      const actor = machineActor(
        { id: randomUUID(), name: "past the table", owners: [], actsForId: null },
        { permissions: ["approval:*:*", "platform:*:*"], credential: ledgerId("tok", randomUUID()) },
      );
      expect(await decideTask(at.app, admitted(actor), decisionOn(taskId), null)).toMatchObject({ refusal: "machine" });
      const { rows } = await at.pool.query("select 1 from decisions where request_id = $1", [requestId]);
      expect(rows).toEqual([]);
    });

    it("identity R-ID-10: third wall: a decision without a person cannot be stored", async () => {
      const { taskId, requestId, stageId } = await approval();
      const decision = {
        ...{ id: randomUUID(), org_id: at.app.orgId, request_id: requestId, stage_run_id: stageId, stage_order: 1 },
        ...{ task_id: taskId, person_id: null, actor: "ci", actor_id: "ci", action: "approve", override: false },
        ...{ assurance: "session", digest: "sha256:0", revision: 1, created_at: new Date(), entry_seq: 1 },
      };
      const insert = "insert into decisions select given.* from json_populate_record(null::decisions, $1) given";
      await expect(at.pool.query(insert, [JSON.stringify(decision)])).rejects.toMatchObject({
        code: "23514",
        constraint: "decisions_check",
      });
    });
  });
});

/** The deploy gate says it in the words of its own clients (deploy R-TOKEN-4). */
function codeOf(url: string): string {
  return url.startsWith("/v1/") ? "machine" : "token_cannot_decide";
}
