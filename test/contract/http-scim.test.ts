/** A directory keeps people and groups by SCIM 2.0, in the dialects of the directories that are in use. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { roleNamed } from "../../src/core/roles.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/core/json.ts";
import { textAt } from "../support/json-answer.ts";
import { machineOf, tokenOf } from "../support/machine-tokens.ts";
import { must, outcomeOf, signedIn, signedInAs, type TestBrowser } from "../support/signed-in.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { openServer, type TestServer } from "../support/test-server.ts";

const PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const USER = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group";
const UNKNOWN = "5f0c2c9e-5f5b-4b5d-9d3e-0d8a9e6f0a11";
const FRESH = { fresh: true } as const;

interface ScimAnswer {
  readonly status: number;
  readonly type: string;
  readonly etag: string;
  readonly body: JsonObject;
}

describeOnEveryPostgres("SCIM", (database) => {
  let at: TestServer;
  let root: TestBrowser;
  let bearer: { readonly authorization: string };
  let number = 0;

  beforeAll(async () => {
    at = await openServer((await database.fresh()).url);
    root = await signedIn(at);
    const machine = await machineOf(root, { kind: "connector", owners: [], contact_id: root.personId });
    bearer = (await tokenOf(root, machine, { scopes: ["org:directory:write"] })).bearer;
  });
  afterAll(() => at.close());

  async function call(
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    body?: JsonValue,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<ScimAnswer> {
    const answer = await at.server.inject({
      ...{ method, url: `/scim/v2${path}` },
      headers: { ...bearer, ...(body === undefined ? {} : { "content-type": "application/scim+json" }), ...headers },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    });
    const parsed: unknown = answer.body === "" ? {} : JSON.parse(answer.body);
    return {
      status: answer.statusCode,
      type: String(answer.headers["content-type"]),
      etag: String(answer.headers.etag),
      body: isJsonObject(parsed) ? parsed : {},
    };
  }

  function listAt(body: JsonObject, member: string): readonly JsonObject[] {
    const list = body[member];
    return Array.isArray(list) ? list.filter(isJsonObject) : [];
  }

  function user(name: string, more: JsonObject = {}): JsonObject {
    return {
      schemas: [USER],
      userName: name,
      name: { givenName: "Given", familyName: name },
      emails: [{ value: `${name}@example.com`, type: "work", primary: true }],
      ...more,
    };
  }

  async function made(more: JsonObject = {}): Promise<{ readonly id: string; readonly name: string }> {
    number += 1;
    const name = `scim-${String(number)}`;
    const answer = await call("POST", "/Users", user(name, more));
    expect(answer.status).toBe(201);
    return { id: textAt(answer.body, "id"), name };
  }

  function patch(...operations: readonly JsonObject[]): JsonObject {
    return { schemas: [PATCH_OP], Operations: operations };
  }

  async function personNamed(name: string): Promise<JsonObject> {
    const found = must(await root.get(`/people?q=${name}&limit=200`), 200)["items"];
    const person = Array.isArray(found)
      ? found.filter(isJsonObject).find((one) => one["assignee"] === name)
      : undefined;
    if (person === undefined) throw new Error(`nobody is called ${name}`);
    return person;
  }

  async function membersOf(path: string): Promise<readonly string[]> {
    const groups: unknown = JSON.parse((await root.get(`/directory/groups?q=${encodeURIComponent(path)}`)).body);
    const found = Array.isArray(groups)
      ? groups.filter(isJsonObject).find((group) => group["path"] === path)
      : undefined;
    const members = found?.["members"];
    return Array.isArray(members) ? members.map(String).sort() : ["no group"];
  }

  describe("the protocol", () => {
    it("RFC 7644 section 4: says what it can, in its own media type", async () => {
      const config = await call("GET", "/ServiceProviderConfig");
      expect([config.status, config.type]).toEqual([200, "application/scim+json; charset=utf-8"]);
      expect(config.body).toMatchObject({
        patch: { supported: true },
        etag: { supported: true },
        bulk: { supported: false },
      });
      expect((await call("GET", "/ResourceTypes")).body).toMatchObject({
        totalResults: 2,
        Resources: [{ id: "User" }, { id: "Group" }],
      });
      expect((await call("GET", "/Schemas")).body).toMatchObject({ Resources: [{ id: USER }, { id: GROUP }] });
    });

    it("RFC 7644 section 3.12: refuses in the form of the standard", async () => {
      const { id, name } = await made();
      const faults = [
        await call("GET", `/Users/${UNKNOWN}`),
        await call("POST", "/Users", { schemas: [USER] }),
        await call("POST", "/Users", user(name.toUpperCase())),
        await call("GET", "/Users?filter=title%20co%20%22x%22"),
        await call("PATCH", `/Users/${id}`, patch({ op: "replace", path: "emails[", value: "x" })),
        await call("PUT", `/Users/${id}`, user(name), { "if-match": 'W/"77"' }),
      ];
      expect(faults.map(({ status, body }) => [status, body["status"], body["scimType"] ?? null])).toEqual([
        [404, "404", null],
        [400, "400", "invalidValue"],
        [409, "409", "uniqueness"],
        [400, "400", "invalidFilter"],
        [400, "400", "invalidPath"],
        [412, "412", null],
      ]);
      for (const { type, body } of faults) {
        expect(type).toBe("application/scim+json; charset=utf-8");
        expect(body).toMatchObject({ schemas: ["urn:ietf:params:scim:api:messages:2.0:Error"] });
        expect(textAt(body, "detail")).toMatch(/\w+ \w+/);
      }
    });

    it("identity section 6: only a machine that may write the directory is let in", async () => {
      const machine = await machineOf(root);
      const other = await tokenOf(root, machine, { scopes: ["org:directory:read"] });
      expect((await call("GET", "/Users", undefined, other.bearer)).status).toBe(403);
      expect((await call("GET", "/Users", undefined, { authorization: "Bearer cst_x" })).status).toBe(401);
      expect((await root.get("root:/scim/v2/Users")).statusCode).toBe(403);
    });

    it("RFC 7644 section 3.4.2: filters and pages", async () => {
      const { id, name } = await made({ externalId: "Ext-77" });
      for (const filter of [
        `userName eq "${name.toUpperCase()}"`,
        'externalId eq "ext-77"',
        `id eq "${id}"`,
        `USERNAME EQ "${name}"`,
      ]) {
        const found = await call("GET", `/Users?filter=${encodeURIComponent(filter)}`);
        expect(found.body).toMatchObject({ totalResults: 1, Resources: [{ id, userName: name }] });
      }
      expect((await call("GET", `/Users?filter=${encodeURIComponent('userName eq "nobody"')}`)).body).toMatchObject({
        totalResults: 0,
        Resources: [],
      });
      await made();
      await made();
      const all = await call("GET", "/Users?count=0");
      const total = Number(all.body["totalResults"]);
      const seen: string[] = [];
      for (let start = 1; start <= total; start += 2) {
        const { body } = await call("GET", `/Users?startIndex=${String(start)}&count=2`);
        seen.push(...listAt(body, "Resources").map((item) => textAt(item, "id")));
      }
      expect(new Set(seen).size).toBe(total);
    });

    it("RFC 7644 section 3.14: a version changes with the resource alone, and guards it", async () => {
      const { id, name } = await made();
      const first = await call("GET", `/Users/${id}`);
      expect(first.etag).toBe('W/"1"');
      expect((await call("GET", `/Users/${id}`, undefined, { "if-none-match": first.etag })).status).toBe(304);
      const same = await call("PUT", `/Users/${id}`, user(name));
      expect([same.status, same.etag]).toEqual([200, 'W/"1"']);
      const changed = await call("PUT", `/Users/${id}`, user(name, { displayName: "Another" }), {
        "if-match": 'W/"1"',
      });
      expect([changed.status, changed.etag, changed.body["displayName"]]).toEqual([200, 'W/"2"', "Another"]);
      expect((await call("PUT", `/Users/${id}`, user(name), { "if-match": 'W/"1"' })).status).toBe(412);
    });
  });

  describe("users", () => {
    it("identity section 6: becomes a person who is invited, with name and address", async () => {
      const { id, name } = await made({ externalId: "00u1", title: "ignored" });
      const shown = await call("GET", `/Users/${id}`);
      expect(shown.body).toMatchObject({
        ...{ schemas: [USER], id, externalId: "00u1", userName: name, active: true, groups: [] },
        name: { givenName: "Given", familyName: name },
        meta: { resourceType: "User", version: 'W/"1"' },
      });
      expect(textAt(shown.body, "meta", "location")).toMatch(new RegExp(`/scim/v2/Users/${id}$`));
      expect(shown.body).not.toHaveProperty("title");
      expect(await personNamed(name)).toMatchObject({
        name: `Given ${name}`,
        email: `${name}@example.com`,
        status: "invited",
        roles: [],
      });
    });

    it("identity R-ID-1: somebody who is here already is not made twice", async () => {
      const ann = await signedInAs(at, root, { login: "ann-here", roles: ["viewer"] });
      const machine = await machineOf(root, { kind: "connector", owners: [], contact_id: root.personId });
      const scopes = ["org:directory:write", ...(roleNamed("viewer")?.permissions ?? [])];
      const wide = (await tokenOf(root, machine, { scopes })).bearer;
      const answer = await call("POST", "/Users", user("ann-here"), wide);
      expect(answer.status).toBe(201);
      expect((await personNamed("ann-here"))["id"]).toBe(ann.personId);
      expect((await ann.get("/me")).statusCode).toBe(200);
      expect((await call("POST", "/Users", user("ann-here"))).status).toBe(409);
    });

    it.each<[string, JsonObject]>([
      ["Okta", { op: "replace", value: { active: false } }],
      ["Entra", { op: "Replace", path: "active", value: "False" }],
      ["Entra, with a list of one", { op: "Replace", path: `${USER}:active`, value: false }],
      ["an object under its path", { op: "replace", path: "active", value: { active: false } }],
    ])(
      "identity section 1: deactivated in the spelling of %s, the sessions end with the command",
      async (dialect, operation) => {
        const login = `leaver-${dialect.replaceAll(/\W/g, "")}`;
        const id = textAt((await call("POST", "/Users", user(login))).body, "id");
        const leaver = await signedInAs(at, root, { login, roles: ["viewer"] });
        const answer = await call("PATCH", `/Users/${id}`, patch(operation));
        expect([answer.status, answer.body["active"]]).toEqual([200, false]);
        expect((await leaver.get("/me")).statusCode).toBe(401);
        expect(outcomeOf(await leaver.signIn())).toBe("403 person_suspended");
        expect((await personNamed(login))["status"]).toBe("suspended");
        const back = await call("PATCH", `/Users/${id}`, patch({ op: "replace", value: { active: true } }));
        expect(back.body["active"]).toBe(true);
        expect((await leaver.signIn()).statusCode).toBe(201);
      },
    );

    it("identity R-ID-8: the tokens of a deactivated owner are refused", async () => {
      const id = textAt((await call("POST", "/Users", user("owner"))).body, "id");
      const owner = await signedInAs(at, root, { login: "owner", roles: ["deployer"] });
      const token = await tokenOf(owner, await machineOf(root, { owners: [owner.personId] }), {
        scopes: ["approval:request:read"],
      });
      const use = async (): Promise<number> =>
        (await at.server.inject({ url: "/v1/requests", headers: token.bearer })).statusCode;
      expect(await use()).toBe(200);
      expect((await call("DELETE", `/Users/${id}`)).status).toBe(204);
      expect(await use()).toBe(401);
      expect((await call("GET", `/Users/${id}`)).status).toBe(404);
    });

    it("identity section 1: the directory does not bring back whom an administrator suspended", async () => {
      const id = textAt((await call("POST", "/Users", user("kept-out"))).body, "id");
      const kept = await signedInAs(at, root, { login: "kept-out", roles: ["viewer"] });
      must(await root.post(`/people/${kept.personId}/suspend`, { reason: "fraud" }, FRESH), 200);
      for (const active of [true, false, true])
        await call("PATCH", `/Users/${id}`, patch({ op: "replace", value: { active } }));
      expect((await personNamed("kept-out"))["status"]).toBe("suspended");
      expect((await call("GET", `/Users/${id}`)).body["active"]).toBe(false);
    });

    it("identity R-ROLE-3: the directory takes over nobody who may do more than its token, by name or by address", async () => {
      for (const [login, roles] of [
        ["runs-all", ["platform_superuser"]],
        ["sees-all", ["platform_viewer"]],
        ["local-only", ["viewer"]],
      ] as const) {
        const person = await signedInAs(at, root, { login, roles: [...roles] });
        const emails = [{ value: "mine@example.com", primary: true }];
        const byName = await call("POST", "/Users", user(login.toUpperCase(), { emails, active: false }));
        const byAddress = await call("POST", "/Users", {
          ...user(`${login}-other`, { active: false }),
          emails: [{ value: `${login}@example.com`, primary: true }],
        });
        for (const answer of [byName, byAddress]) {
          expect([answer.status, answer.body["scimType"]]).toEqual([409, "uniqueness"]);
        }
        expect(await personNamed(login)).toMatchObject({ status: "active", email: `${login}@example.com` });
        expect((await person.get("/me")).statusCode).toBe(200);
      }
    });

    it("identity R-ROLE-3: the directory no longer changes or suspends whom it brought once they hold a role of the platform", async () => {
      const { id, name } = await made();
      const person = await signedInAs(at, root, { login: name, roles: ["platform_superuser"] });
      const emails = [{ value: "mine@example.com", primary: true }];
      const answers = [
        await call("PATCH", `/Users/${id}`, patch({ op: "replace", path: "active", value: false })),
        await call("PUT", `/Users/${id}`, user(name, { emails })),
        await call("DELETE", `/Users/${id}`),
      ];
      expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
      expect(await personNamed(name)).toMatchObject({ status: "active", email: `${name}@example.com` });
      expect((await person.get("/me")).statusCode).toBe(200);
    });

    it("RFC 7644 section 3.5.2: parts of names and addresses, one by one", async () => {
      const { id } = await made();
      const answer = await call(
        "PATCH",
        `/Users/${id}`,
        patch(
          { op: "Add", path: "name.givenName", value: "Greta" },
          { op: "replace", path: 'emails[type eq "work"].value', value: "greta@example.com" },
          { op: "add", path: "emails", value: [{ value: "home@example.com", type: "home" }] },
          { op: "replace", path: "displayName", value: "Greta Garbo" },
          { op: "replace", path: "externalId", value: "e-1" },
          {
            op: "replace",
            path: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
            value: "R&D",
          },
          { op: "remove", path: "name.familyName" },
        ),
      );
      expect(answer.body).toMatchObject({
        ...{ displayName: "Greta Garbo", externalId: "e-1", name: { givenName: "Greta" } },
        emails: [
          { value: "greta@example.com", type: "work", primary: true },
          { value: "home@example.com", type: "home", primary: false },
        ],
      });
      expect(answer.body["name"]).not.toHaveProperty("familyName");
    });

    it("identity R-ID-2: another userName is another name of the same person, never somebody else's", async () => {
      const [one, other] = [await made(), await made()];
      const taken = await call(
        "PATCH",
        `/Users/${one.id}`,
        patch({ op: "replace", path: "userName", value: other.name }),
      );
      expect([taken.status, taken.body["scimType"]]).toEqual([409, "uniqueness"]);
      const before = (await personNamed(one.name))["id"];
      const renamed = await call(
        "PATCH",
        `/Users/${one.id}`,
        patch({ op: "replace", path: "userName", value: `${one.name}-new` }),
      );
      expect(renamed.status).toBe(200);
      expect((await personNamed(`${one.name}-new`))["id"]).toBe(before);
    });

    it.each<[string, JsonObject]>([
      ["a machine's name", { userName: "service-account-x" }],
      ["active as a number", { active: 1 }],
      ["an address without @", { emails: [{ value: "x" }] }],
      ["no name", { userName: " " }],
    ])("identity section 6: %s is refused", async (_name, more) => {
      const answer = await call("POST", "/Users", user("refused", more));
      expect([answer.status, answer.body["scimType"]]).toEqual([400, "invalidValue"]);
    });
  });

  describe("groups", () => {
    async function group(name: string, members: readonly string[]): Promise<string> {
      const body = { schemas: [GROUP], displayName: name, members: members.map((value) => ({ value })) };
      const answer = await call("POST", "/Groups", body);
      expect(answer.status).toBe(201);
      return textAt(answer.body, "id");
    }

    it("engine R-RESOLVE-11: a group is the group of that name in the directory, whose people rules find", async () => {
      const [one, two] = [await made(), await made()];
      const id = await group("Release managers", [one.id, two.id]);
      expect(await membersOf("/Release managers")).toEqual([one.name, two.name].sort());
      expect((await call("GET", `/Users/${one.id}`)).body["groups"]).toMatchObject([
        { value: id, display: "Release managers" },
      ]);
      const filter = encodeURIComponent('displayName eq "release managers"');
      const found = await call("GET", `/Groups?filter=${filter}&excludedAttributes=members`);
      expect(found.body).toMatchObject({ totalResults: 1, Resources: [{ id, displayName: "Release managers" }] });
      expect(JSON.stringify(found.body)).not.toContain(one.id);
      expect((await call("POST", "/Groups", { displayName: "Release managers" })).status).toBe(409);
    });

    it("RFC 7644 section 3.5.2: members come and go in every spelling", async () => {
      const people = [await made(), await made(), await made()];
      const [a, b, c] = people.map(({ id }) => id);
      const id = await group("Movers", [a ?? ""]);
      const after = async (...operations: readonly JsonObject[]): Promise<readonly string[]> => {
        const answer = await call("PATCH", `/Groups/${id}`, patch(...operations));
        expect(answer.status).toBe(200);
        const ids = listAt(answer.body, "members").map((member) => textAt(member, "value"));
        expect((await membersOf("/Movers")).length).toBe(ids.length);
        return people.filter((person) => ids.includes(person.id)).map(({ name }) => name);
      };
      const names = people.map(({ name }) => name);
      expect(await after({ op: "Add", path: "members", value: [{ value: b ?? "" }, { value: c ?? "" }] })).toEqual(
        names,
      );
      expect(await after({ op: "Remove", path: `members[value eq "${a ?? ""}"]` })).toEqual(names.slice(1));
      expect(await after({ op: "Remove", path: "members", value: [{ value: b ?? "" }] })).toEqual(names.slice(2));
      expect(await after({ op: "replace", value: { members: [{ value: a ?? "" }] } })).toEqual(names.slice(0, 1));
      expect(await after({ op: "remove", path: "members" })).toEqual([]);
    });

    it("identity section 6: whom an administrator put into the group stays in it", async () => {
      const [kept, told] = [await signedInAs(at, root, { login: "by-hand", roles: ["viewer"] }), await made()];
      const id = await group("Mixed", [told.id]);
      must(await root.put("/directory/groups?path=%2FMixed", { members: [told.name, "by-hand"] }, FRESH), 200);
      expect(kept.personId).not.toBe("");
      await call("PATCH", `/Groups/${id}`, patch({ op: "remove", path: "members", value: [{ value: told.id }] }));
      expect(await membersOf("/Mixed")).toEqual(["by-hand"]);
    });

    it("identity section 6: a renamed group takes its members along; a removed one is gone", async () => {
      const one = await made();
      const id = await group("Old name", [one.id]);
      const renamed = await call(
        "PATCH",
        `/Groups/${id}`,
        patch({ op: "replace", path: "displayName", value: "New name" }),
      );
      expect(renamed.body["displayName"]).toBe("New name");
      expect([await membersOf("/Old name"), await membersOf("/New name")]).toEqual([["no group"], [one.name]]);
      expect((await call("DELETE", `/Groups/${id}`)).status).toBe(204);
      expect([await membersOf("/New name"), (await call("GET", `/Groups/${id}`)).status]).toEqual([["no group"], 404]);
    });

    it.each<[string, JsonObject]>([
      ["an unknown member", { displayName: "X", members: [{ value: UNKNOWN }] }],
      ["a member that is no id", { displayName: "X", members: [{ value: "x" }] }],
      ["a path for a name", { displayName: "admins/all" }],
      ["no name", { members: [] }],
    ])("identity section 6: a group with %s is refused", async (_name, body) => {
      const answer = await call("POST", "/Groups", body);
      expect([answer.status, answer.body["scimType"]]).toEqual([400, "invalidValue"]);
    });
  });
});
