/** Walls of authorization that no matrix shows: who sees what, what is kept per organization, what nobody can make up (docs/spec/identity.md sections 8, 9 and 11). */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import type { createRequest } from "../../src/app/create-request.ts";
import { isJsonObject, type JsonObject } from "../../src/core/json.ts";
import { authorizationTable } from "../../src/http/authorization.ts";
import { authorized, type Authorized, type Caller } from "../../src/http/authorized.ts";
import { ConfigFault, loadConfig } from "../../src/main/config.ts";
import { packageRoot } from "../../src/main/package-root.ts";
import { bodyOf, textAt } from "../support/json-answer.ts";
import { machineOf, tokenOf, type MadeToken } from "../support/machine-tokens.ts";
import { must, outcomeOf, signedIn, signedInAs, TestBrowser, type BrowserAnswer } from "../support/signed-in.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { openServer, type TestServer } from "../support/test-server.ts";

const POLICY = {
  ...{ policy_key: "walls", name: "Walls", artifact_type: "thing" },
  stages: [{ name: "One", stage_order: 1, rules: [{ rule_type: "user", rule_value: { user_id: "holly" } }] }],
};
const REQUEST = { policy_key: "walls", artifact_type: "thing", artifact_id: "1" };

async function activePolicy(by: TestBrowser): Promise<void> {
  must(await by.post("/policies", POLICY, { fresh: true }), 201);
  must(await by.post("/policies/walls/versions/1/activate", {}, { fresh: true }), 200);
}

describe.each(["participants", "authenticated"] as const)("reading where the scope is %s", (readScope) => {
  describeOnEveryPostgres("requests", (database) => {
    const isWide = readScope === "authenticated";
    let at: TestServer;
    const people = new Map<string, TestBrowser>();
    let token: MadeToken;
    let asked = "";
    let machineAsked = "";

    beforeAll(async () => {
      at = await openServer(database.url, {
        application: { settings: { readScope }, identity: { development: false } },
      });
      const platform = await signedIn(at);
      const admin = await signedInAs(at, platform, { roles: ["admin", "org_admin"] });
      must(await platform.post("/orgs", { name: "Second", slug: "second" }, { fresh: true }), 201);
      people.set("administrator", admin);
      for (const [who, roles] of [
        ["rita", ["deployer"]],
        ["clerk", ["deployer"]],
        ["holly", ["viewer"]],
        ["owner", ["deployer"]],
        ["former", ["deployer"]],
        ["auditor", ["auditor"]],
        ["stranger", ["viewer"]],
      ] as const) {
        people.set(who, await signedInAs(at, platform, { roles, login: who }));
      }
      const foreign = { roles: ["admin", "org_admin", "auditor"], login: "foreign", organization: "second" };
      people.set("foreign", await signedInAs(at, platform, foreign));
      await activePolicy(admin);
      asked = textAt(must(await by("clerk").post("/requests", { ...REQUEST, requester: "rita" }), 201), "request_id");
      // What a token may do is what one of its owners may: the administrator lends it the right to ask.
      const owners = ["administrator", "owner", "former"].map((name) => by(name).personId);
      token = await tokenOf(admin, await machineOf(admin, { owners }), { scopes: ["approval:request:create"] });
      const headers = { ...token.bearer, "content-type": "application/json" };
      const payload = { ...REQUEST, artifact_id: "2" };
      machineAsked = textAt(
        must(await at.server.inject({ method: "POST", url: "/v1/requests", headers, payload }), 201),
        "request_id",
      );
      const remaining = { owners: owners.slice(0, 2) };
      must(await admin.patch(`/machines/${token.machineId}`, remaining, { fresh: true }), 200);
    }, 60_000);

    afterAll(async () => {
      await at.close();
    });

    function by(name: string): TestBrowser {
      const browser = people.get(name);
      if (browser === undefined) throw new Error(`there is no ${name}`);
      return browser;
    }

    async function sees(name: string, id: string): Promise<boolean> {
      const one = await by(name).get(`/requests/${id}`);
      const events = await by(name).get(`/requests/${id}/events`);
      const list = await by(name).get("/requests");
      const answers = [one.statusCode === 200, events.statusCode === 200, list.body.includes(id)];
      expect(new Set(answers).size, `${name}: ${String(answers)}`).toBe(1);
      expect(one.statusCode === 200 ? 200 : outcomeOf(one)).toBe(answers[0] === true ? 200 : "404 request_not_found");
      return answers[0] === true;
    }

    it.each([
      ["rita", true],
      ["clerk", true],
      ["holly", true],
      ["administrator", true],
      ["auditor", true],
      ["owner", isWide],
      ["stranger", isWide],
      ["foreign", false],
    ])("identity R-ROLE-4: %s sees what Clerk asked for Rita and Holly decides: %s", async (name, expected) => {
      expect(await sees(name, asked)).toBe(expected);
    });

    it.each([
      ["owner", true],
      ["former", isWide],
      ["holly", true],
      ["auditor", true],
      ["rita", isWide],
      ["stranger", isWide],
      ["foreign", false],
    ])("identity R-ROLE-4: %s sees what the machine asked: %s", async (name, expected) => {
      expect(await sees(name, machineAsked)).toBe(expected);
    });

    it("identity R-ROLE-4: the machine sees its own, and nothing else unless everybody does", async () => {
      const call = async (id: string): Promise<number> =>
        (await at.server.inject({ url: `/v1/requests/${id}`, headers: token.bearer })).statusCode;
      const wide = await tokenOf(by("administrator"), token.machineId, { scopes: ["approval:request:read"] });
      token = wide;
      expect([await call(machineAsked), await call(asked)]).toEqual([200, isWide ? 200 : 404]);
    });

    it("identity R-ROLE-4: seeing is not doing: a reader cancels nothing", async () => {
      const outcome = outcomeOf(await by("stranger").post(`/requests/${asked}/cancel`, {}));
      expect(outcome).toBe(isWide ? "403 forbidden" : "404 request_not_found");
    });
  });
});

