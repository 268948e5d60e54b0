/** People over HTTP: who may do what to whom, and what an account that changes can still do. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { bodyOf, textAt } from "../support/json-answer.ts";
import { must, outcomeOf, signedIn, signedInAs, TestBrowser, type BrowserAnswer } from "../support/signed-in.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { openServer, type TestServer } from "../support/test-server.ts";

const FRESH = { fresh: true } as const;

describeOnEveryPostgres("people", (database) => {
  let at: TestServer;
  let root: TestBrowser;

  beforeAll(async () => {
    at = await openServer((await database.fresh()).url);
    root = await signedIn(at);
  });
  afterAll(() => at.close());

  function items(answer: JsonObject): readonly JsonObject[] {
    const list = answer["items"];
    if (!Array.isArray(list)) throw new Error("no items");
    return list.filter((item): item is JsonObject => typeof item === "object" && item !== null && !Array.isArray(item));
  }

  function tokenOf(link: string): string {
    return link.split("#")[1] ?? "";
  }

  async function page(path: string): Promise<JsonObject> {
    return must(await root.get(path), 200);
  }

  async function act(by: TestBrowser, path: string, body: JsonValue = { reason: "a test" }): Promise<string> {
    return outcomeOf(await by.post(path, body, FRESH));
  }

  describe("lists", () => {
    it("identity section 6: pages through everybody once, by name, and finds by any part of name or address", async () => {
      for (const login of ["list-a", "list-b", "list-c"]) {
        must(
          await root.post("/people", { email: `${login}@example.com`, login, name: `Zoe ${login}`, roles: [] }, FRESH),
          201,
        );
      }
      const names: string[] = [];
      let next: string | null = "";
      while (next !== null) {
        const found: JsonObject = await page(`/people?limit=2&q=Zoe${next === "" ? "" : `&cursor=${next}`}`);
        names.push(...items(found).map((item) => textAt(item, "assignee")));
        next = typeof found["next"] === "string" ? found["next"] : null;
      }
      expect(names).toEqual(["list-a", "list-b", "list-c"]);
      expect(items(await page("/people?q=LIST-B%40example")).map((item) => item["status"])).toEqual(["invited"]);
      expect(items(await page("/people?q=list-&status=active"))).toEqual([]);
      expect(items(await page("/people?q=%25"))).toEqual([]);
    });

    it.each(["limit=0", "limit=201", "cursor=x", "status=nobody", "q=%00"])(
      "identity section 6: %s is refused",
      async (query) => {
        expect(outcomeOf(await root.get(`/people?${query}`))).toBe("422 invalid_input");
      },
    );

    it("identity R-ORG-2: an unknown id and no id at all are one answer", async () => {
      for (const id of ["5f0c2c9e-5f5b-4b5d-9d3e-0d8a9e6f0a11", "x"]) {
        const answers = [
          await root.get(`/people/${id}`),
          await root.post(`/people/${id}/lock`, { reason: "x" }, FRESH),
        ];
        expect(answers.map(({ statusCode }) => statusCode)).toEqual([404, 404]);
      }
    });
  });

  describe("invitations", () => {
    it("identity R-LOCAL-6: the link is shown once, lets one person in once, and ends after 72 hours", async () => {
      const about = { email: "ivy@example.com", login: "ivy", name: "Ivy", roles: ["viewer"] };
      const invited = must(await root.post("/people", about, FRESH), 201);
      expect(invited).toMatchObject({
        person: { assignee: "ivy", status: "invited", roles: [{ role: "viewer", source: "invitation" }] },
      });
      expect(textAt(invited, "link")).toMatch(/\/app\/invitation#[A-Za-z0-9_-]{43}$/);
      const token = tokenOf(textAt(invited, "link"));
      const ivy = new TestBrowser(at);
      must(await ivy.post("/auth/invitations/accept", { token }), 201);
      expect(outcomeOf(await new TestBrowser(at).post("/auth/invitations/accept", { token }))).toBe(
        "404 setup_link_invalid",
      );
      await ivy.enrolPasskey();
      expect(must(await ivy.get("/me"), 200)).toMatchObject({ assignee: "ivy", status: "active", roles: ["viewer"] });
      expect(outcomeOf(await root.post("/people", about, FRESH))).toBe("409 already_exists");
    });

    it("identity R-LOCAL-6: inviting again replaces the link before", async () => {
      const about = { email: "again@example.com", roles: [] };
      const first = textAt(must(await root.post("/people", about, FRESH), 201), "link");
      const second = textAt(must(await root.post("/people", about, FRESH), 201), "link");
      expect(outcomeOf(await new TestBrowser(at).post("/auth/invitations/accept", { token: tokenOf(first) }))).toBe(
        "404 setup_link_invalid",
      );
      must(await new TestBrowser(at).post("/auth/invitations/accept", { token: tokenOf(second) }), 201);
    });

    it("identity section 1: who is invited and never came can neither sign in nor decide", async () => {
      const invited = must(
        await root.post("/people", { email: "never@example.com", login: "never", roles: ["admin"] }, FRESH),
        201,
      );
      const answer = await new TestBrowser(at).post("/auth/password", {
        login: "never",
        password: "correct horse battery",
      });
      expect(outcomeOf(answer)).toBe("401 credentials_invalid");
      expect(await page(`/people/${textAt(invited, "person", "id")}`)).toMatchObject({
        status: "invited",
        enrolled: false,
        sessions: [],
      });
    });

    it.each<[string, JsonObject]>([
      ["a member nobody knows", { email: "a@example.com", roles: [], status: "active" }],
      ["an id", { email: "a@example.com", roles: [], id: "5f0c2c9e-5f5b-4b5d-9d3e-0d8a9e6f0a11" }],
      ["no address", { email: "a", roles: [] }],
      ["a machine's name", { email: "a@example.com", login: "service-account-x", roles: [] }],
      ["an unknown role", { email: "a@example.com", roles: ["god"] }],
      ["a role of machines", { email: "a@example.com", roles: ["cicd"] }],
    ])("identity section 6: an invitation with %s is refused", async (_name, body) => {
      expect(outcomeOf(await root.post("/people", body, FRESH))).toBe("422 invalid_input");
    });
  });

  describe("roles", () => {
    it("identity R-ROLE-3: giving a role needs every permission of it, also when inviting", async () => {
      const orgAdmin = await signedInAs(at, root, { roles: ["org_admin"], login: "orga" });
      const plain = await signedInAs(at, root, { roles: ["viewer"], login: "plain" });
      const put = async (by: TestBrowser, roles: readonly string[]): Promise<string> =>
        outcomeOf(await by.put(`/people/${plain.personId}/roles`, { roles }, FRESH));
      expect(await put(orgAdmin, ["org_viewer"])).toBe("403 permission_denied"); // takes the viewer's away, which is not theirs
      expect(await put(root, ["org_viewer"])).toBe("200");
      expect(await put(orgAdmin, ["org_viewer", "org_operator"])).toBe("200");
      expect(await put(orgAdmin, ["org_viewer", "org_operator", "admin"])).toBe("403 permission_denied");
      expect(await put(orgAdmin, ["org_viewer", "platform_superuser"])).toBe("403 permission_denied");
      const invitation = { email: "more@example.com", roles: ["admin"] };
      expect(outcomeOf(await orgAdmin.post("/people", invitation, FRESH))).toBe("403 permission_denied");
      expect(await put(plain, ["viewer"])).toBe("403 permission_denied");
    });

    it("identity R-ROLE-3: nobody changes their own roles", async () => {
      expect(outcomeOf(await root.put(`/people/${root.personId}/roles`, { roles: ["admin"] }, FRESH))).toBe(
        "403 self_role_change",
      );
    });

    it("identity R-ROLE-3: who runs the installation is not locked, suspended or erased by who only administers", async () => {
      const second = await signedInAs(at, root, { roles: ["admin", "platform_superuser"], login: "second" });
      const target = `/people/${root.personId}`;
      // While there are two, one may go.
      expect(outcomeOf(await second.put(`${target}/roles`, { roles: ["admin"] }, FRESH))).toBe("200");
      const third = await signedInAs(at, second, { roles: ["admin"], login: "third" });
      for (const [path, body] of [
        [`/people/${second.personId}/lock`, { reason: "x" }],
        [`/people/${second.personId}/suspend`, { reason: "x" }],
        [`/people/${second.personId}/erase`, { reason: "x", confirm: "second" }],
      ] as const) {
        expect(outcomeOf(await third.post(path, body, FRESH))).toBe("403 permission_denied");
      }
      expect(outcomeOf(await second.put(`${target}/roles`, { roles: ["admin", "platform_superuser"] }, FRESH))).toBe(
        "200",
      );
      expect(outcomeOf(await root.put(`/people/${second.personId}/roles`, { roles: [] }, FRESH))).toBe("200");
    });

    it("identity R-AUTHZ-6: a role that is taken away is gone with the next call", async () => {
      const reader = await signedInAs(at, root, { roles: ["auditor"], login: "reader" });
      expect(outcomeOf(await reader.get("/people"))).toBe("200");
      must(await root.put(`/people/${reader.personId}/roles`, { roles: ["viewer"] }, FRESH), 200);
      expect(outcomeOf(await reader.get("/people"))).toBe("403 permission_denied");
    });

    it("identity R-SESS-3: with the last role the sessions end", async () => {
      const last = await signedInAs(at, root, { roles: ["viewer"], login: "last-role" });
      must(await root.put(`/people/${last.personId}/roles`, { roles: [] }, FRESH), 200);
      expect((await last.get("/me")).statusCode).toBe(401);
    });

    it("identity section 6: everybody sees which roles there are", async () => {
      const viewer = await signedInAs(at, root, { roles: ["viewer"] });
      const roles: unknown = JSON.parse((await viewer.get("/roles")).body);
      expect(roles).toContainEqual(expect.objectContaining({ name: "auditor", holder: "person" }));
    });
  });

  describe("status", () => {
    it("identity section 1: locking ends sessions at once, keeps signing in shut, and unlocking opens it again", async () => {
      const held = await signedInAs(at, root, { roles: ["viewer"], login: "held" });
      expect(await act(root, `/people/${held.personId}/lock`)).toBe("200");
      expect((await held.get("/me")).statusCode).toBe(401);
      expect(outcomeOf(await held.signIn())).toBe("403 person_locked");
      expect(await act(root, `/people/${held.personId}/lock`)).toBe("409 wrong_state");
      expect(await act(root, `/people/${held.personId}/unlock`)).toBe("200");
      expect((await held.signIn()).statusCode).toBe(201);
    });

    it("identity section 1: suspending and reactivating; a suspended person cannot sign in", async () => {
      const gone = await signedInAs(at, root, { roles: ["viewer"], login: "gone" });
      expect(await act(root, `/people/${gone.personId}/suspend`)).toBe("200");
      expect((await gone.get("/me")).statusCode).toBe(401);
      expect(outcomeOf(await gone.signIn())).toBe("403 person_suspended");
      expect(await act(root, `/people/${gone.personId}/reactivate`)).toBe("200");
      expect((await gone.signIn()).statusCode).toBe(201);
    });

    it("identity section 1: erasing asks for the name, and nothing of the person is shown any more", async () => {
      const bye = await signedInAs(at, root, { roles: ["viewer"], login: "bye-bye", name: "Berta Bye" });
      const path = `/people/${bye.personId}/erase`;
      expect(await act(root, path, { reason: "asked", confirm: "Somebody" })).toBe("422 invalid_input");
      expect(await act(root, path, { reason: "asked", confirm: "Berta Bye" })).toBe("200");
      expect(outcomeOf(await bye.signIn())).toMatch(/^401/);
      const shown = (await root.get(`/people/${bye.personId}`)).body;
      expect(shown).not.toMatch(/berta|bye-bye/i);
      expect(JSON.parse(shown)).toMatchObject({
        status: "erased",
        identities: [],
        factors: [],
        sessions: [],
        aliases: [],
        roles: [],
      });
      expect(items(await page("/people?q=erased"))).toEqual([]);
    });

    it("identity section 1: nobody changes their own status", async () => {
      for (const verb of ["lock", "suspend"])
        expect(await act(root, `/people/${root.personId}/${verb}`)).toBe("403 permission_denied");
    });

    it("identity section 6: an administrator signs somebody out everywhere", async () => {
      const many = await signedInAs(at, root, { roles: ["viewer"], login: "many" });
      expect(outcomeOf(await root.post(`/people/${many.personId}/end-sessions`, {}, FRESH))).toBe("204");
      expect((await many.get("/me")).statusCode).toBe(401);
      expect((await many.signIn()).statusCode).toBe(201);
    });

    it("identity R-STEP-4: every act on a person asks for a factor in the call itself", async () => {
      const person = await signedInAs(at, root, { roles: ["viewer"] });
      const calls: readonly Promise<BrowserAnswer>[] = [
        ...["lock", "unlock", "suspend", "reactivate"].map((verb) =>
          root.post(`/people/${person.personId}/${verb}`, { reason: "x" }),
        ),
        root.post(`/people/${person.personId}/erase`, { reason: "x", confirm: "x" }),
        root.post(`/people/${person.personId}/recovery`),
        root.post(`/people/${person.personId}/merge`, { into: root.personId, reason: "x" }),
        root.post(`/people/${person.personId}/names`, { name: "x" }),
        root.put(`/people/${person.personId}/roles`, { roles: [] }),
        root.post("/people", { email: "x@example.com", roles: [] }),
        root.put("/settings", { key: "aal3", value: true }),
      ];
      for (const answer of await Promise.all(calls)) expect(outcomeOf(answer)).toMatch(/^40[13] mfa_/);
    });

    it("identity R-AUTHZ-4: without the permission every act on a person is refused", async () => {
      const viewer = await signedInAs(at, root, { roles: ["viewer"] });
      const target = `/people/${root.personId}`;
      for (const verb of ["lock", "unlock", "suspend", "reactivate"]) {
        expect(await act(viewer, `${target}/${verb}`)).toBe("403 permission_denied");
      }
      expect(await act(viewer, `${target}/recovery`, {})).toBe("403 permission_denied");
      expect(outcomeOf(await viewer.get(target))).toBe("403 permission_denied");
    });
  });

  describe("acts on somebody who may do more", () => {
    let orgAdmin: TestBrowser;

    beforeAll(async () => {
      orgAdmin = await signedInAs(at, root, { roles: ["org_admin"] });
    });

    function superuser(): Promise<TestBrowser> {
      return signedInAs(at, root, { roles: ["platform_superuser"] });
    }

    /** Somebody who was invited as a superuser and has not come yet. */
    async function expected(): Promise<{ readonly id: string; readonly email: string; readonly login: string }> {
      const login = `later-${randomUUID().slice(0, 8)}`;
      const about = { email: `${login}@example.com`, login, roles: ["platform_superuser"] };
      const made = must(await root.post("/people", about, FRESH), 201);
      return { ...about, id: textAt(made, "person", "id") };
    }

    it("identity R-LOCAL-4, R-ROLE-3: no recovery link is made for who may do more", async () => {
      expect(await act(orgAdmin, `/people/${(await superuser()).personId}/recovery`, {})).toBe("403 permission_denied");
      const equal = await signedInAs(at, root, { roles: ["org_admin"] });
      expect(await act(orgAdmin, `/people/${equal.personId}/recovery`, {})).toBe("201");
    });

    it("identity R-LOCAL-6, R-ROLE-3: no link is made by inviting who was invited with more, by address or login", async () => {
      const { id, email, login } = await expected();
      expect(await act(orgAdmin, `/people/${id}/recovery`, {})).toBe("403 permission_denied");
      expect(await act(orgAdmin, "/people", { email, roles: [] })).toBe("403 permission_denied");
      expect(await act(orgAdmin, "/people", { email: `x-${email}`, login, roles: [] })).toBe("403 permission_denied");
      expect(await page(`/people/${id}`)).toMatchObject({ email, roles: [{ role: "platform_superuser" }] });
    });

    it("identity R-ID-6, R-ROLE-3: who may do more gets no other name or address", async () => {
      for (const { id } of [await expected(), { id: (await superuser()).personId }]) {
        for (const body of [{ email: "mine@example.com" }, { name: "Mine" }]) {
          expect(outcomeOf(await orgAdmin.patch(`/people/${id}`, body, FRESH))).toBe("403 permission_denied");
        }
      }
    });

    it("identity R-ID-7, R-ROLE-3: who may do more is merged with nobody, neither way", async () => {
      const accomplice = (await signedInAs(at, root, { roles: ["org_viewer"] })).personId;
      const above = (await superuser()).personId;
      for (const [from, into] of [
        [accomplice, above],
        [above, accomplice],
      ]) {
        const merged = await act(orgAdmin, `/people/${String(from)}/merge`, { into: into ?? "", reason: "the same" });
        expect(merged).toBe("403 permission_denied");
      }
    });

    it("identity R-ID-5, R-ROLE-3: no name is moved from or to who may do more", async () => {
      const below = await signedInAs(at, root, { roles: ["org_viewer"] });
      const above = await superuser();
      for (const [to, of] of [
        [below, above],
        [above, below],
      ] as const) {
        const name = textAt(of.me, "assignee");
        expect(await act(orgAdmin, `/people/${to.personId}/names`, { name })).toBe("403 permission_denied");
      }
    });

    it("identity R-ROLE-3: who may do more is not locked, suspended, erased or signed out, nor brought back", async () => {
      const above = await superuser();
      const path = `/people/${above.personId}`;
      const reason = "out";
      for (const [verb, body] of [
        ["lock", { reason }],
        ["suspend", { reason }],
        ["erase", { reason, confirm: textAt(above.me, "assignee") }],
        ["end-sessions", {}],
      ] as const) {
        expect([verb, await act(orgAdmin, `${path}/${verb}`, body)]).toEqual([verb, "403 permission_denied"]);
      }
      for (const [before, verb] of [
        ["lock", "unlock"],
        ["suspend", "reactivate"],
      ] as const) {
        expect(await act(root, `${path}/${before}`)).toBe("200");
        expect(await act(orgAdmin, `${path}/${verb}`)).toBe("403 permission_denied");
        expect(await act(root, `${path}/${verb}`)).toBe("200");
      }
    });

    it("identity R-FACT-9, R-ROLE-3: nobody vouches for a factor of who may do more", async () => {
      const above = (await superuser()).personId;
      const { factors } = await page(`/people/${above}`);
      const cools = "usable_at = usable_at + interval '1 day', entry_seq = (select max(seq) from ledger_entries)";
      must(await root.patch(`/people/${above}`, { name: "Another" }, FRESH), 200);
      await at.pool.query(`update factors set ${cools} where person_id = $1`, [above]);
      const path = `/people/${above}/factors/${textAt(factors, 0, "id")}/vouch`;
      expect(await act(orgAdmin, path)).toBe("403 permission_denied");
      expect(await act(root, path)).toBe("200");
    });

    it("identity R-ROLE-3: who may do more gets no other roles, nor loses one that the actor could give", async () => {
      const above = await signedInAs(at, root, { roles: ["platform_superuser", "org_viewer"] });
      const path = `/people/${above.personId}/roles`;
      const held = (await page(`/people/${above.personId}`))["roles"];
      for (const roles of [["platform_superuser"], ["platform_superuser", "org_viewer", "org_operator"], []]) {
        expect(outcomeOf(await orgAdmin.put(path, { roles }, FRESH))).toBe("403 permission_denied");
      }
      expect((await page(`/people/${above.personId}`))["roles"]).toEqual(held);
      expect(outcomeOf(await root.put(path, { roles: ["platform_superuser"] }, FRESH))).toBe("200");
    });

    it("identity R-ROLE-3, R-ORG-2: who has roles elsewhere too is left to those who run the installation; whose home is elsewhere is unknown", async () => {
      const slug = `other-${randomUUID().slice(0, 8)}`;
      const made = must(await root.post("/orgs", { name: slug, slug }, FRESH), 201);
      const organization = textAt(made, "id");
      const both = await signedInAs(at, root, { roles: ["org_viewer"] });
      await at.pool.query(
        `insert into role_grants (id, org_id, person_id, role, source, created_by, created_at, entry_seq)
         select gen_random_uuid(), $1, person_id, 'viewer', 'admin', created_by, created_at, entry_seq
         from role_grants where person_id = $2 limit 1`,
        [organization, both.personId],
      );
      expect(await act(orgAdmin, `/people/${both.personId}/lock`)).toBe("403 permission_denied");
      expect(await act(root, `/people/${both.personId}/lock`)).toBe("200");
      const stranger = await signedInAs(at, root, { roles: ["org_viewer"], organization });
      expect(await act(orgAdmin, `/people/${stranger.personId}/lock`)).toBe("404 not_found");
    });
  });

  describe("erasing", () => {
    /** The tables in which the text stands. */
    async function tablesWith(text: string): Promise<readonly string[]> {
      const tables = await at.pool.query<{ name: string }>(
        "select table_name as name from information_schema.tables where table_schema = current_schema() and table_type = 'BASE TABLE'",
      );
      const found: string[] = [];
      for (const { name } of tables.rows) {
        const { rowCount } = await at.pool.query(`select 1 from "${name}" t where t::text ilike $1`, [`%${text}%`]);
        if (rowCount !== 0) found.push(name);
      }
      return found;
    }

    async function linesAbout(id: string, action: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
      const text = "select actor, actor_email, summary from audit_records where resource_id = $1 and action = $2";
      return (await at.pool.query<Record<string, unknown>>(text, [id, action])).rows;
    }

    function somebody(): { readonly login: string; readonly name: string; readonly roles: readonly string[] } {
      const login = `gone-${randomUUID()}`;
      return { login, name: `Name ${login.toUpperCase()}`, roles: ["org_admin"] };
    }

    it("identity section 1, ledger R-PRIV-2: the name stands nowhere any more, and the audit list says by id who acted", async () => {
      const about = somebody();
      const gone = await signedInAs(at, root, about);
      const other = await signedInAs(at, root, { roles: ["org_viewer"] });
      expect(await act(gone, `/people/${other.personId}/lock`)).toBe("200");
      expect(await act(gone, `/people/${other.personId}/end-sessions`, {})).toBe("204");
      expect(await act(root, `/people/${gone.personId}/lock`, { reason: `of ${about.login}` })).toBe("200");
      expect(await tablesWith(about.login)).toContain("audit_records");
      expect(await act(root, `/people/${gone.personId}/erase`, { reason: "asked", confirm: about.login })).toBe("200");
      expect(await tablesWith(about.login)).toEqual([]);
      expect(await linesAbout(other.personId, "person.locked")).toEqual([
        { actor: gone.personId, actor_email: null, summary: `${textAt(other.me, "assignee")} was locked` },
      ]);
      expect(await linesAbout(gone.personId, "person.locked")).toEqual([
        { actor: textAt(root.me, "assignee"), actor_email: root.me["email"], summary: `${gone.personId} was locked` },
      ]);
    });

    it("identity section 1: who is called much alike keeps their name in the audit list", async () => {
      const about = somebody();
      const gone = await signedInAs(at, root, about);
      const alike = await signedInAs(at, root, { roles: ["org_viewer"], login: `${about.login}x` });
      expect(await act(gone, `/people/${alike.personId}/lock`)).toBe("200");
      expect(await act(root, `/people/${gone.personId}/erase`, { reason: "asked", confirm: about.login })).toBe("200");
      const [line] = await linesAbout(alike.personId, "person.locked");
      expect(line).toMatchObject({ actor: gone.personId, summary: `${about.login}x was locked` });
    });

    it("identity R-ID-7: what was kept of whoever was merged into them goes as well, also by way of others", async () => {
      const [first, second] = [somebody(), somebody()];
      const from = await signedInAs(at, root, first);
      const via = await signedInAs(at, root, second);
      const into = await signedInAs(at, root, { roles: ["viewer"] });
      const reason = "one human";
      expect(await act(root, `/people/${from.personId}/merge`, { into: via.personId, reason })).toBe("200");
      expect(await act(root, `/people/${via.personId}/merge`, { into: into.personId, reason })).toBe("200");
      const confirm = textAt(into.me, "assignee");
      expect(await act(root, `/people/${into.personId}/erase`, { reason, confirm })).toBe("200");
      expect([await tablesWith(first.login), await tablesWith(second.login)]).toEqual([[], []]);
    });
  });

  describe("recovery", () => {
    it("identity R-LOCAL-4: a recovery link ends what could have been stolen; nobody makes one for themselves", async () => {
      const lost = await signedInAs(at, root, { roles: ["viewer"], login: "lost" });
      const made = must(await root.post(`/people/${lost.personId}/recovery`, {}, FRESH), 201);
      expect(textAt(made, "link")).toMatch(/\/app\/recover#[A-Za-z0-9_-]{43}$/);
      const found = new TestBrowser(at);
      must(await found.post("/auth/recover", { token: tokenOf(textAt(made, "link")) }), 201);
      expect((await lost.get("/me")).statusCode).toBe(401);
      expect(outcomeOf(await root.post(`/people/${root.personId}/recovery`, {}, FRESH))).toBe("403 permission_denied");
    });

    it("identity R-LOCAL-6: for somebody who never came the invitation is made anew", async () => {
      const invited = must(await root.post("/people", { email: "late@example.com", roles: [] }, FRESH), 201);
      const made = must(await root.post(`/people/${textAt(invited, "person", "id")}/recovery`, {}, FRESH), 201);
      expect(textAt(made, "link")).toContain("/app/invitation#");
    });
  });

  describe("names and identities", () => {
    it("identity section 6: a person's page shows what belongs to them", async () => {
      const whole = await signedInAs(at, root, { roles: ["deployer"], login: "whole", name: "Wanda Whole" });
      expect(await page(`/people/${whole.personId}`)).toMatchObject({
        ...{ assignee: "whole", name: "Wanda Whole", email: "whole@example.com", status: "active", enrolled: true },
        roles: [{ role: "deployer", source: "invitation" }],
        identities: [{ issuer: "local", provider: null }],
        factors: [{ type: "passkey", signing: true, disabled: false }],
        sessions: [{ kind: "web", method: "passkey", current: false }],
        ...{ machines: [], open_tasks: [], aliases: [{ name: "whole", proof: "verified" }] },
      });
    });

    it("identity section 6: name and address can be changed, and nothing else", async () => {
      const person = await signedInAs(at, root, { roles: ["viewer"] });
      const path = `/people/${person.personId}`;
      const patch = async (body: JsonObject): Promise<BrowserAnswer> => root.patch(path, body, FRESH);
      expect(bodyOf(await patch({ name: "New Name" }))).toMatchObject({ name: "New Name" });
      for (const body of [{ status: "locked" }, { roles: ["admin"] }, { org_id: "x" }, { name: "" }]) {
        expect(outcomeOf(await patch(body))).toBe("422 invalid_input");
      }
    });

    it("identity section 4: one's own identity is listed, and the only way in is not given up", async () => {
      const own = await signedInAs(at, root, { roles: ["viewer"] });
      const list: unknown = JSON.parse((await own.get("/me/identities")).body);
      expect(list).toEqual([expect.objectContaining({ issuer: "local", provider: null })]);
      expect(outcomeOf(await own.delete("/me/identities/5f0c2c9e-5f5b-4b5d-9d3e-0d8a9e6f0a11", FRESH))).toBe(
        "404 not_found",
      );
    });

    it("identity R-FACT-9: nobody vouches for their own factor", async () => {
      const { factors } = await page(`/people/${root.personId}`);
      const path = `/people/${root.personId}/factors/${textAt(factors, 0, "id")}/vouch`;
      expect(await act(root, path)).toBe("403 self_vouch");
    });
  });

  describe("settings", () => {
    it("console R-ADM-1: a setting is the organization's once it is changed, and the installation's again with null", async () => {
      const value = async (key: string): Promise<unknown> => {
        const all: unknown = JSON.parse((await root.get("/settings")).body);
        return Array.isArray(all) ? all.find((one: JsonObject) => one["key"] === key) : null;
      };
      const variable = "COUNTERSIGN_FACTOR_COOL_DOWN";
      expect(await value("factor_cool_down_hours")).toMatchObject({
        source: "environment",
        variable,
        updated_by: null,
      });
      must(await root.put("/settings", { key: "factor_cool_down_hours", value: 48 }, FRESH), 200);
      expect(await value("factor_cool_down_hours")).toMatchObject({
        value: 48,
        source: "organization",
        variable: null,
      });
      must(await root.put("/settings", { key: "factor_cool_down_hours", value: null }, FRESH), 200);
      expect(await value("factor_cool_down_hours")).toMatchObject({ value: 24, source: "environment", variable });
      expect(await value("backup_codes_decide")).toMatchObject({ value: true, source: "default", variable: null });
    });

    it.each<[string, JsonValue]>([
      ["factor_cool_down_hours", 169],
      ["factor_cool_down_hours", "24"],
      ["session_timeout_minutes", 0],
      ["aal3", "yes"],
      ["aaguids", ["x"]],
      ["admin", true],
    ])("identity section 7: %s cannot be %j", async (key, value) => {
      expect(outcomeOf(await root.put("/settings", { key, value }, FRESH))).toBe("422 invalid_input");
    });

    it("identity R-LOCAL-1: nobody is shut out by asking for an identity provider that does not exist", async () => {
      expect(outcomeOf(await root.put("/settings", { key: "require_sso", value: true }, FRESH))).toBe(
        "409 wrong_state",
      );
    });

    it("identity R-LOCAL-1: with the provider required the marked sign in locally; others mark them, and one always stays", async () => {
      const provider = { name: "Company", issuer: "https://idp.example.com", client_id: "c" };
      must(await root.post("/identity-providers", provider, FRESH), 201);
      const kept = await signedInAs(at, root);
      const other = await signedInAs(at, root);
      const mark = async (id: string, value: boolean): Promise<BrowserAnswer> =>
        root.patch(`/people/${id}`, { break_glass: value }, FRESH);
      const requiring = async (value: boolean | null): Promise<string> =>
        outcomeOf(await root.put("/settings", { key: "require_sso", value }, FRESH));
      expect(await requiring(true)).toBe("409 wrong_state");
      expect(outcomeOf(await mark(root.personId, true))).toBe("403 self_role_change");
      expect(must(await mark(kept.personId, true), 200)).toMatchObject({ break_glass: true });
      expect(await act(root, `/people/${kept.personId}/lock`)).toBe("200");
      expect(await requiring(true)).toBe("409 wrong_state");
      expect(await act(root, `/people/${kept.personId}/unlock`)).toBe("200");
      expect(await requiring(true)).toBe("200");
      expect(outcomeOf(await kept.signIn())).toMatch(/^20/);
      expect(outcomeOf(await other.signIn())).toBe("403 permission_denied");
      expect(outcomeOf(await mark(kept.personId, false))).toBe("409 wrong_state");
      must(await mark(other.personId, true), 200);
      must(await mark(kept.personId, false), 200);
      expect(outcomeOf(await kept.signIn())).toBe("403 permission_denied");
      expect(await requiring(null)).toBe("200");
      const { rows } = await at.pool.query<{ marked: string | null }>(
        "select text::json -> 'data' ->> 'break_glass' as marked from ledger_entries where kind = 'person.linked' order by seq desc limit 3",
      );
      expect(rows.map(({ marked }) => marked)).toEqual(["false", "true", "true"]);
    });
  });
});
