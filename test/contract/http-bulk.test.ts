/** Several decisions in one call, several statements under one touch (engine R-DECIDE-9, identity R-STEP-5, R-SIGN-5). */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { NOTHING_EARLIER, verifySignedDecision } from "../../src/evidence/signed-decision.ts";
import { webSiteOf } from "../../src/evidence/web-site.ts";
import { canonicalJson } from "../../src/ledger/canonical-json.ts";
import { parseEntry, type EntryFields } from "../../src/ledger/entry.ts";
import { textAt } from "../support/json-answer.ts";
import { must, outcomeOf, signedInAs, type TestBrowser } from "../support/signed-in.ts";
import { linkTokens, listOf, openSigningServer, SigningScene } from "../support/signing-scene.ts";
import { totpCode } from "../support/software-authenticator.ts";
import { ORIGIN, sha256 } from "../support/test-application.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { as, type TestServer } from "../support/test-server.ts";

const BATCH = 50;
const OTHER_DIGEST = `sha256:${"0".repeat(64)}`;

interface Item {
  readonly task: string;
  readonly digest: string;
  readonly requestId: string;
}

interface Decider {
  readonly ann: TestBrowser;
  readonly name: string;
  readonly policyKey: string;
  readonly ask: (count: number) => Promise<readonly Item[]>;
}