describeOnEveryPostgres("what is kept per organization", (database) => {
  let at: TestServer;
  let platform: TestBrowser;
  let ana: TestBrowser;
  let ben: TestBrowser;
  const inSecond = { headers: { "x-countersign-org": "second" } };

  beforeAll(async () => {
    const server = { limits: { perMinute: 100, streamsPerPerson: 5 } };
    at = await openServer(database.url, { server, application: { identity: { development: false } } });
    platform = await signedIn(at);
    must(await platform.post("/orgs", { name: "Second", slug: "second" }, { fresh: true }), 201);
    const roles = ["admin", "org_admin"];
    ana = await signedInAs(at, platform, { roles });
    ben = await signedInAs(at, platform, { roles, organization: "second" });
    for (const admin of [ana, ben]) await activePolicy(admin);
  }, 60_000);

  afterAll(async () => {
    await at.close();
  });

  it("identity R-ORG-5: one person's idempotency key in two organizations is two calls", async () => {
    const key = { "idempotency-key": "the-same-in-both" };
    const ask = (headers: Readonly<Record<string, string>>): Promise<BrowserAnswer> =>
      platform.post("/requests", REQUEST, { headers: { ...key, ...headers } });
    const first = await ask({});
    const second = await ask(inSecond.headers);
    const again = await ask({});
    expect([first, second, again].map(({ statusCode }) => statusCode)).toEqual([201, 201, 201]);
    const ids = [first, second, again].map((answer) => textAt(bodyOf(answer), "request_id"));
    expect(ids[2]).toBe(ids[0]);
    expect(ids[1]).not.toBe(ids[0]);
    expect([second, again].map(({ headers }) => headers["idempotency-replayed"])).toEqual([undefined, "true"]);
    expect((await ana.get(`/requests/${String(ids[1])}`)).statusCode).toBe(404);
  });

  it("identity R-ORG-5: writes in one organization use up nothing of another's allowance", async () => {
    const left = async (headers = {}): Promise<number> =>
      Number((await platform.post("/requests", REQUEST, { headers })).headers["x-ratelimit-remaining"]);
    const before = await left();
    for (let count = 0; count < 5; count += 1) await left(inSecond.headers);
    expect(await left()).toBe(before - 1);
  });

  it("identity R-ORG-5: counted tests of an identity provider are counted per organization", async () => {
    const body = { name: "Nobody", issuer: "https://127.0.0.1", client_id: "countersign" };
    const providers = new Map<object, string>();
    for (const options of [{}, inSecond]) {
      const made = must(await platform.post("/identity-providers", body, { fresh: true, ...options }), 201);
      providers.set(options, textAt(made, "id"));
    }
    const statuses: number[] = [];
    for (const [options, id] of [...providers].flatMap((one, index) =>
      Array.from({ length: index === 0 ? 7 : 1 }, () => one),
    )) {
      const answer = await platform.post(`/identity-providers/${id}/test`, {}, { fresh: true, ...options });
      statuses.push(answer.statusCode === 429 ? 429 : 0);
    }
    expect(statuses).toEqual([0, 0, 0, 0, 0, 0, 429, 0]);
  });

  it("identity R-ORG-5: a name is one person in one organization and another in the next", async () => {
    const holly = async (options: object): Promise<string> => {
      const list: unknown = (await platform.get("/people?q=holly", options)).json();
      const people = Array.isArray(list) ? list.filter(isJsonObject) : itemsOf(list);
      expect(people).toHaveLength(1);
      return textAt(people[0] ?? {}, "id");
    };
    expect(await holly({})).not.toBe(await holly(inSecond));
  });

  it("identity R-ORG-5: a search looks through the organization's own", async () => {
    const about = { context: { note: "needle in Second" }, artifact_id: "needle" };
    const id = textAt(must(await ben.post("/requests", { ...REQUEST, ...about }), 201), "request_id");
    expect((await ben.get("/requests?q=needle")).body).toContain(id);
    expect((await ana.get("/requests?q=needle")).body).not.toContain(id);
    expect((await ana.get("/tasks?assignee=*&status=open&search_text=needle")).body).not.toContain(id);
  });
});

