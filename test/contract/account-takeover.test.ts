/** Ways into somebody else's account, each tried and shut (docs/spec/identity.md sections 1, 2 and 3). */
import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { recordsBy } from "../../src/ports/records.ts";
import { addProvider, signInWith } from "../support/evil-issuer-scene.ts";
import { openEvilIssuer } from "../support/evil-issuer.ts";
import { bodyOf, textAt } from "../support/json-answer.ts";
import { must, outcomeOf, signedIn, signedInAs, TestBrowser } from "../support/signed-in.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { as, openServer, type TestServer } from "../support/test-server.ts";

const FRESH = { fresh: true } as const;

describeOnEveryPostgres("ways in", (database) => {
  let at: TestServer;
  let root: TestBrowser;

  beforeAll(async () => {
    at = await openServer((await database.fresh()).url, { application: { identity: { development: false } } });
    root = await signedIn(at);
  });
  afterAll(() => at.close());

  it("identity R-ID-5, R-ID-6: the user name of a token makes nobody the administrator who signs in here under it", async () => {
    const me = await at.server.inject({ method: "GET", url: "/v1/me", headers: as("root") });
    expect([me.statusCode, bodyOf(me)["person_id"]]).not.toEqual([200, root.personId]);
    expect((await at.server.inject({ method: "GET", url: "/v1/orgs", headers: as("root") })).statusCode).toBe(403);
  });

  describe("a terminal that was authorized before the person recovered the account", () => {
    async function recover(personId: string): Promise<void> {
      const made = must(await root.post(`/people/${personId}/recovery`, {}, FRESH), 201);
      const [, token] = textAt(made, "link").split("#");
      must(await new TestBrowser(at).post("/auth/recover", { token }), 201);
    }

    it("identity R-LOCAL-4, R-SESS-3: redeems no code", async () => {
      const ben = await signedInAs(at, root, { roles: ["viewer"] });
      const verifier = randomBytes(32).toString("base64url");
      const challenge = createHash("sha256").update(verifier).digest("base64url");
      const state = randomBytes(32).toString("base64url");
      const about = { code_challenge: challenge, state, port: null, client: "cli", host: "elsewhere" };
      const { code } = must(await ben.post("/auth/cli/authorize", about), 201);
      await recover(ben.personId);
      const redeemed = await new TestBrowser(at).post("/auth/cli/token", { code, code_verifier: verifier });
      expect(outcomeOf(redeemed)).toBe("400 login_state_invalid");
    });

    it("identity R-LOCAL-4, R-TERM-5: completes nothing, although it may wait for ten minutes", async () => {
      const ben = await signedInAs(at, root, { roles: ["viewer"] });
      const terminal = new TestBrowser(at, { address: ben.address });
      const started = must(await terminal.post("/auth/cli/start"), 200);
      must(await ben.post(`/auth/cli/waiting/${textAt(started, "state")}`), 204);
      await recover(ben.personId);
      const { state, code_verifier: verifier } = started;
      expect(outcomeOf(await terminal.post("/auth/cli/complete", { state, code_verifier: verifier }))).toBe(
        "400 login_state_invalid",
      );
    });
  });

  it("identity R-LOCAL-1: an organization that requires its provider is not entered with a local session of another one", async () => {
    const second = textAt(must(await root.post("/orgs", { name: "Second", slug: "second" }, FRESH), 201), "id");
    const inSecond = { fresh: true, headers: { "x-countersign-org": second } } as const;
    const provider = { name: "Company", issuer: "https://idp.example.com", client_id: "c" };
    must(await root.post("/identity-providers", provider, inSecond), 201);
    const kept = await signedInAs(at, root, { roles: ["org_admin"], organization: second });
    must(await root.patch(`/people/${kept.personId}`, { break_glass: true }, inSecond), 200);
    must(await root.put("/settings", { key: "require_sso", value: true }, inSecond), 200);
    const other = await signedInAs(at, root, { roles: ["platform_superuser"] });
    const entered = await other.get("/people", { headers: { "x-countersign-org": second } });
    expect(outcomeOf(entered)).toBe("403 permission_denied");
  });

  it("identity R-ID-6, R-ROLE-3: a provider of the organization does not bring in somebody as one who was invited to run the platform", async () => {
    const issuer = await openEvilIssuer();
    try {
      const provider = await addProvider(at, issuer, { name: "Set up by an organization's administrator" });
      const email = "later-root@example.com";
      const invitation = { email, login: "later-root", roles: ["platform_superuser"] };
      const id = textAt(must(await root.post("/people", invitation, FRESH), 201), "person", "id");
      issuer.account = { sub: "somebody else", email, email_verified: true };
      await signInWith({ at, issuer, provider });
      expect(await at.app.reader.records(recordsBy("session", "personId", [id]))).toEqual([]);
    } finally {
      await issuer.close();
    }
  });
});
