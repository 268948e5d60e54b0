/** The evidence of a request as it is handed out, judged by the command that an auditor runs (ledger section 11). */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createEvidenceReader } from "../../src/adapters/postgres/reader-evidence.ts";
import type { JsonValue } from "../../src/core/json.ts";
import { parseBundle, type Bundle, type BundleOpening } from "../../src/evidence/bundle.ts";
import { NO_PINS, parseTrust } from "../../src/evidence/trust.ts";
import { verifyBundle } from "../../src/evidence/verify-bundle.ts";
import { leafHash } from "../../src/ledger/hash.ts";
import { verifyConsistency, verifyInclusion } from "../../src/ledger/proof.ts";
import { rootOf } from "../../src/ledger/tree.ts";
import { bodyOf, textAt } from "../support/json-answer.ts";
import { countersign } from "../support/countersign-process.ts";
import { giveRoles, personIdOf } from "../support/member-changes.ts";
import { authenticatorFor, must, outcomeOf, signedInAs, TestBrowser } from "../support/signed-in.ts";
import {
  listOf,
  openSigningServer,
  policyDocument,
  signatureOf,
  SigningScene,
  type Asked,
} from "../support/signing-scene.ts";
import { sha256 } from "../support/test-application.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { TEST_VKEY } from "../support/test-evidence.ts";
import { as, asAdmin, type TestServer } from "../support/test-server.ts";

const TRUST = `log ${TEST_VKEY}\nquorum none\n`;
const STAGES = [
  { people: ["ann"], assurance: "signed" },
  { people: ["ben"], assurance: "mfa" },
  { people: ["cid"] },
] as const;