describeOnEveryPostgres("many decisions at once", (database) => {
  let at: TestServer;
  let scene: SigningScene;
  beforeAll(async () => {
    at = await openSigningServer(database.url);
    scene = await SigningScene.open(at, "ben");
  });
  afterAll(() => at.close());

  async function decider(stage: JsonObject): Promise<Decider> {
    const name = `ann-${randomUUID().slice(0, 8)}`;
    const ann = await signedInAs(at, scene.root, { login: name });
    await linkTokens(at, ann.personId, name);
    const policyKey = `of-${name}`;
    await scene.policy(policyKey, [{ people: [name, "ben"], ...stage }]);
    const ask = async (count: number): Promise<readonly Item[]> => {
      const items: Item[] = [];
      for (let made = 0; made < count; made += 1) {
        const asked = await scene.ask(policyKey, { amount: made });
        items.push({ task: scene.taskOf(asked, name), digest: asked.digest, requestId: asked.requestId });
      }
      return items;
    };
    return { ann, name, policyKey, ask };
  }

  function bound(items: readonly Item[]): readonly JsonObject[] {
    return items.map(({ task, digest }) => ({ task_id: task, action: "approve", digest }));
  }

  function outcomes(body: JsonObject): readonly string[] {
    return listOf(body["results"]).map(({ status, error }) => {
      const code = error === undefined ? "" : ` ${textAt(error, "code")}`;
      return `${JSON.stringify(status)}${code}`;
    });
  }

  async function post(browser: TestBrowser, body: JsonObject, headers = {}): Promise<JsonObject> {
    return must(await browser.post("/tasks/decisions", body, { headers }), 200);
  }

  it("engine R-DECIDE-9: each is decided as if alone, in the order of the list, and one bad item stops no other", async () => {
    const { ann, ask } = await decider({});
    const [one, two, three, four] = await ask(4);
    if (one === undefined || two === undefined || three === undefined || four === undefined) throw new Error("four");
    const foreign = await scene.ask(`of-${(await decider({})).name}`);
    const items = [
      ...bound([one]),
      { task_id: randomUUID(), action: "approve", digest: one.digest },
      { task_id: two.task, action: "approve", digest: OTHER_DIGEST },
      { task_id: scene.taskOf(foreign, "ben"), action: "approve", digest: foreign.digest },
      { task_id: one.task, action: "reject", digest: one.digest },
      { task_id: three.task, action: "reject", digest: three.digest, comment: "no" },
      { task_id: four.task, action: "approve" },
    ];
    const body = await post(ann, { items });
    expect(outcomes(body)).toEqual([
      "201",
      "404 task_not_found",
      "409 digest_mismatch",
      "404 task_not_found",
      "409 wrong_state",
      "201",
      "409 view_required",
    ]);
    const results = listOf(body["results"]);
    expect(results.map((result) => result["task_id"])).toEqual(items.map((item) => item["task_id"]));
    expect(results[5]).toMatchObject({ decision: { action: "reject", comment: "no", request_status: "rejected" } });
    const made = (await scene.entries("decision.recorded")).slice(-2);
    expect(made.map((entry) => textAt(entry, "data", "decision"))).toEqual(["approve", "reject"]);
  });

  it("engine R-DECIDE-9: one to fifty items", async () => {
    const { ann, ask } = await decider({});
    const [item] = bound(await ask(1));
    const many = Array.from({ length: 51 }, () => item);
    expect(outcomeOf(await ann.post("/tasks/decisions", { items: [] }))).toBe("422 invalid_input");
    expect(outcomeOf(await ann.post("/tasks/decisions", { items: many }))).toBe("422 invalid_input");
  });

  it("identity R-SIGN-8: the compatible family decides without digests here as well", async () => {
    const { ask, name } = await decider({});
    const payload = { items: (await ask(2)).map(({ task }) => ({ task_id: task, action: "approve" })) };
    const answer = await at.server.inject({
      method: "POST",
      url: "/v1/awe/tasks/decisions",
      headers: as(name),
      payload,
    });
    expect(outcomes(must(answer, 200))).toEqual(["201", "201"]);
  });

  it("engine R-DECIDE-4: a repeated call with its key is answered item by item as before", async () => {
    const { ann, ask } = await decider({ assurance: "mfa" });
    const items = await ask(3);
    const intended = items.map(({ task }) => ({ task_id: task, action: "approve" }));
    const headers = {
      ...(await ann.proofFor("POST /tasks/decisions", { items: intended })),
      "idempotency-key": randomUUID(),
    };
    const first = await post(ann, { items: bound(items) }, headers);
    expect(outcomes(first)).toEqual(["201", "201", "201"]);
    expect(await post(ann, { items: bound(items) }, headers)).toEqual(first);
  });

  describe("identity R-STEP-5: one proof covers exactly the listed items", () => {
    it("a passkey's answer for the list", async () => {
      const { ann, ask } = await decider({ assurance: "mfa" });
      const items = await ask(3);
      const intended = items.map(({ task }) => ({ task_id: task, action: "approve" }));
      const headers = await ann.proofFor("POST /tasks/decisions", { items: intended });
      expect(outcomes(await post(ann, { items: bound(items) }, headers))).toEqual(["201", "201", "201"]);
    });

    it("an authenticator code, for one list and no other", async () => {
      const { ann, ask } = await decider({ assurance: "mfa" });
      const offered = must(await ann.post("/me/factors/totp/options", {}, { fresh: true }), 201);
      const secret = textAt(offered, "secret");
      const enrolled = { ceremony: offered["ceremony"], code: totpCode(secret, at.app.clock()), name: "Phone" };
      must(await ann.post("/me/factors/totp", enrolled), 201);
      at.advance(30_000);
      const [one, two] = [await ask(2), await ask(1)];
      const proof = { type: "totp", code: totpCode(secret, at.app.clock()) };
      expect(outcomes(await post(ann, { items: bound(one), proof }))).toEqual(["201", "201"]);
      const again = await ann.post("/tasks/decisions", { items: bound(two), proof });
      expect(outcomeOf(again)).toBe("401 mfa_verification_failed");
    });

    it.each<[string, (items: readonly JsonObject[], more: JsonObject) => readonly JsonObject[]]>([
      ["an item added later", (items, more) => [...items, more]],
      ["an item left out", (items) => items.slice(1)],
      ["another order", (items) => items.toReversed()],
      ["another decision", (items) => items.map((item, index) => (index === 0 ? { ...item, action: "reject" } : item))],
    ])("not %s", async (_what, change) => {
      const { ann, ask } = await decider({ assurance: "mfa" });
      const [first, second, more] = bound(await ask(3));
      if (first === undefined || second === undefined || more === undefined) throw new Error("three");
      const intended = [first, second].map(({ task_id: id, action }) => ({
        task_id: id ?? null,
        action: action ?? null,
      }));
      const headers = await ann.proofFor("POST /tasks/decisions", { items: intended });
      const answer = await ann.post("/tasks/decisions", { items: change([first, second], more) }, { headers });
      expect(outcomeOf(answer)).toBe("401 mfa_verification_failed");
    });

    it("without a proof each item says what it needs", async () => {
      const { ann, ask } = await decider({ assurance: "mfa" });
      const body = await post(ann, { items: bound(await ask(2)) });
      expect(outcomes(body)).toEqual(["403 step_up_required", "403 step_up_required"]);
      expect(listOf(body["results"])[0]).toMatchObject({ error: { step_up: { needed: "mfa", methods: ["passkey"] } } });
    });
  });

  describe("identity R-SIGN-5: one touch signs several statements", () => {
    const SIGNED_TOGETHER = { assurance: "signed", batch: true };

    async function minted(browser: TestBrowser, items: readonly Item[]): Promise<JsonObject> {
      const viewed: JsonObject[] = [];
      for (const { task } of items) {
        const view = textAt(await scene.view(browser, task), "id");
        viewed.push({ task_id: task, view, action: "approve" });
      }
      return must(await browser.post("/tasks/statements", { items: viewed }), 201);
    }

    function signedItems(batch: JsonObject): readonly JsonObject[] {
      return listOf(batch["items"]).map(({ task_id: id, id: statement }) => ({
        ...{ task_id: id ?? null, statement: statement ?? null, action: "approve" },
      }));
    }

    function touch(browser: TestBrowser, batch: JsonObject): JsonObject {
      return { response: browser.key.assert(batch["options"] ?? null) };
    }

    async function ledger(kinds: readonly string[]): Promise<readonly EntryFields[]> {
      const sql = "select text from ledger_entries where kind = any($1) order by seq";
      const { rows } = await at.pool.query<{ text: string }>(sql, [kinds]);
      return rows.map(({ text }) => {
        const parsed = parseEntry(text);
        if (!parsed.ok) throw new Error(parsed.finding);
        return parsed.entry;
      });
    }

    it("of a batch of fifty with one stale item 49 are recorded, and each verifies alone, offline", async () => {
      const { ann, ask, policyKey } = await decider(SIGNED_TOGETHER);
      const items = await ask(BATCH);
      const batch = await minted(ann, items);
      const signature = touch(ann, batch);
      const stale = items[17];
      if (stale === undefined) throw new Error("fifty");
      await scene.ask(policyKey);
      const newest = "(select max(seq) from ledger_entries)";
      await at.pool.query(`update requests set digest = $2, entry_seq = ${newest} where id = $1`, [
        stale.requestId,
        OTHER_DIGEST,
      ]);
      const before = (await ledger(["decision.recorded"])).length;
      const body = await post(ann, { items: signedItems(batch), signature });
      const expected = Array.from({ length: BATCH }, (_, index) => (index === 17 ? "409 view_stale" : "201"));
      expect(outcomes(body)).toEqual(expected);
      expect(listOf(body["results"])[17]).toMatchObject({ error: { changed: ["payload"] } });
      const recorded = (await ledger(["decision.recorded"])).slice(before);
      const factorEntries = await ledger(["factor.enrolled"]);
      const verdicts = recorded.map((decision) => {
        const text = canonicalJson(decision.data["statement"] ?? null);
        const about = { text, recorded: decision, factorEntries, site: webSiteOf(ORIGIN), earlier: NOTHING_EARLIER };
        return verifySignedDecision(about, sha256).ok;
      });
      expect(verdicts).toEqual(Array.from({ length: BATCH - 1 }, () => true));
    });

    it("a stage that takes no batches is left out, and says so", async () => {
      const [together, alone] = [await decider(SIGNED_TOGETHER), await decider({ assurance: "signed" })];
      const { ann } = together;
      await scene.policy(`both-${together.name}`, [{ people: [together.name], assurance: "signed" }]);
      const asked = await scene.ask(`both-${together.name}`);
      const single: Item = {
        task: scene.taskOf(asked, together.name),
        digest: asked.digest,
        requestId: asked.requestId,
      };
      const batch = await minted(ann, [...(await together.ask(2)), single]);
      expect(listOf(batch["items"])[2]).toMatchObject({ task_id: single.task, error: { code: "not_available" } });
      const items = signedItems(batch).slice(0, 2);
      expect(outcomes(await post(ann, { items, signature: touch(ann, batch) }))).toEqual(["201", "201"]);
      expect(alone.name).not.toBe(together.name);
    });

    it("items of one touch may be sent one by one, and its counter moves once", async () => {
      const { ann, ask } = await decider(SIGNED_TOGETHER);
      const items = await ask(2);
      const batch = await minted(ann, items);
      const { response = null } = touch(ann, batch);
      for (const item of signedItems(batch)) {
        const said = { action: "approve", signature: { statement: textAt(item, "statement"), response } };
        must(await ann.post(`/tasks/${textAt(item, "task_id")}/decision`, said), 201);
      }
      expect(await scene.entries("factor.counter_regressed")).toEqual([]);
    });

    it("a statement of the batch does not decide another item of it", async () => {
      const { ann, ask } = await decider(SIGNED_TOGETHER);
      const batch = await minted(ann, await ask(2));
      const [one, two] = signedItems(batch);
      const crossed = [
        { ...one, statement: two?.["statement"] ?? null },
        { ...two, statement: one?.["statement"] ?? null },
      ];
      const body = await post(ann, { items: crossed, signature: touch(ann, batch) });
      expect(outcomes(body)).toEqual(["409 statement_mismatch", "409 statement_mismatch"]);
    });

    it("an added statement was not under the touch", async () => {
      const { ann, ask } = await decider(SIGNED_TOGETHER);
      const [first, second] = await ask(2);
      if (first === undefined || second === undefined) throw new Error("two");
      const [one, two] = [await minted(ann, [first]), await minted(ann, [second])];
      const items = [...signedItems(one), ...signedItems(two)];
      const body = await post(ann, { items, signature: touch(ann, one) });
      expect(outcomes(body)).toEqual(["201", "401 assertion_invalid"]);
    });

    it("every view must have been opened by this person", async () => {
      const { ann, ask, name } = await decider(SIGNED_TOGETHER);
      const [item] = await ask(1);
      const asked = await scene.ask(`of-${name}`);
      const his = textAt(await scene.view(scene.who("ben"), scene.taskOf(asked, "ben")), "id");
      const items = [
        { task_id: item?.task ?? null, view: textAt(await scene.view(ann, item?.task ?? ""), "id"), action: "approve" },
        { task_id: scene.taskOf(asked, name), view: his, action: "approve" },
      ];
      const batch = must(await ann.post("/tasks/statements", { items }), 201);
      expect(listOf(batch["items"])[1]).toMatchObject({ error: { code: "view_required" } });
    });
  });
});