function itemsOf(page: unknown): readonly JsonObject[] {
  const items: unknown = Reflect.get(Object(page), "items");
  return Array.isArray(items) ? items.filter(isJsonObject) : [];
}

describeOnEveryPostgres("what an entry says", (database) => {
  let at: TestServer;
  let admin: TestBrowser;

  beforeAll(async () => {
    at = await openServer(database.url, { application: { identity: { development: false } } });
    admin = await signedIn(at);
  }, 60_000);

  afterAll(async () => {
    await at.close();
  });

  const MARK = "planted-by-the-client";
  /** What proxies, gateways and older clients say about a call. */
  const PLANTED = [
    ...["x-actor", "x-user", "x-user-id", "x-user-email", "x-user-name", "x-remote-user", "x-forwarded-user"],
    ...["x-audit-action", "x-audit-resource", "x-audit-user", "x-audit-actor", "x-resource", "x-resource-type"],
    ...["x-countersign-actor", "x-countersign-person", "x-countersign-session", "x-original-url", "x-rewrite-url"],
    ...["x-forwarded-for", "x-real-ip", "x-forwarded-host", "forwarded", "true-client-ip", "convox-actor", "from"],
    ...["referer", "x-http-method-override", "x-method-override", "x-correlation-id", "traceparent", "baggage", "via"],
  ];
  const headers = {
    ...Object.fromEntries(PLANTED.map((name) => [name, MARK])),
    "user-agent": `${MARK} agent`,
    "x-request-id": `${MARK}.id`,
  };

  interface Written {
    readonly entries: readonly JsonObject[];
    readonly records: readonly JsonObject[];
    readonly openings: readonly { readonly path: string; readonly value: unknown }[];
  }

  async function writtenSince(position: number): Promise<Written> {
    await at.app.refusals.settled();
    const rows = async <Row extends object>(text: string): Promise<readonly Row[]> =>
      (await at.pool.query<Row>(text, [position])).rows;
    const entries = await rows<{ text: string }>("select text from ledger_entries where seq >= $1 order by seq");
    return {
      entries: entries.map(({ text }) => bodyOf({ body: text })),
      records: await rows("select to_json(r) as record from audit_records r where entry_seq >= $1 order by entry_seq"),
      openings: await rows("select path, value from ledger_openings where seq >= $1"),
    };
  }

  async function during(act: () => Promise<unknown>): Promise<Written> {
    const position = await at.app.reader.position();
    await act();
    return await writtenSince(position);
  }

  /** What stays when ids, times and commitments are left out. */
  function shape({ entries }: Written): readonly string[] {
    const chance = new Set(["seq", "at", "prev"]);
    return entries.map((entry) =>
      JSON.stringify(entry, (key, value: unknown) => (chance.has(key) ? null : value)).replaceAll(
        /c1:[0-9a-f]{64}|sha256:[0-9a-f]{64}|(?:fac|req|task|seat|tok)_[0-9a-f]{32}/g,
        "…",
      ),
    );
  }

  it("identity R-AUTHZ-8: comes from the route and the stored state, whatever the client's headers say", async () => {
    const acts: readonly ((more: object) => Promise<BrowserAnswer>)[] = [
      (more) => admin.put("/directory/roles/keepers", { members: [] }, { fresh: true, ...more }),
      (more) => admin.put("/settings/require_sso", { value: false }, { fresh: true, ...more }),
      (more) => admin.post("/me/factors/totp/options", {}, { fresh: true, ...more }),
    ];
    for (const act of acts) {
      await act({});
      const plain = await during(() => act({}));
      const planted = await during(() => act({ headers }));
      expect(shape(planted)).toEqual(shape(plain));
      expect(JSON.stringify([planted.entries, planted.records])).not.toContain(MARK);
      // Where it came from is told apart from what it was, behind a commitment: the browser's own words are there.
      expect(
        planted.openings.filter(({ value }) => JSON.stringify(value).includes(MARK)).map(({ path }) => path),
      ).toEqual(planted.openings.filter(({ path }) => path === "/ctx").map(({ path }) => path));
      for (const { value } of planted.openings.filter(({ path }) => path === "/ctx")) {
        const { user_agent, request_id, ...rest } = bodyOf({ body: JSON.stringify(value) });
        expect([user_agent, request_id]).toEqual([headers["user-agent"], headers["x-request-id"]]);
        expect(JSON.stringify(rest)).not.toContain(MARK);
        expect(rest["address"]).toBe(admin.address);
      }
    }
  });

  it("identity R-AUTHZ-8: a refusal names the route's pattern and the credential's own organization", async () => {
    const viewer = await signedInAs(at, admin, { roles: ["viewer"] });
    const refused = await during(async () => {
      const answer = await viewer.delete(`/directory/roles/${MARK}`, { fresh: true, headers });
      expect(outcomeOf(answer)).toBe("403 forbidden");
    });
    const [entry = {}] = refused.entries.filter(({ kind }) => kind === "access.refused");
    expect(entry["actor"]).toBe(`usr_${viewer.personId.replaceAll("-", "")}`);
    expect(entry["org"]).toBe(`org_${at.app.orgId.replaceAll("-", "")}`);
    expect(entry["data"]).toMatchObject({ code: "forbidden", route: "DELETE /v1/directory/roles/{name}" });
    expect(JSON.stringify([refused.entries, refused.records])).not.toContain(MARK);
  });
});

