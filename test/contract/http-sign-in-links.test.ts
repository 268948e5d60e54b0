/** One-time links: coming in by an invitation, coming back by a recovery link. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { bodyOf, textAt } from "../support/json-answer.ts";
import { authenticatorFor, must, outcomeOf, signedIn, signedInAs, TestBrowser } from "../support/signed-in.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { openServer, type TestServer } from "../support/test-server.ts";

const HOUR_MS = 3_600_000;

function tokenOf(link: string): string {
  return link.split("#")[1] ?? "";
}

describeOnEveryPostgres("an invitation", (database) => {
  let at: TestServer;
  let admin: TestBrowser;
  let invited = 0;
  beforeAll(async () => {
    at = await openServer(database.url);
    admin = await signedIn(at);
  });
  afterAll(() => at.close());

  async function invite(more: object = {}): Promise<{ readonly token: string; readonly login: string }> {
    must(await admin.signIn(), 201);
    invited += 1;
    const login = `guest-${String(invited)}`;
    const about = { email: `${login}@example.com`, name: "Gus Guest", login, roles: ["deployer"], ...more };
    const answer = must(await admin.post("/people", about, { fresh: true }), 201);
    const link = textAt(answer, "link");
    expect(link).toMatch(/^https:\/\/approvals\.example\.com\/app\/invitation#[A-Za-z0-9_-]{43}$/);
    return { token: tokenOf(link), login };
  }

  it("identity R-LOCAL-6: lets its person enrol, and with the first factor in", async () => {
    const { token, login } = await invite();
    const browser = new TestBrowser(at);
    const me = must(await browser.post("/auth/invitations/accept", { token }), 201);
    expect(me).toMatchObject({
      ...{ assignee: login, status: "invited", enrolment_required: true, roles: ["deployer"] },
      session: { kind: "enrolment" },
    });
    expect(outcomeOf(await browser.get("/requests"))).toBe("403 mfa_enrollment_required");
    await browser.enrolPasskey();
    expect(bodyOf(await browser.get("/me"))).toMatchObject({ status: "active", enrolled: true });
    expect(outcomeOf(await browser.get("/requests"))).toBe("200");
    expect(outcomeOf(await new TestBrowser(at, { key: browser.key }).signIn())).toBe("201");
  });

  it("identity R-LOCAL-6: works once", async () => {
    const { token } = await invite();
    const [first, second] = [new TestBrowser(at), new TestBrowser(at)];
    const outcomes = await Promise.all([
      first.post("/auth/invitations/accept", { token }),
      second.post("/auth/invitations/accept", { token }),
    ]);
    expect(outcomes.map(outcomeOf).sort()).toEqual(["201", "404 setup_link_invalid"]);
  });

  it("identity R-LOCAL-6: works for 72 hours, and not by GET", async () => {
    const { token } = await invite();
    expect((await at.server.inject({ url: `/v1/auth/invitations/accept?token=${token}` })).statusCode).toBe(405);
    at.advance(72 * HOUR_MS - 60_000);
    expect(outcomeOf(await new TestBrowser(at).post("/auth/invitations/accept", { token }))).toBe("201");
    const late = await invite();
    at.advance(72 * HOUR_MS + 1_000);
    expect(outcomeOf(await new TestBrowser(at).post("/auth/invitations/accept", { token: late.token }))).toBe(
      "404 setup_link_invalid",
    );
  });

  it("identity R-LOCAL-6: is not another kind of link", async () => {
    const { token } = await invite();
    expect(outcomeOf(await new TestBrowser(at).post("/auth/recover", { token }))).toBe("404 setup_link_invalid");
    const setup = { token, organization: "Evil", name: "Eve", email: "eve@example.com", login: "eve" };
    expect(outcomeOf(await new TestBrowser(at).post("/setup", setup))).toBe("404 setup_link_invalid");
    expect(outcomeOf(await new TestBrowser(at).post("/auth/invitations/accept", { token }))).toBe("201");
  });

  it("identity R-ID-3: its person takes no other name, so not the one that a policy points at; spelling proves nothing either", async () => {
    const { token, login } = await invite();
    const names = async (): Promise<unknown> => {
      const { rows } = await at.pool.query<{ name: string; proof: string }>(
        `select alias.name, alias.proof from aliases alias
         join identities own on own.person_id = alias.person_id and own.subject = $1 order by alias.name`,
        [login],
      );
      return rows;
    };
    expect(await names()).toEqual([{ name: login, proof: "asserted" }]);
    const browser = new TestBrowser(at);
    for (const other of ["head-of-finance", "Root", `${login}-x`]) {
      const taken = await browser.post("/auth/invitations/accept", { token, login: other });
      expect(outcomeOf(taken)).toBe("422 invalid_input");
    }
    expect(await names()).toEqual([{ name: login, proof: "asserted" }]);
    must(await browser.post("/auth/invitations/accept", { token, login: login.toUpperCase(), name: "Gus" }), 201);
    expect(await names()).toEqual([{ name: login, proof: "verified" }]);
    const { rows } = await at.pool.query("select 1 from aliases where name in ($1, 'head-of-finance', 'Root')", [
      login.toUpperCase(),
    ]);
    expect(rows).toEqual([]);
  });

  it("identity R-ID-3, R-ID-5: a name that was moved to somebody else meanwhile is not taken back by coming in", async () => {
    const { token, login } = await invite();
    const heir = await signedInAs(at, admin, {});
    must(await admin.post(`/people/${heir.personId}/names`, { name: login }, { fresh: true }), 200);
    must(await new TestBrowser(at).post("/auth/invitations/accept", { token }), 201);
    const { rows } = await at.pool.query("select person_id, proof from aliases where name = $1", [login]);
    expect(rows).toEqual([{ person_id: heir.personId, proof: "asserted" }]);
  });

  it("identity R-ID-2: a login belongs to one person, whatever its case", async () => {
    await invite({ login: "taken-once" });
    must(await admin.signIn(), 201);
    const about = { email: "second@example.com", login: "Taken-Once", roles: [] };
    expect(outcomeOf(await admin.post("/people", about, { fresh: true }))).toBe("409 already_exists");
  });
});

describeOnEveryPostgres("a recovery link", (database) => {
  let at: TestServer;
  let admin: TestBrowser;
  let people = 0;
  beforeAll(async () => {
    at = await openServer(database.url);
    admin = await signedIn(at);
  });
  afterAll(() => at.close());

  async function somebody(): Promise<TestBrowser> {
    must(await admin.signIn(), 201);
    people += 1;
    return signedInAs(at, admin, { login: `lost-${String(people)}`, roles: ["deployer"] });
  }

  async function recoveryOf(person: TestBrowser): Promise<string> {
    must(await admin.signIn(), 201);
    const path = `/people/${person.personId}/recovery`;
    return tokenOf(textAt(must(await admin.post(path, {}, { fresh: true }), 201), "link"));
  }

  it("identity R-LOCAL-4: ends every session and trusted browser, and lets its person enrol", async () => {
    const lost = await somebody();
    const other = new TestBrowser(at, { key: lost.key });
    must(await other.signIn(), 201);
    const token = await recoveryOf(lost);
    const recovered = new TestBrowser(at, { key: authenticatorFor(at) });
    const me = must(await recovered.post("/auth/recover", { token }), 201);
    expect(me).toMatchObject({ person_id: lost.personId, status: "active", session: { kind: "enrolment" } });
    for (const browser of [lost, other]) expect(outcomeOf(await browser.get("/me"))).toBe("401 session_expired");
    const factor = await recovered.enrolPasskey("New key");
    expect(Date.parse(textAt(factor, "usable_at"))).toBeGreaterThan(at.app.clock() + 23 * HOUR_MS);
    expect(outcomeOf(await recovered.get("/requests"))).toBe("200");
    const { rows } = await at.pool.query<{ cooling: boolean }>(
      "select usable_at > now() + interval '23 hours' as cooling from factors where person_id = $1",
      [lost.personId],
    );
    expect(rows).toEqual([{ cooling: true }, { cooling: true }]);
  });

  it("identity R-LOCAL-4: works once, for 24 hours, and not by GET", async () => {
    const lost = await somebody();
    const token = await recoveryOf(lost);
    expect((await at.server.inject({ url: `/v1/auth/recover?token=${token}` })).statusCode).toBe(405);
    must(await new TestBrowser(at).post("/auth/recover", { token }), 201);
    expect(outcomeOf(await new TestBrowser(at).post("/auth/recover", { token }))).toBe("404 setup_link_invalid");
    const late = await recoveryOf(lost);
    at.advance(24 * HOUR_MS + 1_000);
    expect(outcomeOf(await new TestBrowser(at).post("/auth/recover", { token: late }))).toBe("404 setup_link_invalid");
  });

  it("identity R-LOCAL-4: does not let somebody in who is locked meanwhile", async () => {
    const lost = await somebody();
    const token = await recoveryOf(lost);
    must(await admin.post(`/people/${lost.personId}/lock`, { reason: "looked odd" }, { fresh: true }), 200);
    const outcome = outcomeOf(await new TestBrowser(at).post("/auth/recover", { token }));
    expect(["403 person_locked", "404 setup_link_invalid"]).toContain(outcome);
  });
});
