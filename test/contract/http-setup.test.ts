/** The first administrator: the setup link, and what it does not let anybody do. */
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { makeSetupLink, needsSetup } from "../../src/app/setup-link.ts";
import { bodyOf } from "../support/json-answer.ts";
import { must, outcomeOf, signedIn, TestBrowser } from "../support/signed-in.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { openServer, type TestServer } from "../support/test-server.ts";

const ABOUT = { organization: "Example", name: "Rosa Root", email: "rosa@example.com", login: "rosa" };
const MINUTE = 60_000;

describeOnEveryPostgres("the setup link", (database) => {
  let at: TestServer;
  beforeAll(async () => {
    at = await openServer((await database.fresh()).url);
  });
  afterAll(() => at.close());

  async function link(): Promise<string> {
    const made = await makeSetupLink(at.app);
    if (made === null) throw new Error("there is an administrator already");
    return made.token;
  }

  it("identity R-LOCAL-5: stands in the fragment of an address, 32 random bytes, and only its hash is kept", async () => {
    const made = await makeSetupLink(at.app);
    expect(made?.url).toBe(`https://approvals.example.com/app/setup#${made?.token ?? ""}`);
    expect(made?.token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    const { rows } = await at.pool.query("select * from one_time_links");
    expect(JSON.stringify(rows)).not.toContain(made?.token);
  });

  it("identity R-LOCAL-5: is not used up by whatever follows links", async () => {
    const token = await link();
    const browser = new TestBrowser(at);
    for (const url of ["/v1/setup", `/v1/setup?token=${token}`]) {
      expect((await at.server.inject({ url })).statusCode).toBe(405);
    }
    expect(outcomeOf(await browser.post("/setup", { token, ...ABOUT }))).toBe("201");
  });

  it("identity R-LOCAL-5: works once", async () => {
    const token = await link();
    expect(outcomeOf(await new TestBrowser(at).post("/setup", { token, ...ABOUT }))).toBe("201");
    expect(outcomeOf(await new TestBrowser(at).post("/setup", { token, ...ABOUT }))).toBe("404 setup_link_invalid");
  });

  it("identity R-LOCAL-5: works once, also of many at once", async () => {
    const token = await link();
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        new TestBrowser(at).post("/setup", { token, ...ABOUT, login: `rosa-${String(index)}` }),
      ),
    );
    const outcomes = answers.map(outcomeOf).sort();
    expect(outcomes).toEqual(["201", ...Array.from({ length: 5 }, () => "404 setup_link_invalid")]);
  });

  it("identity R-LOCAL-5: works for 60 minutes, not for 61", async () => {
    const token = await link();
    at.advance(61 * MINUTE);
    expect(outcomeOf(await new TestBrowser(at).post("/setup", { token, ...ABOUT }))).toBe("404 setup_link_invalid");
    const another = await link();
    at.advance(59 * MINUTE);
    expect(outcomeOf(await new TestBrowser(at).post("/setup", { token: another, ...ABOUT }))).toBe("201");
  });

  it("identity R-LOCAL-5: is replaced by a new one", async () => {
    const [first, second] = [await link(), await link()];
    expect(outcomeOf(await new TestBrowser(at).post("/setup", { token: first, ...ABOUT }))).toBe(
      "404 setup_link_invalid",
    );
    expect(outcomeOf(await new TestBrowser(at).post("/setup", { token: second, ...ABOUT }))).toBe("201");
  });

  it.each([
    ["no token", { ...ABOUT }],
    ["a token that is none", { token: "x", ...ABOUT }],
    ["a member that nobody knows", { token: "A".repeat(43), ...ABOUT, roles: ["platform_superuser"] }],
    ["the login of a machine", { token: "A".repeat(43), ...ABOUT, login: "service-account-ci" }],
    ["an address that is none", { token: "A".repeat(43), ...ABOUT, email: "rosa" }],
  ])("identity R-LOCAL-5: a body with %s is not read", async (_name, body) => {
    expect(outcomeOf(await new TestBrowser(at).post("/setup", body))).toBe("422 invalid_input");
  });

  it("identity R-LOCAL-5: a guess opens nothing, and no entry is written for it", async () => {
    await link();
    const before = await at.app.reader.position();
    const answer = await new TestBrowser(at).post("/setup", { token: "A".repeat(43), ...ABOUT });
    expect([outcomeOf(answer), await at.app.reader.position()]).toEqual(["404 setup_link_invalid", before]);
  });

  it("identity R-LOCAL-5: opens a session that can enrol and nothing else, and starting over ends it", async () => {
    const first = new TestBrowser(at);
    const me = must(await first.post("/setup", { token: await link(), ...ABOUT }), 201);
    expect(me).toMatchObject({
      ...{ assignee: "rosa", name: "Rosa Root", email: "rosa@example.com", status: "invited" },
      ...{ enrolled: false, enrolment_required: true, session: { kind: "enrolment", method: "link", aal: 1 } },
      roles: ["admin", "platform_superuser"],
      organization: { name: "Example" },
    });
    expect(outcomeOf(await first.get("/policies"))).toBe("403 mfa_enrollment_required");
    const second = new TestBrowser(at);
    const again = must(await second.post("/setup", { token: await link(), ...ABOUT, login: "rosa2" }), 201);
    expect(again["person_id"]).toBe(me["person_id"]);
    expect(outcomeOf(await first.get("/me"))).toBe("401 session_expired");
    const taken = await at.pool.query("select from identities where issuer = 'local' and unlinked_at is null");
    expect(taken.rowCount).toBe(1);
  });
});

describeOnEveryPostgres("a server with its first administrator", (database) => {
  let at: TestServer;
  let admin: TestBrowser;
  let unused = "";
  beforeEach(async () => {
    at = await openServer((await database.fresh()).url);
    admin = await signedIn(at);
  });

  it("identity R-LOCAL-5: the passkey is the sign-in, and nobody is set up any more", async () => {
    expect(await needsSetup(at.app)).toBe(false);
    expect(await makeSetupLink(at.app)).toBeNull();
    expect(bodyOf(await admin.get("/me"))).toMatchObject({
      ...{ status: "active", enrolled: true, enrolment_required: false, session: { kind: "web" } },
    });
    const options = bodyOf(await admin.get("/auth/options"));
    expect(options).toMatchObject({ setup_required: false, organization: "Example" });
    unused = "A".repeat(43);
    expect(outcomeOf(await new TestBrowser(at).post("/setup", { token: unused, ...ABOUT }))).toBe(
      "404 setup_link_invalid",
    );
    await at.close();
  });
});
