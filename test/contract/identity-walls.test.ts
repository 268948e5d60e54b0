/** Walls of identity that no other file looks at: what is said about missing proofs, what the database refuses, what is never kept. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assertPasskeySite } from "../../src/main/passkey-site.ts";
import { textAt } from "../support/json-answer.ts";
import { machineOf, tokenOf } from "../support/machine-tokens.ts";
import { must, outcomeOf, signedIn, signedInAs, TestBrowser } from "../support/signed-in.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { as, asAdmin, openServer, type TestServer } from "../support/test-server.ts";

const POLICY = {
  ...{ policy_key: "walls", name: "Walls", artifact_type: "thing" },
  stages: [{ name: "One", stage_order: 1, rules: [{ rule_type: "user", rule_value: { user_id: "ben" } }] }],
};

describeOnEveryPostgres("identity", (database) => {
  let at: TestServer;
  let admin: TestBrowser;

  beforeAll(async () => {
    at = await openServer(database.url);
    admin = await signedIn(at);
  }, 60_000);
  afterAll(() => at.close());

  describe("a proof that is missing", () => {
    it("identity R-STEP-6: is named in code and header, each kind by its own word", async () => {
      const fresh = await admin.post("/orgs", { name: "Other", slug: "other" });
      expect([outcomeOf(fresh), fresh.headers["x-mfa-required"]]).toEqual(["401 mfa_required", "always"]);
      at.advance(11 * 60_000);
      const window = await admin.post("/policies", POLICY);
      expect([outcomeOf(window), window.headers["x-mfa-required"]]).toEqual(["401 mfa_step_up_required", "step-up"]);
      const invited = must(
        await admin.post("/people", { email: "new@example.com", login: "new", roles: ["viewer"] }, { fresh: true }),
        201,
      );
      const beginner = new TestBrowser(at);
      const [, token] = textAt(invited, "link").split("#");
      must(await beginner.post("/auth/invitations/accept", { token }), 201);
      const enrol = await beginner.get("/requests");
      expect([outcomeOf(enrol), enrol.headers["x-mfa-required"]]).toEqual([
        "403 mfa_enrollment_required",
        "enrollment",
      ]);
    });

    it("identity R-STEP-7: is not asked of a token of another issuer for what it administers", async () => {
      const headers = { ...asAdmin, "content-type": "application/json" };
      const made = await at.server.inject({ method: "POST", url: "/v1/awe/policies", headers, payload: POLICY });
      expect(made.statusCode).toBe(201);
      const url = "/v1/awe/policies/walls/versions/1/activate";
      expect((await at.server.inject({ method: "POST", url, headers: asAdmin })).statusCode).toBe(200);
      expect((await at.server.inject({ method: "POST", url, headers: as("plain") })).statusCode).toBe(403);
    });
  });

  it("identity R-FACT-3: a start under another name is refused and names whose passkeys it would leave behind", async () => {
    const lines: string[] = [];
    const say = (line: string): void => void lines.push(line);
    const { hostname } = new URL(at.options.browser.origin);
    await assertPasskeySite(at.pool, hostname, { accepted: false, say });
    const refused = assertPasskeySite(at.pool, "elsewhere.example.com", { accepted: false, say });
    await expect(refused).rejects.toMatchObject({ code: "rp_id_changed" });
    await expect(refused).rejects.toThrow(textAt(admin.me, "assignee"));
    expect(lines).toEqual([]);
    await assertPasskeySite(at.pool, "elsewhere.example.com", { accepted: true, say });
    expect(lines.join()).toContain(textAt(admin.me, "assignee"));
  });

  it.each(["stage_runs", "seats", "tasks", "decisions", "events"])(
    "identity R-ORG-1: no row of %s can belong to a request of another organization",
    async (table) => {
      const { rows } = await at.pool.query<{ columns: string[]; target: string }>(
        `select array(select attname::text from pg_attribute where attrelid = k.conrelid and attnum = any(k.conkey) order by attname) as columns,
           k.confrelid::regclass::text as target
         from pg_constraint k where k.contype = 'f' and k.conrelid = $1::regclass`,
        [table],
      );
      const parent = rows.filter(({ target }) => target === "requests");
      expect(parent.map(({ columns }) => columns)).toEqual([["org_id", "request_id"]]);
    },
  );

  it("identity R-SEAL-5: a secret that was given out stands in no table, neither whole nor among openings", async () => {
    const ben = await signedInAs(at, admin, { roles: ["viewer"] });
    const offered = must(await ben.post("/me/factors/totp/options", {}, { fresh: true }), 201);
    const token = await tokenOf(admin, await machineOf(admin));
    const password = `correct horse ${randomUUID()}`;
    must(await ben.put("/me/password", { password }, { fresh: true }), 204);
    const { codes } = must(await ben.post("/me/backup-codes", {}, { fresh: true }), 201);
    const [cookie = ""] = admin.cookie.split("; ").map((pair) => pair.split("=")[1] ?? "");
    const code = textAt({ codes: codes ?? null }, "codes", 0);
    const secrets = [textAt(offered, "secret"), token.secret, password, cookie, code];
    expect(secrets.every((secret) => secret.length >= 20)).toBe(true);
    const { rows: tables } = await at.pool.query<{ name: string }>(
      "select tablename as name from pg_tables where schemaname = 'public'",
    );
    for (const { name } of tables) {
      const { rows } = await at.pool.query<{ row: string }>(`select t::text as row from "${name}" t`);
      const text = rows.map(({ row }) => row).join("\n");
      for (const [index, secret] of secrets.entries())
        expect([name, index, text.includes(secret)]).toEqual([name, index, false]);
    }
  });
});