describeOnEveryPostgres("the evidence of a request", (database) => {
  let at: TestServer;
  let scene: SigningScene;
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "countersign-evidence-"));
    at = await openSigningServer(database.url);
    scene = await SigningScene.open(at, "ann", "ben", "cid");
    await scene.policy("three", [...STAGES]);
  });
  afterAll(async () => {
    await at.close();
    await rm(directory, { recursive: true });
  });

  async function taskOf(browser: TestBrowser, requestId: string): Promise<string> {
    const { items } = must(await browser.get(`/tasks?request_id=${requestId}&status=open`), 200);
    return textAt(listOf(items)[0], "id");
  }

  /** Signed by the first, confirmed by a factor of the second, simply approved by the third. */
  async function approved(): Promise<Asked> {
    const asked = await scene.ask("three", { amount: 12, account: "DE02" });
    const [ann, ben, cid] = [scene.who("ann"), scene.who("ben"), scene.who("cid")];
    must(await scene.sign(ann, scene.taskOf(asked, "ann"), { comment: "seen and right" }), 201);
    const second = await taskOf(ben, asked.requestId);
    const headers = await ben.proofFor(`POST /tasks/${second}/decision`, { decision: "approve" });
    const said = { action: "approve", digest: asked.digest };
    must(await ben.post(`/tasks/${second}/decision`, said, { headers }), 201);
    const third = await taskOf(cid, asked.requestId);
    must(await cid.post(`/tasks/${third}/decision`, { ...said, comment: "fine" }), 201);
    return asked;
  }

  async function bundleText({ requestId }: Asked, headers: object = asAdmin): Promise<string> {
    // So that six are not reached in a minute.
    at.advance(11_000);
    const answer = await at.server.inject({ url: `/v1/requests/${requestId}/bundle`, headers: { ...headers } });
    expect([answer.statusCode, answer.headers["content-type"]]).toEqual([
      200,
      "application/vnd.countersign.bundle+json; charset=utf-8",
    ]);
    return answer.body;
  }

  function read(text: string): Bundle {
    const parsed = parseBundle(text);
    if (!parsed.ok) throw new Error(parsed.finding);
    return parsed.bundle;
  }

  async function command(
    name: string,
    text: string,
  ): Promise<{ readonly status: number | string; readonly said: string }> {
    const [file, trust] = [join(directory, `${name}.json`), join(directory, "trust")];
    await writeFile(file, text);
    await writeFile(trust, TRUST);
    const process = countersign(["verify", file, "--trust", trust]);
    return { status: await process.exited, said: process.printed() };
  }

  it("ledger R-OFF-1: a bundle from the server is sound for the command on another machine, and with one byte changed it is not", async () => {
    const text = await bundleText(await approved());
    const sound = await command("sound", text);
    expect([sound.status, sound.said]).toEqual([0, expect.stringContaining("Sound: every check passed")]);
    expect(sound.said).toContain("with a passkey");
    const spoiled = await command("spoiled", text.replace('"account":"DE02"', '"account":"DE03"'));
    expect([spoiled.status, spoiled.said]).toEqual([1, expect.stringContaining("payload_mismatch")]);
  });

  it.each<[string, (text: string) => string, string]>([
    [
      "the decision",
      (text) =>
        text.replace(String.raw`\"decision\":\"approve\",\"factor\"`, String.raw`\"decision\":\"reject\",\"factor\"`),
      "entry_invalid",
    ],
    [
      "a signature",
      (text) =>
        text.replace(
          /(\\"signature\\":\\"[A-Za-z0-9_-]{20})(.)/,
          (_all, start: string, letter: string) => `${start}${letter === "A" ? "B" : "A"}`,
        ),
      "entry_invalid",
    ],
    [
      "the policy",
      (text) => text.replace('"stages":[{"assurance":"signed"', '"stages":[{"assurance":"session"'),
      "policy_mismatch",
    ],
    ["a reason", (text) => text.replace("seen and right", "seen and wrong"), "opening_mismatch"],
    ["what was shown", (text) => text.replace('"renderer":"generic/1"', '"renderer":"generic/2"'), "payload_mismatch"],
    ["the outcome", (text) => text.replace('"outcome":"approved"', '"outcome":"rejected"'), "outcome_not_supported"],
  ])("ledger section 11.3: with %s changed the bundle fails", async (_what, change, code) => {
    const text = await bundleText(await approved());
    expect(judged(text)).toMatchObject({ ok: true });
    expect(change(text)).not.toBe(text);
    const verdict = judged(change(text));
    // A changed entry either no longer reads as one that follows, or is not in the tree.
    const codes = code === "entry_invalid" ? ["entry_invalid", "not_included"] : [code];
    expect(verdict.ok ? "sound" : codes.includes(verdict.code)).toBe(true);
  });

  it("identity R-SIGN-1: bundles of requests that are undecided, rejected and cancelled verify as such", async () => {
    const undecided = await scene.ask("three");
    expect(judged(await bundleText(undecided))).toMatchObject({
      ok: true,
      bundle: { request: { outcome: "pending" } },
    });
    const rejected = await scene.ask("three");
    const said = { action: "reject", digest: rejected.digest };
    must(await scene.who("ann").post(`/tasks/${scene.taskOf(rejected, "ann")}/decision`, said), 201);
    expect(judged(await bundleText(rejected))).toMatchObject({
      ok: true,
      bundle: { request: { outcome: "rejected" } },
    });
    const cancelled = await scene.ask("three");
    await at.server.inject({
      ...{ method: "POST", url: `/v1/requests/${cancelled.requestId}/cancel`, headers: { ...asAdmin }, payload: {} },
    });
    expect(judged(await bundleText(cancelled))).toMatchObject({
      ok: true,
      bundle: { request: { outcome: "cancelled" } },
    });
  });

  it("ledger section 13: openings of others need the permission to read the ledger", async () => {
    const asked = await approved();
    const reasons = async (browser: TestBrowser): Promise<readonly unknown[]> => {
      const text = must(await browser.get(`/requests/${asked.requestId}/bundle`), 200);
      const openings = read(JSON.stringify(text)).openings.filter(({ path }) => path === "/reason");
      return openings.map(valueOf);
    };
    expect(await reasons(scene.who("ann"))).toEqual(["seen and right"]);
    expect(await reasons(scene.who("ben"))).toEqual([]);
    const all = read(await bundleText(asked)).openings.filter(({ path }) => path === "/reason");
    expect(all.map(valueOf)).toEqual(["seen and right", "fine"]);
  });

  it("ledger acceptance 34: after its openings are erased a bundle still verifies, and says what is gone", async () => {
    const asked = await approved();
    const { entries } = read(await bundleText(asked));
    await at.pool.query("delete from ledger_openings where seq = any($1) and path = '/reason'", [
      entries.map(({ seq }) => seq),
    ]);
    const text = await bundleText(asked);
    expect(judged(text)).toMatchObject({ ok: true });
    const gone = read(text).openings.filter((opening) => "erased" in opening);
    expect(gone.map(({ path }) => path)).toEqual(["/reason", "/reason"]);
  });

  it("engine R-AUTH-30: who may not read the request is told that there is none", async () => {
    const asked = await scene.ask("three");
    const stranger = await signedInAs(at, scene.root, { login: "stranger" });
    expect(outcomeOf(await stranger.get(`/requests/${asked.requestId}/bundle`))).toBe("404 request_not_found");
    expect(outcomeOf(await stranger.get("/requests/not-an-id/bundle"))).toBe("404 request_not_found");
  });

  it("identity section 10: nobody takes more than six bundles a minute", async () => {
    const by = as("collector", ["AWE_ADMIN"]);
    const outcomes: string[] = [];
    for (let number = 1; number <= 7; number += 1) {
      outcomes.push(outcomeOf(await at.server.inject({ url: "/v1/requests/not-an-id/bundle", headers: by })));
    }
    expect(outcomes).toEqual([...Array.from({ length: 6 }, () => "404 request_not_found"), "429 rate_limited"]);
  });

  it("identity R-SIGN-1: a key removed later does not spoil what it signed before", async () => {
    const dan = await signedInAs(at, scene.root, { login: "dan" });
    await scene.policy("by-dan", [{ people: ["dan"], assurance: "signed" }]);
    const asked = await scene.ask("by-dan");
    const statement = await scene.statement(dan, scene.taskOf(asked, "dan"));
    must(await scene.decideSigned(dan, scene.taskOf(asked, "dan"), {}, signatureOf(dan, statement)), 201);
    const link = must(await scene.root.post(`/people/${dan.personId}/recovery`, {}, { fresh: true }), 201);
    const [, token = ""] = textAt(link, "link").split("#");
    must(await dan.post("/auth/recover", { token }), 201);
    expect(judged(await bundleText(asked))).toMatchObject({ ok: true });
  });

  it("identity R-SIGN-1, R-ORG-2: keys and policies of people who act in two organizations verify, and show nothing of the other", async () => {
    const made = must(await scene.root.post("/orgs", { name: "Second", slug: "second" }, { fresh: true }), 201);
    const there = { headers: { "x-countersign-org": "second" } };
    const eve = await signedInAs(at, scene.root, { login: "eve" });
    await giveRoles(at.app.forOrganization(textAt(made, "id")), personIdOf(eve.personId), ["viewer"]);
    // A second key, enrolled while acting in the other organization, and used there as well.
    const key = authenticatorFor(at);
    const asked = must(await eve.post("/me/factors/passkey/options", {}, { fresh: true, ...there }), 201);
    const response = key.register(asked["options"] ?? null);
    const named = { ceremony: asked["ceremony"], response, name: "Second key" };
    must(await eve.post("/me/factors/passkey", named, there), 201);
    const other = new TestBrowser(at, { key });
    must(await other.signIn(), 201);
    must(await other.post("/me/sessions/end-others", {}, { fresh: true, ...there }), 204);
    const stages = [{ people: ["eve"], assurance: "signed" }] as const;
    await scene.policy("by-eve", [...stages]);
    // The same policy in both: one document, one digest, two activations.
    must(await scene.root.post("/policies", policyDocument("by-eve", stages, {}), { fresh: true, ...there }), 201);
    must(await scene.root.post("/policies/by-eve/versions/1/activate", {}, { fresh: true, ...there }), 200);
    const decided = await scene.ask("by-eve");
    must(await scene.sign(other, scene.taskOf(decided, "eve")), 201);
    const text = await bundleText(decided);
    expect(judged(text)).toMatchObject({ ok: true, bundle: { request: { outcome: "approved" } } });
    const kinds = read(text).entries.map(({ bytes }) => {
      const entry = bodyOf({ body: bytes });
      return `${textAt(entry, "kind")}${entry["org"] === read(text).request.org ? "" : " elsewhere"}`;
    });
    expect(kinds.filter((kind) => /^(?:factor|policy)/.test(kind)).toSorted()).toEqual([
      "factor.enrolled elsewhere",
      "policy.activated",
    ]);
    expect(await command("elsewhere", text)).toMatchObject({ status: 0 });
  });

  it("ledger R-TREE-1: proofs hold in trees of every shape, with tiles in memory and without", async () => {
    const leaves = await grownTo(700);
    const reader = createEvidenceReader(at.pool, sha256);
    for (const size of [1, 2, 255, 256, 257, 511, 512, 513, 640, 700]) {
      const seqs = [0, 1, 200, 255, 256, 511, 512, 699].filter((seq) => seq < size);
      const from = [1, 100, 256, 300, 512, 700].filter((older) => older <= size);
      const { inclusion, consistency } = await reader.proofs(size, { seqs, from });
      const root = rootOf(leaves.slice(0, size), sha256);
      const included = seqs.map((seq) =>
        verifyInclusion({ leaf: leaves[seq] ?? "", index: seq, size, root, proof: inclusion.get(seq) ?? [] }, sha256),
      );
      const continued = from.map((older) => {
        const fromRoot = rootOf(leaves.slice(0, older), sha256);
        const claim = { from: older, to: size, fromRoot, toRoot: root, proof: consistency.get(older) ?? [] };
        return verifyConsistency(claim, sha256);
      });
      expect([size, ...included, ...continued]).toEqual([size, ...seqs.map(() => true), ...from.map(() => true)]);
    }
  });

  function valueOf(opening: BundleOpening): JsonValue {
    return "value" in opening ? opening.value : null;
  }

  /** The leaves of a ledger of at least so many entries. */
  async function grownTo(size: number): Promise<readonly string[]> {
    const entries = async (): Promise<readonly string[]> => {
      const { rows } = await at.pool.query<{ text: string }>("select text from ledger_entries order by seq");
      return rows.map(({ text }) => leafHash(text, sha256));
    };
    for (let have = (await entries()).length; have < size; have = (await entries()).length) {
      await Promise.all(Array.from({ length: 60 }, () => scene.ask("three")));
    }
    return entries();
  }
});

describeOnEveryPostgres("the evidence of an installation without a public address", (database) => {
  it("identity R-SIGN-1: verifies whichever port of this machine its people signed at", async () => {
    const at = await openSigningServer(database.url, {
      application: { identity: { publicUrl: "http://localhost:8123" } },
    });
    try {
      const scene = await SigningScene.open(at, "ann");
      await scene.policy("alone", [{ people: ["ann"], assurance: "signed" }]);
      const asked = await scene.ask("alone");
      must(await scene.sign(scene.who("ann"), scene.taskOf(asked, "ann")), 201);
      const url = `/v1/requests/${asked.requestId}/bundle`;
      const { body } = await at.server.inject({ url, headers: { ...asAdmin } });
      expect(judged(body)).toMatchObject({ ok: true, signed: [{}] });
    } finally {
      await at.close();
    }
  });
});

function judged(text: string): ReturnType<typeof verifyBundle> {
  const trust = parseTrust(TRUST);
  if (!trust.ok) throw new Error(trust.finding);
  const question = { trust: trust.trust, pins: NO_PINS, expectDigest: null, expectCommit: null, at: null };
  return verifyBundle(text, question, sha256);
}