describeOnEveryPostgres("what a handler acts with", (database) => {
  it("identity R-AUTHZ-3: cannot be made up, copied or put together from its parts", async () => {
    const at = await openServer(database.url);
    const row = authorizationTable.find(({ access }) => access === "permission");
    if (row === undefined) throw new Error("the table has no row that a permission opens");
    const none = { session: null, sessionToken: null, expiresAt: null, limits: null, enrolled: false };
    const caller: Caller = { ...none, kind: "person_jwt", actor: await at.person("ana"), roles: [], app: at.app };
    const client = { address: "::1", userAgent: null };
    const real = authorized(row, caller, { client, sentProof: null, proof: null, readScope: "participants" });
    expect(real.actor.assignee).toBe("ana");
    const { viewer, sentProof, proof } = real;
    const parts = { row, viewer, client, sentProof, proof, ...caller, orgId: "o", permissions: [], singleUse: null };
    expectTypeOf(parts).not.toExtend<Authorized>();
    const copied: object = Object.assign({}, real);
    Reflect.setPrototypeOf(copied, Reflect.getPrototypeOf(real));
    for (const member of ["actor", "row", "app", "kind", "permissions"]) {
      expect(() => void Reflect.get(copied, member)).toThrow(TypeError);
    }
    await at.close();
  });
});

