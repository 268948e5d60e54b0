/** What an approval permits: looked at, used, revoked and expired over HTTP, on every Postgres, and nothing that is not recorded. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Actor as AdmittedActor } from "../../src/app/admitted-actor.ts";
import { applyDueTimers } from "../../src/app/apply-due-timers.ts";
import { cancelCommand } from "../../src/app/cancel-request.ts";
import { decideTask } from "../../src/app/decide-task.ts";
import { extendGrantCommand, useGrant, useGrantCommand } from "../../src/app/grant-act.ts";
import { verdictSchema } from "../../src/contract/grants.ts";
import { requestOutSchema } from "../../src/contract/requests.ts";
import { isId, type RequestId, type TaskId } from "../../src/core/ids.ts";
import { isJsonObject, type JsonObject } from "../../src/core/json.ts";
import type { Actor } from "../../src/core/person.ts";
import type { Request } from "../../src/core/request.ts";
import { DEVELOPMENT_ISSUER } from "../../src/http/token-verification/development-verifier.ts";
import { bodyOf, objectIn, textAt } from "../support/json-answer.ts";
import { machineOf, tokenOf } from "../support/machine-tokens.ts";
import { must, outcomeOf, signedIn, type BrowserAnswer } from "../support/signed-in.ts";
import { listOf } from "../support/signing-scene.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { as, asAdmin, openServer, unsignedToken, type TestServer } from "../support/test-server.ts";
import { verifyDatabase } from "../support/verify-database.ts";

const MINUTE = 60_000;
const RACE_ROUNDS = Number(process.env["COUNTERSIGN_RACE_ROUNDS"] ?? 40);
const CI = {
  authorization: `Bearer ${unsignedToken({ sub: "ci", azp: "ci", preferred_username: "service-account-ci" })}`,
};

interface Approved {
  readonly id: RequestId;
  readonly taskId: TaskId;
  readonly digest: string;
}

describeOnEveryPostgres("grants", (database) => {
  let at: TestServer;
  let other: TestServer;
  beforeAll(async () => {
    at = await openServer(database.url);
    other = await openServer(database.url, { application: { orgId: at.app.orgId } });
  });
  afterAll(async () => {
    await other.close();
    await at.close();
  });

  async function call(
    method: "GET" | "POST" | "PUT",
    url: string,
    headers: Readonly<Record<string, string>> = CI,
    payload: object | null = null,
  ): Promise<BrowserAnswer> {
    const body = payload === null ? {} : { payload };
    return at.server.inject({ method, url: `/v1${url}`, headers, ...body });
  }

  async function inForce(grant: JsonObject, more: JsonObject = {}): Promise<string> {
    const key = `p-${randomUUID()}`;
    const rules = ["ann", "ben"].map((name) => ({ rule_type: "user", rule_value: { user_id: name } }));
    const stages = [{ name: "Only", stage_order: 1, mode: "any-n", rules }];
    const document = { policy_key: key, name: key, artifact_type: "thing", stages, grant, ...more };
    must(await call("POST", "/policies", asAdmin, document), 201);
    must(await call("POST", `/policies/${key}/versions/1/activate`, asAdmin, {}), 200);
    return key;
  }

  async function asked(policyKey: string, by = CI): Promise<Approved> {
    const body = { policy_key: policyKey, artifact_type: "thing", artifact_id: "1" };
    const made = must(await call("POST", "/requests", by, body), 201);
    const own = listOf(made["tasks"]).find((task) => task["assignee"] === "ann");
    const [id, taskId] = [textAt(made, "request_id"), textAt(own ?? {}, "id")];
    if (!isId<"request">(id) || !isId<"task">(taskId)) throw new Error("no ids");
    return { id, taskId, digest: textAt(made, "digest") };
  }

  async function approved(grant: JsonObject = {}, by = CI): Promise<Approved> {
    const made = await asked(await inForce(grant), by);
    await approve(made);
    return made;
  }

  async function approve({ taskId, digest }: Approved): Promise<void> {
    must(await call("POST", `/tasks/${taskId}/decision`, as("ann"), { action: "approve", digest }), 201);
  }

  function use({ id, digest }: Approved, headers: Readonly<Record<string, string>> = CI): Promise<BrowserAnswer> {
    return call("POST", `/requests/${id}/grant/use`, headers, { digest });
  }

  async function verdict({ id }: Approved): Promise<JsonObject> {
    const answer = bodyOf(await call("GET", `/requests/${id}/verdict`));
    expect(verdictSchema.parse(answer)).toEqual(answer);
    return answer;
  }

  async function entriesOf(id: string): Promise<readonly JsonObject[]> {
    const sql = "select text from ledger_entries where request = $1 order by seq";
    const { rows } = await at.pool.query<{ text: string }>(sql, [`req_${id.replaceAll("-", "")}`]);
    return rows.map(({ text }) => objectIn(text));
  }

  /** What somebody does who has the database: around every trigger. */
  async function tamper(statement: string, values: readonly unknown[]): Promise<void> {
    const client = await at.pool.connect();
    try {
      await client.query("begin");
      await client.query("set local session_replication_role = replica");
      await client.query(statement, [...values]);
      await client.query("commit");
    } finally {
      client.release();
    }
  }

  it("engine R-GRANT-3: without limits the grant stays active however often it is used", async () => {
    const made = await approved();
    for (const uses of [1, 2, 3]) {
      const answer = must(await use(made), 200);
      expect(verdictSchema.parse(answer)).toEqual(answer);
      expect(answer).toMatchObject({
        ...{ verdict: "permit", reason: "approved" },
        grant: { state: "active", uses, uses_max: null, expires_at: null },
      });
    }
    const shown = must(await call("GET", `/requests/${made.id}`), 200);
    expect(requestOutSchema.parse(shown)).toEqual(shown);
    expect(shown).toMatchObject({ status: "approved", grant: { state: "active", uses: 3 } });
  });

  it("engine R-GRANT-2, R-GRANT-4: the last use ends it; a wrong digest counts none; looking counts none", async () => {
    const made = await approved({ uses: 1, ttl_minutes: 30 });
    expect(await verdict(made)).toMatchObject({ verdict: "permit", reason: "approved", grant: { uses: 0 } });
    const wrong = await use({ ...made, digest: `sha256:${"0".repeat(64)}` });
    expect([outcomeOf(wrong), bodyOf(wrong)["errorCode"] ?? bodyOf(wrong)["code"]]).toEqual([
      ...["409 digest_mismatch", "digest_mismatch"],
    ]);
    expect(must(await use(made), 200)).toMatchObject({ verdict: "permit", grant: { state: "used", uses: 1 } });
    const again = await use(made);
    expect([outcomeOf(again), textAt(bodyOf(again), "detail")]).toEqual(["409 grant_unusable", "Grant is used"]);
    expect(await verdict(made)).toMatchObject({ verdict: "deny", reason: "grant_used" });
    const awe = await at.server.inject({
      ...{ method: "POST", url: `/v1/awe/requests/${made.id}/grant/use`, headers: CI },
      payload: { digest: made.digest },
    });
    expect([awe.statusCode, bodyOf(awe)["errorCode"]]).toEqual([409, "AWE-013"]);
  });

  it("engine R-GRANT-4: what is not decided is not applicable, what was decided otherwise is denied", async () => {
    const key = await inForce({});
    const waiting = await asked(key);
    expect(await verdict(waiting)).toEqual({ verdict: "not_applicable", reason: "in_review", grant: null });
    expect(outcomeOf(await use(waiting))).toBe("409 grant_unusable");
    must(await call("POST", `/requests/${waiting.id}/cancel`, CI, {}), 200);
    expect(await verdict(waiting)).toEqual({ verdict: "deny", reason: "cancelled", grant: null });
  });

  it("ledger R-APP-7, R-KIND-4: decision, approval and grant stand next to each other; every use and the end follow", async () => {
    const made = await approved({ uses: 2, ttl_minutes: 30 });
    must(await use(made), 200);
    must(await call("POST", `/requests/${made.id}/grant/revoke`, as("ann"), { comment: "wrong batch" }), 200);
    const entries = await entriesOf(made.id);
    const kinds = entries.map(({ kind }) => kind);
    expect(kinds.slice(kinds.indexOf("decision.recorded"))).toEqual([
      ...["decision.recorded", "request.quorum_skipped", "request.stage_completed", "request.approved"],
      ...["grant.issued", "grant.used", "grant.revoked"],
    ]);
    const [issued, used, revoked] = entries.slice(-3);
    expect(issued).toMatchObject({ actor: "sys_engine", data: { uses: 2 } });
    expect(used).toMatchObject({ actor: entries[0]?.["actor"], data: { use: 1, action: null, outcome: "success" } });
    const { rows: people } = await at.pool.query<{ id: string }>("select id from people where assignee = 'ann'");
    expect(revoked).toMatchObject({ actor: `usr_${people[0]?.id.replaceAll("-", "") ?? ""}` });
    expect(revoked).toMatchObject({ data: { reason_code: "withdrawn" } });
    expect(JSON.stringify(entries)).not.toContain("wrong batch");
    const { rows } = await at.pool.query("select use_number, actor from grant_uses where request_id = $1", [made.id]);
    expect(rows).toEqual([{ use_number: 1, actor: "service-account-ci" }]);
    const events: unknown = (await call("GET", `/requests/${made.id}/events`)).json();
    const told = Array.isArray(events) ? events.filter(isJsonObject) : [];
    expect(told.slice(-3).map(({ event_type: type, payload }) => [type, payload])).toMatchObject([
      ["request_approved", { grant: { uses_max: 2 }, status: "approved" }],
      ["grant_used", { use: 1, uses_max: 2, status: "approved", actor_id: "service-account-ci" }],
      ["grant_revoked", { reason: "withdrawn", comment: "wrong batch", actor_id: "ann" }],
    ]);
    expect(await verifyDatabase(database.url)).toEqual([]);
  });

  it.each([
    ["an administrator", "200", asAdmin],
    ["who made the request", "200", CI],
    ["who approved it", "200", as("ann")],
    ["who could have approved it", "403 forbidden", as("ben")],
    ["a stranger", "404 request_not_found", as("zoe")],
  ])("engine R-GRANT-5: %s revokes it: %s", async (_, outcome, by) => {
    const made = await approved();
    const without = await call("POST", `/requests/${made.id}/grant/revoke`, by, { comment: " " });
    expect(outcomeOf(without)).toBe(outcome === "200" ? "422 comment_required" : outcome);
    const answer = await call("POST", `/requests/${made.id}/grant/revoke`, by, { comment: "no longer" });
    expect(outcomeOf(answer)).toBe(outcome === "200" ? "200" : outcome);
    if (outcome !== "200") return;
    expect(bodyOf(answer)).toMatchObject({ verdict: "deny", reason: "grant_revoked", grant: { state: "revoked" } });
    expect(outcomeOf(await use(made))).toBe("409 grant_unusable");
  });

  it("engine R-GRANT-5: only who made the request uses it; who may not see it is told that there is none", async () => {
    const made = await approved();
    const outcomes = await Promise.all([asAdmin, as("ann"), as("zoe")].map((by) => use(made, by)));
    expect(outcomes.map(outcomeOf)).toEqual(["403 forbidden", "403 forbidden", "404 request_not_found"]);
    const looks = [asAdmin, as("ann"), as("zoe")].map((by) => call("GET", `/requests/${made.id}/verdict`, by));
    expect((await Promise.all(looks)).map(outcomeOf)).toEqual(["200", "403 forbidden", "404 request_not_found"]);
  });

  it("engine R-GRANT-1: of twenty uses at once, through two servers, as many are counted as were approved", async () => {
    for (const uses of [1, 1, 3]) {
      const key = await inForce({ uses });
      for (let round = 0; round < RACE_ROUNDS / 3; round += 1) {
        const made = await asked(key);
        await approve(made);
        const answers = await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            (index % 2 === 0 ? at : other).server.inject({
              ...{ method: "POST", url: `/v1/requests/${made.id}/grant/use`, headers: CI },
              payload: { digest: made.digest },
            }),
          ),
        );
        const outcomes = answers.map(outcomeOf).sort();
        expect(outcomes).toEqual([
          ...Array.from({ length: uses }, () => "200"),
          ...Array.from({ length: 20 - uses }, () => "409 grant_unusable"),
        ]);
      }
    }
    const sql =
      "select count(*)::int as n from grants g where g.uses <> (select count(*) from grant_uses u where u.request_id = g.request_id)";
    expect((await at.pool.query(sql)).rows).toEqual([{ n: 0 }]);
    expect(await verifyDatabase(database.url)).toEqual([]);
  });

  it("engine R-IDEMP-1: the same use sent twice with one key counts once", async () => {
    const made = await approved({ uses: 2 });
    const keyed = { ...CI, "idempotency-key": randomUUID() };
    const [first, second] = [await use(made, keyed), await use(made, keyed)];
    expect([first.statusCode, second.statusCode, second.headers["idempotency-replayed"]]).toEqual([200, 200, "true"]);
    expect(await verdict(made)).toMatchObject({ verdict: "permit", grant: { uses: 1 } });
  });

  it("deploy R-EXPIRY-3: its end is true from its instant on, and written by the clock once", async () => {
    const made = await approved({ ttl_minutes: 1 });
    expect(await at.app.reader.nextTimerAt()).not.toBeNull();
    at.advance(MINUTE);
    expect(await verdict(made)).toMatchObject({
      verdict: "deny",
      reason: "grant_expired",
      grant: { state: "expired" },
    });
    const shown = must(await call("GET", `/requests/${made.id}`), 200);
    expect(shown).toMatchObject({ status: "approved", grant: { state: "expired" } });
    expect(await at.app.reader.dueRequests(at.app.clock(), 1_000)).toContain(made.id);
    await applyDueTimers(at.app, made.id);
    await applyDueTimers(at.app, made.id);
    const kinds = (await entriesOf(made.id)).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "grant.expired")).toEqual(["grant.expired"]);
    expect(await at.app.reader.dueRequests(at.app.clock() + MINUTE, 1_000)).not.toContain(made.id);
    expect(outcomeOf(await use(made))).toBe("409 grant_unusable");
  });

  it("identity R-WID-3: a workload's token counts one use and no second, whichever grant it names", async () => {
    const [made, beside] = [await approved(), await approved()];
    const ci = await callerOf(made);
    const singleUse = { scope: "workload:test", value: randomUUID(), expiresAt: at.app.clock() + MINUTE };
    const render = ({ grant }: Request): { status: number; body: JsonObject } => ({
      ...{ status: 200, body: { uses: grant?.uses ?? 0 } },
    });
    const answers = [];
    for (const { id, digest } of [made, made, beside]) {
      const about = { requestId: id, by: "caller", digest, action: null } as const;
      answers.push(await useGrant(at.app, ci, about, { singleUse, render }));
    }
    expect(answers).toMatchObject([
      { grant: { uses: 1 } },
      { replayed: true, body: { uses: 1 } },
      { replayed: true, body: { uses: 1 } },
    ]);
    expect([await verdict(made), await verdict(beside)]).toMatchObject([
      { grant: { uses: 1 } },
      { grant: { uses: 0 } },
    ]);
  });

  /** Who made it, as it comes back. */
  async function callerOf({ id }: Approved): Promise<Actor> {
    const creator = (await at.app.reader.request(id, await everything()))?.creator;
    if (creator === undefined) throw new Error("no such request");
    const { issuer, subject, clientId, assignee, machine } = creator;
    return {
      ...{ issuer, subject, clientId, assignee, machine, displayName: assignee, person: null, email: null },
      ...{ credential: null, standsFor: [], permissions: [], admin: false, viewer: false },
    };
  }

  it("identity R-TOK-9: a token that was revoked since it was looked at uses nothing", async () => {
    const fresh = await database.fresh();
    const server = await openServer(fresh.url);
    try {
      const root = await signedIn(server);
      const token = await tokenOf(root, await machineOf(root), {
        scopes: ["approval:request:create", "approval:request:read"],
      });
      const me = bodyOf(await server.server.inject({ url: "/v1/me", headers: token.bearer }));
      const actor: Actor = {
        ...{ person: null, assignee: textAt(me, "assignee"), displayName: "ci", issuer: "countersign:machine" },
        ...{ subject: token.machineId, clientId: token.machineId, email: null, machine: true, standsFor: [] },
        ...{ credential: `tok_${token.id.replaceAll("-", "")}`, permissions: [], admin: false, viewer: false },
      };
      const payload = { policy_key: "skips", artifact_type: "thing", artifact_id: "1" };
      await activated(server, "skips");
      const made = must(
        await server.server.inject({ method: "POST", url: "/v1/requests", headers: token.bearer, payload }),
        201,
      );
      const id = textAt(made, "request_id");
      if (!isId<"request">(id)) throw new Error("no id");
      const about = { requestId: id, by: "caller", digest: textAt(made, "digest"), action: null } as const;
      const submit = (): Promise<object> => server.app.store.submit(useGrantCommand(server.app, actor, about));
      expect(await submit()).toMatchObject({ grant: { uses: 1 } });
      must(await root.delete(`/tokens/${token.id}`, { fresh: true }), 204);
      expect(await submit()).toMatchObject({ refusal: "token_revoked" });
    } finally {
      await server.close();
    }
  });

  /** Approved as it is made. */
  async function activated(server: TestServer, key: string): Promise<void> {
    const rules = [{ rule_type: "user", rule_value: { user_id: "ann" } }];
    const stages = [{ name: "None", stage_order: 1, rules, skip_if: { "==": [1, 1] } }];
    const payload = { policy_key: key, name: key, artifact_type: "thing", stages };
    const post = (url: string, body: object): Promise<BrowserAnswer> =>
      server.server.inject({ method: "POST", url, headers: asAdmin, payload: body });
    must(await post("/v1/policies", payload), 201);
    must(await post(`/v1/policies/${key}/versions/1/activate`, {}), 200);
  }

  const INSERT = `insert into grants (id, org_id, request_id, state, not_before, uses, extensions, entry_seq)
    select gen_random_uuid(), org_id, id, 'active', created_at, 0, 0, entry_seq from requests where id = $1`;

  it("ledger R-VER-4: a grant row inserted by hand permits nothing, whatever the request's own row says", async () => {
    const made = await asked(await inForce({}));
    await tamper(INSERT, [made.id]);
    expect(outcomeOf(await use(made))).toBe("409 grant_unusable");
    await tamper("update requests set status = 'approved', completed_at = now() where id = $1", [made.id]);
    expect(await verdict(made)).toMatchObject({ verdict: "deny", reason: "grant_not_supported" });
    expect(outcomeOf(await use(made))).toBe("409 grant_not_supported");
    await tamper(
      `insert into decisions (id, org_id, request_id, stage_run_id, stage_order, task_id, seat_id, person_id, actor, actor_id,
         action, override, assurance, digest, revision, created_at, entry_seq)
       select gen_random_uuid(), t.org_id, t.request_id, t.stage_run_id, t.stage_order, t.id, t.seat_id, t.person_id, 'ann', 'ann',
         'approve', false, 'session', $2, 1, now(), t.entry_seq from tasks t where t.id = $1`,
      [made.taskId, made.digest],
    );
    await tamper("update seats set state = 'approved' where request_id = $1", [made.id]);
    await tamper("update stage_runs set state = 'approved' where request_id = $1", [made.id]);
    expect(outcomeOf(await use(made))).toBe("409 grant_not_supported");
    const { rows } = await at.pool.query("select uses from grants where request_id = $1", [made.id]);
    expect(rows).toEqual([{ uses: 0 }]);
    const refused = (await entriesOf(made.id)).filter(({ kind }) => kind === "access.refused");
    expect(refused.at(-1)).toMatchObject({ data: { code: "grant_not_supported" } });
  });

  it.each([
    ["a decision is another one", '"decision":"approve"', '"decision":"abstain"'],
    ["the approval counts others", '"decisions":1', '"decisions":2'],
    ["nobody of the stage was asked", '"kind":"approver"', '"kind":"observer"'],
    ["the grant is of another request", '"grant":"grant_', '"grant":"grant_0'],
  ])("ledger R-VER-4: the engine judges what was recorded: nothing is permitted where %s", async (_, from, to) => {
    const made = await approved();
    must(await use(made), 200);
    const name = `req_${made.id.replaceAll("-", "")}`;
    const sql = "select seq, text from ledger_entries where request = $1 order by seq";
    const { rows } = await at.pool.query<{ seq: string; text: string }>(sql, [name]);
    await tamper("update ledger_entries set text = replace(text, $2, $3) where request = $1", [name, from, to]);
    expect(outcomeOf(await use(made))).toBe("409 grant_not_supported");
    for (const { seq, text } of rows) await tamper("update ledger_entries set text = $2 where seq = $1", [seq, text]);
    expect(outcomeOf(await use(made))).toBe("200");
  });

  it.each([
    ["uses are taken back", "update grants set uses = 0, state = 'active', ended_at = null where request_id = $1"],
    ["the most is raised", "update grants set uses_max = 9, state = 'active', ended_at = null where request_id = $1"],
    [
      "the end is moved",
      `update grants set expires_at = now() + interval '1 year', uses = 0, state = 'active', ended_at = null where request_id = $1`,
    ],
    [
      "the payload is exchanged",
      "update requests set digest = 'sha256:' || repeat('ab', 32) where id = $1 returning (select true)",
    ],
    [
      "it is another policy's",
      "update policies set document = replace(document, 'any-n', 'all') where id = (select policy_id from requests where id = $1)",
    ],
  ])("ledger R-VER-4: permits nothing more when %s", async (how, statement) => {
    const made = await approved({
      uses: how === "uses are taken back" || how === "the most is raised" ? 1 : 2,
      ttl_minutes: 60,
    });
    must(await use(made), 200);
    await tamper(statement, [made.id]);
    const digest = how === "the payload is exchanged" ? `sha256:${"ab".repeat(32)}` : made.digest;
    const server =
      how === "it is another policy's" ? await openServer(database.url, { application: { orgId: at.app.orgId } }) : at;
    try {
      const answer = await server.server.inject({
        ...{ method: "POST", url: `/v1/requests/${made.id}/grant/use`, headers: CI, payload: { digest } },
      });
      expect(outcomeOf(answer)).toBe("409 grant_not_supported");
    } finally {
      if (server !== at) await server.close();
    }
  });

  it("deploy R-EXPIRY-1, R-EXPIRY-4, R-STATE-1: what gates say of grants and cancelled requests", async () => {
    const key = await inForce({ ttl_minutes: 5, uses: 1 });
    const [made, superseded] = [await asked(key), await asked(key)];
    const [ann, gate] = [await signedPerson("ann"), await signedPerson("gina")];
    const window = { needs: {}, approved: () => ({}), minutes: () => 40 };
    const said = { comment: null, attachmentsRef: null, reasonCode: null, digest: null, grantWindow: window };
    await decideTask(at.app, ann, { taskId: made.taskId, action: "approve", ...said }, null);
    const end = (await at.app.reader.request(made.id, await everything()))?.grant?.expiresAt ?? 0;
    expect(Math.abs(end - at.app.clock() - 40 * MINUTE)).toBeLessThan(MINUTE);
    const bounds = (): { expiresAt: number; most: number; latest: number } => ({
      ...{ expiresAt: end + MINUTE, most: 1, latest: end + MINUTE },
    });
    const extended = await at.app.store.submit(extendGrantCommand(at.app, gate, { requestId: made.id, bounds }));
    expect(extended).toMatchObject({ grant: { expiresAt: end + MINUTE, extensions: 1 } });
    const about = { requestId: made.id, by: "gate", digest: made.digest, action: "thing:do" } as const;
    expect(await at.app.store.submit(useGrantCommand(at.app, gate, about))).toMatchObject({ grant: { state: "used" } });
    const cancel = {
      requestId: superseded.id,
      reason: null,
      gate: { cause: "superseded", supersededBy: made.id },
    } as const;
    await at.app.store.submit(cancelCommand(at.app, gate, cancel));
    const shown = must(await call("GET", `/requests/${superseded.id}`), 200);
    expect(shown["outcome"]).toMatchObject({ cause: "superseded", superseded_by: made.id, comment: null });
    const last = (await entriesOf(superseded.id)).at(-1);
    expect(last).toMatchObject({
      kind: "request.superseded",
      data: { by_request: `req_${made.id.replaceAll("-", "")}` },
    });
    const bundle = must(await call("GET", `/requests/${superseded.id}/bundle`, asAdmin), 200);
    expect(bundle["request"]).toMatchObject({ outcome: "superseded" });
    expect(await verifyDatabase(database.url)).toEqual([]);
  });

  function signedPerson(name: string): Promise<AdmittedActor> {
    const token = { issuer: DEVELOPMENT_ISSUER, subject: name };
    return at.person(name, token);
  }

  async function everything(): Promise<Parameters<typeof at.app.reader.request>[1]> {
    const admin = await at.admin("auditor");
    return { ...admin, personId: admin.person?.id ?? null, readsAll: true };
  }
});