describe("what makes it", () => {
  it("identity R-AUTHZ-3: is made in one place alone, after the table was asked", () => {
    const makers = /\b(?:authorized|admitAnybody)\(/;
    const using = sources("src").filter(({ text }) =>
      makers.test(text.replaceAll(/^\s*(?:\*|\/\/|export function).*$/gm, "")),
    );
    expect(using.map(({ file }) => file)).toEqual(["src/http/mount-routes.ts"]);
    const constructing = sources("src").filter(({ text }) => text.includes("new Admission("));
    expect(constructing.map(({ file }) => file)).toEqual(["src/http/authorized.ts"]);
  });

  it("identity R-AUTHZ-3: a use case takes no actor that was not admitted, and few files admit one", () => {
    expectTypeOf<Caller["actor"]>().not.toExtend<Parameters<typeof createRequest>[1]>();
    expectTypeOf<Authorized["actor"]>().toExtend<Parameters<typeof createRequest>[1]>();
    const admitting = sources("src").filter(({ text }) => /\badmitted\(/.test(text));
    expect(admitting.map(({ file }) => file)).toEqual([
      "src/app/admitted-actor.ts",
      // A hook of the repository asks in the place of its token, whose scopes it looked at.
      "src/app/deploy/github-request.ts",
      "src/http/authorized.ts",
      "src/main/demo/seed-demo.ts",
    ]);
  });

  it("identity R-AUTHZ-3: no handler hears of the caller any other way", () => {
    // Fastify's own request, and whatever tells who somebody is, stay with what mounts the routes.
    const told = /\bFastifyRequest\b|from "\.\.\/(?:credentials|principal)\.ts"/;
    const routes = sources("src/http/routes").filter(({ text }) => told.test(text));
    expect(routes.map(({ file }) => file)).toEqual([]);
  });
});

interface Source {
  readonly file: string;
  readonly text: string;
}

/** What is shipped: everything but tests. */
function sources(folder: string): readonly Source[] {
  const root = packageRoot();
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((file) => /\.(?:tsx?|sql)$/.test(file) && !/\.test\.tsx?$/.test(file))
    .sort()
    .map((file) => ({ file, text: readFileSync(join(root, file), "utf8") }));
}

describe("what is shipped", () => {
  const shipped = ["src", "ui/src", "db"].flatMap(sources);

  it("identity R-DEV-6: imports nothing of the tests", () => {
    const importing = shipped.filter(({ text }) => /from "[^"]*(?:\/test\/|vitest|software-authenticator)/.test(text));
    expect(importing.map(({ file }) => file)).toEqual([]);
  });

  it("identity R-DEV-6: has no word by which a test would pass a wall", () => {
    const words =
      /\be2e\b|playwright|cypress|\bVITEST\b|import\.meta\.env\.(?:MODE|TEST)|NODE_ENV|bypass(?:_| )?(?:mfa|auth)|skip_?(?:mfa|auth)|test_?(?:mode|user|login|hook)|disable_?(?:mfa|auth|csrf)|mock|fixed_?challenge/i;
    const found = shipped.flatMap(({ file, text }) =>
      words.test(text) ? [`${file}: ${words.exec(text)?.[0] ?? ""}`] : [],
    );
    // The one place that asks for NODE_ENV refuses to start development mode by it (R-DEV-2).
    // The other refuses the original's switch of that name.
    expect(found).toEqual(["src/main/original-environment.ts: TEST_MODE", "src/main/start-rules.ts: NODE_ENV"]);
  });

  it("identity R-DEV-6: reads the environment at the command line alone, and refuses settings that it does not know", () => {
    const reading = shipped.filter(({ text }) => /process\.env\b|import\.meta\.env\b/.test(text));
    expect(reading.map(({ file }) => file).filter((file) => !file.startsWith("src/cli/"))).toEqual([
      "src/adapters/embedded-postgres/runtime-directory.ts",
    ]);
    for (const name of ["COUNTERSIGN_E2E", "COUNTERSIGN_DEV", "AWE__AUTH__DISABLED"]) {
      expect(() => loadConfig({ [name]: "true" })).toThrow(ConfigFault);
    }
    // Names that belong to the tests mean nothing to the program.
    expect(loadConfig({ COUNTERSIGN_TEST_MODE: "true" })).toEqual(loadConfig({}));
  });

  it("identity R-DEV-6: has no route that resets, seeds or signs in without proof, but for development mode's own", () => {
    const odd = authorizationTable.filter(({ url }) =>
      /reset|seed|e2e|test|debug|\/dev\/|backdoor|impersonat/.test(url),
    );
    expect(odd.map(({ method, url, access }) => `${method} ${url} ${access}`)).toEqual([
      "POST /admin/secrets/:id/test permission",
      "GET /dev/people development",
      "POST /dev/session development",
      "POST /identity-providers/:id/test permission",
      "POST /workload-providers/:id/test permission",
      "POST /integrations/slack/test permission",
      "POST /integrations/github/test permission",
      "POST /integrations/circleci/test permission",
    ]);
  });
});

describeOnEveryPostgres("a server with every switch that a test might look for", (database) => {
  it("identity R-DEV-6: asks as before, and no two challenges are alike", async () => {
    const switches = ["E2E", "CI", "TEST", "VITEST", "PLAYWRIGHT_TEST", "E2E_TEST_MODE", "DISABLE_MFA", "NODE_ENV"];
    const before = new Map(switches.map((name) => [name, process.env[name]]));
    for (const name of switches) process.env[name] = name === "NODE_ENV" ? "test" : "true";
    const at = await openServer(database.url, {
      server: { development: false },
      application: { identity: { development: false } },
    });
    try {
      const admin = await signedIn(at);
      expect(outcomeOf(await admin.post("/orgs", { name: "Other", slug: "other" }))).toBe("401 mfa_required");
      const guess = { proof: { type: "totp", code: "000000" } };
      expect(outcomeOf(await admin.post("/session/step-up", guess))).toBe("401 mfa_verification_failed");
      const challenges = new Set<string>();
      for (let count = 0; count < 8; count += 1) {
        const offered = must(await new TestBrowser(at).post("/auth/passkey/options"), 201);
        challenges.add(textAt(offered, "options", "challenge"));
      }
      expect(challenges.size).toBe(8);
      for (const challenge of challenges) expect(Buffer.from(challenge, "base64url")).toHaveLength(32);
      expect((await at.server.inject({ method: "POST", url: "/v1/dev/session", payload: {} })).statusCode).toBe(404);
    } finally {
      for (const [name, value] of before) {
        if (value === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = value;
      }
      await at.close();
    }
  });
});
