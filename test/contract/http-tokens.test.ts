/** API tokens from outside: made, presented, narrowed, rotated, ended (docs/spec/identity.md section 7). */
import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { admitted } from "../../src/app/admitted-actor.ts";
import { describe as describeEntry } from "../../src/app/entry-writer.ts";
import { ledgerId } from "../../src/app/ledger-names.ts";
import { makeToken, TOKENS_PER_MACHINE_MAX } from "../../src/app/make-token.ts";
import { revokeToken } from "../../src/app/revoke-token.ts";
import { rotateToken } from "../../src/app/rotate-token.ts";
import { endedSession } from "../../src/app/session-record.ts";
import { signIn } from "../../src/app/sign-in.ts";
import { expireTokens } from "../../src/app/token-expiry.ts";
import { makeToken as tokenText } from "../../src/app/token-format.ts";
import type { TokenCaller } from "../../src/app/token-maker.ts";
import { warnOfExpiringTokens } from "../../src/app/token-warnings.ts";
import type { PersonId } from "../../src/core/ids.ts";
import { isRefusal } from "../../src/core/refusal.ts";
import { isJsonObject, type JsonObject } from "../../src/core/json.ts";
import type { SessionRecord } from "../../src/ports/identity-records.ts";
import { recordsBy } from "../../src/ports/records.ts";
import { bodyOf, textAt } from "../support/json-answer.ts";
import { madeToken, machineOf, tokenOf, type MadeToken } from "../support/machine-tokens.ts";
import { addMember, giveRoles, setStatus } from "../support/member-changes.ts";
import { must, outcomeOf, signedIn, type BrowserAnswer, type TestBrowser } from "../support/signed-in.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { openApplication } from "../support/test-application.ts";
import { openServer, type TestServer } from "../support/test-server.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describeOnEveryPostgres("a token", (database) => {
  let at: TestServer;
  let admin: TestBrowser;

  beforeAll(async () => {
    at = await openServer(database.url, { server: { development: false } });
    admin = await signedIn(at);
  });
  afterAll(() => at.close());

  let calls = 0;

  /** `200`, or `403 permission_denied`; every call from an address of its own, so that no guess bars the next. */
  async function used(
    headers: Readonly<Record<string, string>>,
    { method = "GET", url = "/v1/me", payload = {}, from = "" }: CallParts = {},
  ): Promise<string> {
    calls += 1;
    const remoteAddress = from === "" ? `192.0.2.${String(calls % 250)}` : from;
    const body = method === "GET" ? {} : { payload };
    return outcomeOf(await at.server.inject({ method, url, headers, remoteAddress, ...body }));
  }

  interface CallParts {
    readonly method?: "GET" | "POST" | "DELETE";
    readonly url?: string;
    readonly payload?: object;
    readonly from?: string;
  }

  /** The administrator signs in again: their session is over by then. */
  async function later(milliseconds: number): Promise<void> {
    at.advance(milliseconds);
    must(await admin.signIn(), 201);
  }

  async function entries(kind: string, token: MadeToken): Promise<readonly JsonObject[]> {
    const { rows } = await at.pool.query<{ text: string }>(
      "select text from ledger_entries where kind = $1 order by seq",
      [kind],
    );
    return rows
      .map((row): unknown => JSON.parse(row.text))
      .flatMap((entry) => (isJsonObject(entry) && isJsonObject(entry["data"]) ? [entry["data"]] : []))
      .filter((data) => data["token"] === ledgerId("tok", token.id));
  }

  describe("that was made", () => {
    it("identity R-TOK-1: has the form of its family, and is presented as Bearer or as the password of Basic", async () => {
      const machine = await machineOf(admin);
      for (const [family, prefix] of [
        ["generic", "cst_"],
        ["deploy", "rgw_"],
        ["certificate", "cc_"],
        ["connector", "ct_"],
      ] as const) {
        const made = await tokenOf(admin, machine, { family });
        expect(made.secret).toMatch(new RegExp(`^${prefix}[0-9A-Za-z]{49}$`));
        expect(made.token).toMatchObject({
          prefix,
          last_four: made.secret.slice(-4),
          machine_id: machine,
          legacy: false,
        });
        const basic = Buffer.from(`convox:${made.secret}`).toString("base64");
        expect(await used(made.bearer)).toBe("200");
        expect(await used({ authorization: `Basic ${basic}` })).toBe("200");
      }
    });

    it("identity R-ID-8: acts as its machine, not as anybody", async () => {
      const machine = await machineOf(admin, { name: "Release train" });
      const made = await tokenOf(admin, machine);
      const me = await at.server.inject({ url: "/v1/me", headers: made.bearer });
      expect(bodyOf(me)).toMatchObject({ person_id: null, name: "Release train", session: null });
    });

    it.each(["token", "access_token", "api_key"])(
      "identity section 7: is not read from the address (%s)",
      async (name) => {
        const made = await tokenOf(admin, await machineOf(admin));
        expect(await used({}, { url: `/v1/me?${name}=${made.secret}` })).toBe("401 unauthenticated");
      },
    );

    it("identity R-TOK-2: is kept as its hash, its prefix and its last four characters, nowhere else and never shown again", async () => {
      const made = await tokenOf(admin, await machineOf(admin), { name: "kept" });
      const { rows: tables } = await at.pool.query<{ name: string }>(
        "select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'",
      );
      for (const { name } of tables) {
        const { rows } = await at.pool.query<{ row: string }>(`select t::text as row from ${name} t`);
        expect(rows.filter(({ row }) => row.includes(made.secret.slice(4, 20)))).toEqual([]);
      }
      const [stored] = await at.app.reader.records(recordsBy("tokenSecret", "tokenId", [made.id]));
      expect(stored?.tokenHash).toBe(createHash("sha256").update(made.secret).digest("hex"));
      const listed = await admin.get("/tokens?q=kept");
      expect(listed.body).not.toContain(made.secret.slice(4, -4));
      expect(listed.json()).toMatchObject([{ id: made.id, last_four: made.secret.slice(-4) }]);
    });

    it("identity section 7: is an entry that names machine, owners, scopes and end", async () => {
      const machine = await machineOf(admin);
      const made = await tokenOf(admin, machine, { scopes: ["approval:request:*", "org:token:read"] });
      expect(await entries("token.created", made)).toMatchObject([
        {
          token: ledgerId("tok", made.id),
          machine: ledgerId("mch", machine),
          owners: [ledgerId("usr", admin.personId)],
          scopes: ["approval:request:*", "org:token:read"],
          expires_at: textAt(made.token, "expires_at").replace("000Z", "Z"),
        },
      ]);
    });

    it("identity R-TOK-3: ends after 90 days when nobody says otherwise", async () => {
      const made = await tokenOf(admin, await machineOf(admin));
      const days = (Date.parse(textAt(made.token, "expires_at")) - Date.parse(textAt(made.token, "created_at"))) / DAY;
      expect(days).toBe(90);
    });
  });

  it("identity R-TOK-3: without an end it is found by that, until it is revoked", async () => {
    const machine = await machineOf(admin);
    await tokenOf(admin, machine);
    const endless = await tokenOf(admin, machine, { expires_in_days: null });
    const found = async (query: string): Promise<readonly unknown[]> => {
      const list: unknown = (await admin.get(`/tokens?machine_id=${machine}&expires=never${query}`)).json();
      return Array.isArray(list) ? list.map((item: unknown) => isJsonObject(item) && item["id"]) : [];
    };
    expect(await found("")).toEqual([endless.id]);
    must(await admin.delete(`/tokens/${endless.id}`, { fresh: true }), 204);
    expect(await found("&live=true")).toEqual([]);
    expect(outcomeOf(await admin.get("/tokens?expires=soon"))).toBe("422 invalid_input");
  });

  describe("that is asked for", () => {
    async function asked(input: object, by: TestBrowser = admin): Promise<string> {
      const machine_id = await machineOf(admin);
      const body = { machine_id, name: "x", scopes: ["approval:request:read"], ...input };
      return outcomeOf(await by.post("/tokens", body, { fresh: true }));
    }

    it("identity R-FACT-8: needs a factor in the very call", async () => {
      const machine_id = await machineOf(admin);
      const body = { machine_id, name: "x", scopes: ["approval:request:read"] };
      expect(outcomeOf(await admin.post("/tokens", body))).toBe("401 mfa_required");
    });

    it.each([
      "gateway:deploy_approval_request:approve",
      "gateway:deploy-approval-request:approve",
      "gateway:*:*",
      "approval:*:*",
      "approval:task:decide",
      "approval:task:override",
      "cert:request:*",
    ])("identity R-TOK-5: never holds %s", async (scope) => {
      expect(await asked({ scopes: ["approval:request:read", scope] })).toBe("422 machine_cannot_decide");
    });

    it.each(["approve", "approval:request", "nothing:request:read", "approval:request:READ", "*:*:*"])(
      "identity R-AUTHZ-5: %s is no permission",
      async (scope) => {
        expect(await asked({ scopes: [scope] })).toBe("422 invalid_input");
      },
    );

    it("identity R-AUTHZ-5: an unknown permission is refused by its name, in every family", async () => {
      const machine_id = await machineOf(admin);
      for (const [family, scope] of [
        ["generic", "org:unicorn:read"],
        ["deploy", "convox:app:levitate"],
        ["certificate", "cert:unicorn:read"],
      ] as const) {
        const body = { machine_id, name: "x", family, scopes: ["approval:request:read", scope] };
        const answer = await admin.post("/tokens", body, { fresh: true });
        expect(outcomeOf(answer)).toBe("422 invalid_input");
        expect(textAt(bodyOf(answer), "detail")).toContain(`'${scope}'`);
      }
    });

    it("identity R-TOK-4: is never wider than whoever makes it", async () => {
      expect(await asked({ scopes: ["convox:app:*"] })).toBe("201");
      expect(await asked({ scopes: ["cert:*:read", "ledger:key:manage"] })).toBe("422 scope_exceeds_creator");
    });

    it.each([
      ["created_by", "somebody"],
      ["org_id", "0b39ac87-7b63-4c0c-9f2c-5ad6f9a1f6b0"],
      ["creator_permissions", ["platform:*:*"]],
      ["creatorPermissions", ["platform:*:*"]],
      ["prefix", "ct_"],
      ["secret", "cst_x"],
      ["legacy", true],
      ["expires_at", null],
    ])("identity section 7: sets nothing that is not the caller's to set (%s)", async (member, value) => {
      expect(await asked({ [member]: value })).toBe("422 invalid_input");
      expect(await asked({ limits: { [member]: value } })).toBe("422 invalid_input");
    });

    it("identity R-TOK-3: lives 365 days at most, and without an end only where somebody may say so", async () => {
      expect(await asked({ expires_in_days: 365 })).toBe("201");
      expect(await asked({ expires_in_days: 366 })).toBe("422 invalid_input");
      expect(await asked({ expires_in_days: 0 })).toBe("422 invalid_input");
      expect(await asked({ expires_in_days: null })).toBe("201");
    });

    it.each([
      [{ cidrs: ["192.0.2.0/33"] }],
      [{ cidrs: ["everywhere"] }],
      [{ cidrs: [] }],
      [{ policy_keys: [""] }],
      [{ nothing: ["x"] }],
    ])("identity R-TOK-7: limits that mean nothing are refused: %j", async (limits) => {
      expect(await asked({ limits })).toBe("422 invalid_input");
    });

    it.each([["0b39ac87-7b63-4c0c-9f2c-5ad6f9a1f6b0"], ["x"]])("is for a machine there is: %s", async (machine_id) => {
      expect(await asked({ machine_id })).toMatch(machine_id === "x" ? "422 invalid_input" : "404 not_found");
    });

    it("identity R-ID-8: is refused for a retired machine", async () => {
      const machine_id = await machineOf(admin);
      must(await admin.delete(`/machines/${machine_id}`, { fresh: true }), 204);
      expect(await asked({ machine_id })).toBe("409 wrong_state");
    });

    /** Somebody of the organization in a session of their own, as a call that has come in holds them. */
    async function callerWith(roles: readonly string[]): Promise<TokenCaller & { readonly id: PersonId }> {
      const id = await addMember(at.app, roles);
      const opened = await signIn(at.app, {
        ...{ personId: id, kind: "web", method: "passkey", aal: 2, client: null, address: null },
      });
      if (isRefusal(opened)) throw new Error(opened.message);
      return { actor: admitted(opened.actor), session: opened.session, id };
    }

    async function outcome(made: Promise<object>): Promise<string> {
      const answer = await made;
      return isRefusal(answer) ? answer.refusal : "made";
    }

    it("identity R-TOK-9: is refused when the account, the role or the session ended after the call came in", async () => {
      const after = async (change: (caller: TokenCaller & { id: PersonId }) => Promise<void>): Promise<string> => {
        const caller = await callerWith(["admin"]);
        const machineId = await machineOf(admin, { owners: [caller.id] });
        await change(caller);
        const input = { machineId, name: "x", family: "generic", scopes: ["org:token:read"], limits: {} } as const;
        return outcome(makeToken(at.app, caller, { ...input, expiresInDays: undefined }));
      };
      expect(await after(() => Promise.resolve())).toBe("made");
      expect(await after(({ id }) => setStatus(at.app, id, "locked"))).toBe("person_suspended");
      expect(await after(({ id }) => giveRoles(at.app, id, ["viewer"]))).toBe("scope_exceeds_creator");
      expect(await after(({ session }) => endSession(present(session)))).toBe("session_expired");
    });

    async function endSession(session: SessionRecord): Promise<void> {
      const { record, entry } = endedSession(at.app, session, at.app.clock(), "logout");
      await at.app.store.submit({
        name: "end_session",
        needs: {},
        carryOut: () => ({ answer: null, changes: { entries: [entry], records: { session: [record] } } }),
      });
    }

    it("identity section 7: people keep the tokens of their own machines, and of no others", async () => {
      const caller = await callerWith(["deployer"]);
      const own = await machineOf(admin, { owners: [caller.id] });
      const foreign = await machineOf(admin);
      const input = {
        name: "x",
        family: "deploy",
        scopes: ["convox:deploy:deploy_with_approval"],
        limits: {},
      } as const;
      const make = (machineId: string): Promise<string> =>
        outcome(makeToken(at.app, caller, { ...input, machineId, expiresInDays: undefined }));
      expect([await make(own), await make(foreign)]).toEqual(["made", "permission_denied"]);
      const { id } = await tokenOf(admin, foreign);
      expect(await outcome(rotateToken(at.app, caller, { tokenId: id, overlapHours: 0 }))).toBe("not_found");
      expect(await outcome(revokeToken(at.app, caller, id))).toBe("not_found");
    });

    it("identity R-TOK-3: has no end only where its maker may say so", async () => {
      const caller = await callerWith(["deployer"]);
      const machineId = await machineOf(admin, { owners: [caller.id] });
      const input = { machineId, name: "x", family: "generic", scopes: ["convox:app:read"], limits: {} } as const;
      expect(await outcome(makeToken(at.app, caller, { ...input, expiresInDays: null }))).toBe("permission_denied");
    });

    it("identity R-TOK-4: whoever rotates learns a secret, and must hold what it allows", async () => {
      const machine = await machineOf(admin, { owners: [], contact_id: admin.personId });
      const { id } = await tokenOf(admin, machine, { scopes: ["convox:app:read"] });
      const rotate = async (roles: readonly string[]): Promise<string> =>
        outcome(rotateToken(at.app, await callerWith(roles), { tokenId: id, overlapHours: 24 }));
      expect(await rotate(["org_admin"])).toBe("scope_exceeds_creator");
      expect(await rotate(["admin"])).toBe("made");
    });

    it("a machine has at most 50 live tokens", async () => {
      const caller = await callerWith(["admin"]);
      const machineId = await machineOf(admin);
      const input = { machineId, name: "x", family: "generic", scopes: ["org:token:read"], limits: {} } as const;
      const make = (): Promise<string> => outcome(makeToken(at.app, caller, { ...input, expiresInDays: 1 }));
      const outcomes: string[] = [];
      for (let index = 0; index <= TOKENS_PER_MACHINE_MAX; index += 1) outcomes.push(await make());
      expect(outcomes.lastIndexOf("made")).toBe(TOKENS_PER_MACHINE_MAX - 1);
      expect(outcomes.at(-1)).toBe("wrong_state");
    });
  });

  function present<Value>(value: Value | null | undefined): Value {
    if (value === undefined || value === null) throw new Error("nothing is there");
    return value;
  }

  describe("that is presented", () => {
    it("identity R-TOK-1: with one flipped character is refused without a query", async () => {
      const made = await tokenOf(admin, await machineOf(admin));
      const flipped = `${made.secret.slice(0, 20)}${made.secret.charAt(20) === "a" ? "b" : "a"}${made.secret.slice(21)}`;
      const queries = vi.spyOn(at.pool, "query");
      expect(await used({ authorization: `Bearer ${flipped}` })).toBe("401 token_invalid");
      expect(queries).not.toHaveBeenCalled();
      expect(await used(made.bearer)).toBe("200");
      expect(queries).toHaveBeenCalled();
      queries.mockRestore();
    });

    it("identity R-TOK-1: and was never given out is refused in the same words as one that cannot be", async () => {
      const well = `Bearer ${tokenText("cst_", randomBytes(32))}`;
      const answers = await Promise.all(
        [well, `${well}x`].map((authorization) => at.server.inject({ url: "/v1/me", headers: { authorization } })),
      );
      const [known, unknown] = answers.map((answer) => ({ ...bodyOf(answer), trace: "" }));
      expect(known).toEqual(unknown);
      expect(known).toMatchObject({ status: 401, code: "token_invalid" });
    });

    it("identity R-TOK-4: does what its scopes say and nothing else, also where people need no permission", async () => {
      const machine = await machineOf(admin);
      const creator = await tokenOf(admin, machine, { scopes: ["approval:request:create"] });
      const reader = await tokenOf(admin, machine, { scopes: ["approval:request:read"] });
      const asks = { method: "POST", url: "/v1/requests", payload: {} } as const;
      expect(await used(creator.bearer, asks)).toBe("422 invalid_input");
      expect(await used(creator.bearer, { url: "/v1/requests" })).toBe("403 permission_denied");
      expect(await used(reader.bearer, asks)).toBe("403 permission_denied");
      expect(await used(reader.bearer, { url: "/v1/requests" })).toBe("200");
      for (const url of ["/v1/policies", "/v1/machines", "/v1/tokens", "/v1/directory/users", "/v1/admin/audit"]) {
        expect([url, await used(reader.bearer, { url })]).toEqual([url, expect.stringMatching(/^403 /)]);
      }
    });

    it("identity R-TOK-4: narrows with the next call when its owner loses a role", async () => {
      const owner = await addMember(at.app, ["AWE_VIEWER"]);
      const machine = await machineOf(admin, { owners: [owner] });
      const made = await tokenOf(admin, machine, { scopes: ["approval:policy:read", "approval:request:read"] });
      expect(await used(made.bearer, { url: "/v1/policies" })).toBe("200");
      await giveRoles(at.app, owner, ["viewer"]);
      expect(await used(made.bearer, { url: "/v1/policies" })).toBe("403 forbidden");
      expect(await used(made.bearer, { url: "/v1/requests" })).toBe("200");
      await giveRoles(at.app, owner, ["AWE_VIEWER"]);
      expect(await used(made.bearer, { url: "/v1/policies" })).toBe("200");
    });

    it("identity R-TOK-4: of a service account is capped by nobody's present roles", async () => {
      const machine = await machineOf(admin, { owners: [], contact_id: admin.personId });
      const made = await tokenOf(admin, machine, { scopes: ["approval:policy:read"] });
      expect(await used(made.bearer, { url: "/v1/policies" })).toBe("200");
    });

    it.each(["locked", "suspended", "erased"] as const)(
      "identity R-ID-8: is refused when the last owner is %s, and not before the last",
      async (status) => {
        const [one, two] = [await addMember(at.app, ["admin"]), await addMember(at.app, ["admin"])];
        const made = await tokenOf(admin, await machineOf(admin, { owners: [one, two] }));
        await setStatus(at.app, one, status);
        expect(await used(made.bearer)).toBe("200");
        await setStatus(at.app, two, status);
        expect(await used(made.bearer)).toBe("401 owner_inactive");
        expect((await admin.get(`/tokens?machine_id=${made.machineId}`)).json()).toMatchObject([
          { owner_active: false },
        ]);
      },
    );

    it("identity R-ID-8: of a retired machine is refused, and its end is an entry", async () => {
      const made = await tokenOf(admin, await machineOf(admin));
      must(await admin.delete(`/machines/${made.machineId}`, { fresh: true }), 204);
      expect(await used(made.bearer)).toBe("401 token_revoked");
      expect(await entries("token.revoked", made)).toHaveLength(1);
    });

    it("identity R-TOK-7: works from the addresses it is for, and from no other", async () => {
      const limits = { cidrs: ["198.51.100.0/28", "2001:db8::/48"] };
      const made = await tokenOf(admin, await machineOf(admin), { limits });
      expect(made.token).toMatchObject({ limits });
      expect(await used(made.bearer, { from: "198.51.100.15" })).toBe("200");
      expect(await used(made.bearer, { from: "::ffff:198.51.100.1" })).toBe("200");
      expect(await used(made.bearer, { from: "198.51.100.16" })).toBe("403 token_scope_limit");
      expect(await used(made.bearer, { from: "2001:db8:0:1::1" })).toBe("200");
      expect(await used(made.bearer, { from: "2001:db8:1::1" })).toBe("403 token_scope_limit");
    });

    it("identity R-TOK-7: asks for approvals under the policies it is for, and under no other", async () => {
      const made = await tokenOf(admin, await machineOf(admin), { limits: { policy_keys: ["deploy.staging"] } });
      const under = (policy_key: string): Promise<string> =>
        used(made.bearer, {
          ...{ method: "POST", url: "/v1/requests" },
          payload: { policy_key, artifact_type: "app", artifact_id: "1" },
        });
      expect(await under("deploy.production")).toBe("403 token_scope_limit");
      expect(await under("deploy.staging")).toBe("404 no_active_policy");
    });

    it("identity R-TOK-8: is remembered with time and address, beside the ledger", async () => {
      const made = await tokenOf(admin, await machineOf(admin));
      at.options.tokens.drainUses();
      await used(made.bearer, { from: "198.51.100.7" });
      await used(made.bearer, { from: "198.51.100.8" });
      const size = await at.app.reader.position();
      const [use, ...others] = at.options.tokens.drainUses();
      expect([use?.tokenId, use?.address, others]).toEqual([made.id, "198.51.100.8", []]);
      expect(at.app.clock() - (use?.usedAt ?? 0)).toBeLessThan(60_000);
      expect(await at.app.reader.position()).toBe(size);
    });

    it("identity R-TOK-2: in the older form is accepted by its hash, and marked", async () => {
      const made = await tokenOf(admin, await machineOf(admin), { family: "deploy" });
      const legacy = `rgw_${randomBytes(32).toString("base64url")}`;
      const [token] = await at.app.reader.records(recordsBy("apiToken", "id", [made.id]));
      const tokenHash = createHash("sha256").update(legacy).digest("hex");
      const secret = { tokenHash, tokenId: made.id, createdAt: at.app.clock(), endsAt: null };
      const frame = { org: ledgerId("org", at.app.orgId), actor: "sys_test", credential: null, resource: null };
      const data = { token: ledgerId("tok", made.id) };
      const entry = describeEntry({ ...frame, kind: "token.created", request: null, data }, at.app);
      await at.app.store.submit({
        name: "import_token",
        needs: {},
        carryOut: () => ({
          answer: null,
          changes: {
            entries: [entry],
            records: { apiToken: [{ ...present(token), legacy: true }], tokenSecret: [secret] },
          },
        }),
      });
      expect(await used({ authorization: `Bearer ${legacy}` })).toBe("200");
      expect((await admin.get(`/tokens?machine_id=${made.machineId}`)).json()).toMatchObject([{ legacy: true }]);
    });
  });

  describe("that ends", () => {
    it("identity R-TOK-6: is refused from the next call on when it is revoked; revoking it again changes nothing", async () => {
      const made = await tokenOf(admin, await machineOf(admin));
      expect(await used(made.bearer)).toBe("200");
      must(await admin.delete(`/tokens/${made.id}`, { fresh: true }), 204);
      expect(await used(made.bearer)).toBe("401 token_revoked");
      must(await admin.delete(`/tokens/${made.id}`, { fresh: true }), 204);
      expect(await entries("token.revoked", made)).toHaveLength(1);
      const rotated = await admin.post(`/tokens/${made.id}/rotate`, {}, { fresh: true });
      expect(outcomeOf(rotated)).toBe("409 wrong_state");
    });

    async function rotated(made: MadeToken, overlap_hours?: number): Promise<MadeToken> {
      const body = overlap_hours === undefined ? {} : { overlap_hours };
      return madeToken(must(await admin.post(`/tokens/${made.id}/rotate`, body, { fresh: true }), 200));
    }

    it("identity R-TOK-6: a rotated one is the same token with two secrets, until the overlap ends", async () => {
      const made = await tokenOf(admin, await machineOf(admin));
      const next = await rotated(made);
      expect([next.id, next.token["last_four"]]).toEqual([made.id, next.secret.slice(-4)]);
      expect([await used(made.bearer), await used(next.bearer)]).toEqual(["200", "200"]);
      await later(24 * HOUR - 60_000);
      expect(await used(made.bearer)).toBe("200");
      await later(60_000);
      expect([await used(made.bearer), await used(next.bearer)]).toEqual(["401 token_revoked", "200"]);
      expect(await entries("token.rotated", made)).toHaveLength(1);
    });

    it("identity R-TOK-6: the overlap is none to seven days, and never do more than two secrets work", async () => {
      const made = await tokenOf(admin, await machineOf(admin));
      for (const overlap_hours of [-1, 169, 1.5]) {
        const answer = await admin.post(`/tokens/${made.id}/rotate`, { overlap_hours }, { fresh: true });
        expect(outcomeOf(answer)).toBe("422 invalid_input");
      }
      const second = await rotated(made, 168);
      const third = await rotated(second, 168);
      expect([await used(made.bearer), await used(second.bearer), await used(third.bearer)]).toEqual([
        "401 token_revoked",
        "200",
        "200",
      ]);
      const fourth = await rotated(third, 0);
      expect([await used(second.bearer), await used(third.bearer), await used(fourth.bearer)]).toEqual([
        "401 token_revoked",
        "401 token_revoked",
        "200",
      ]);
    });

    it("identity R-TOK-3: is refused from its last moment on, and told to the ledger once", async () => {
      const made = await tokenOf(admin, await machineOf(admin), { expires_in_days: 1 });
      await later(DAY - 60_000);
      expect(await used(made.bearer)).toBe("200");
      await later(60_000);
      expect(await used(made.bearer)).toBe("401 token_expired");
      await Promise.all([expireTokens(at.app), expireTokens(at.app)]);
      while ((await expireTokens(at.app)) > 0);
      expect(await entries("token.expired", made)).toMatchObject([{ machine: ledgerId("mch", made.machineId) }]);
      expect(await used(made.bearer)).toBe("401 token_expired");
    });

    it("identity R-TOK-3: who looks after it is warned 14, 7 and 1 days before, of each once over processes and restarts", async () => {
      const machine = await machineOf(admin);
      const service = await machineOf(admin, { owners: [], contact_id: admin.personId });
      const owned = await tokenOf(admin, machine, { name: "owned", expires_in_days: 30 });
      const told = await tokenOf(admin, service, { name: "told", expires_in_days: 21 });
      const over = await tokenOf(admin, machine, { name: "over", expires_in_days: 30 });
      const short = await tokenOf(admin, machine, { name: "short", expires_in_days: 5 });
      must(await admin.delete(`/tokens/${over.id}`, { fresh: true }), 204);
      const other = openApplication(database.url, { orgId: at.app.orgId });
      const mails = { notifier: { adminAddresses: [] } };
      const sides = [at.app, other.app].map((app) => ({ ...app, settings: { ...app.settings, ...mails } }));
      other.advance(at.app.clock() - other.app.clock());
      const warned = async (days: number): Promise<readonly unknown[]> => {
        at.advance(days * DAY);
        other.advance(days * DAY);
        await Promise.all(sides.flatMap((app) => [warnOfExpiringTokens(app), warnOfExpiringTokens(app)]));
        const { rows } = await at.pool.query<{ warning: string }>(
          `select payload #>> '{to,person}' || ' ' || (payload #>> '{data,name}') || ' ' || (payload #>> '{data,days}') as warning
           from effects where payload ->> 'message' = 'token_expiring' and payload #>> '{data,name}' ~ '^(owned|told|over|short) '
           order by entry_seq, payload #>> '{data,name}'`,
        );
        return rows.map(({ warning }) => warning.replace(/ of machine \d+/, ""));
      };
      const to = admin.personId;
      expect(await warned(1)).toEqual([]);
      expect(await warned(4 - 1 / 24)).toEqual([`${to} short 1`]);
      expect((await warned(11 + 2 / 24)).slice(1)).toEqual([`${to} owned 14`, `${to} told 7`]);
      expect((await warned(8)).slice(3)).toEqual([`${to} owned 7`]);
      expect((await warned(5)).slice(4)).toEqual([`${to} owned 1`]);
      expect(await warned(0)).toHaveLength(5);
      const days = (entry: JsonObject): unknown => entry["days"];
      expect((await entries("token.expiring", owned)).map(days)).toEqual([14, 7, 1]);
      expect((await entries("token.expiring", told)).map(days)).toEqual([7]);
      expect((await entries("token.expiring", short)).map(days)).toEqual([1]);
      await other.close();
      must(await admin.signIn(), 201);
      const shown = (await admin.get(`/tokens?machine_id=${machine}`)).json();
      expect(shown).toMatchObject([{ expires_soon: false }, { expires_soon: false }, { expires_soon: true }]);
    });

    it("identity R-TOK-3: while no mail is sent nobody is said to have been warned", async () => {
      const made = await tokenOf(admin, await machineOf(admin), { expires_in_days: 8 });
      await later(2 * DAY);
      await warnOfExpiringTokens(at.app);
      expect(await entries("token.expiring", made)).toEqual([]);
    });
  });

  describe("guessed", () => {
    it("identity R-AUTHZ-2: 30 times a minute from one address, then nothing is looked up any more", async () => {
      const made = await tokenOf(admin, await machineOf(admin));
      const from = "203.0.113.66";
      const guess = (): Promise<string> =>
        used({ authorization: `Bearer ${tokenText("cst_", randomBytes(32))}` }, { from });
      const outcomes: string[] = [];
      for (let index = 0; index < 30; index += 1) outcomes.push(await guess());
      expect(new Set(outcomes)).toEqual(new Set(["401 token_invalid"]));
      const queries = vi.spyOn(at.pool, "query");
      expect(await guess()).toBe("429 rate_limited");
      expect(queries).not.toHaveBeenCalled();
      queries.mockRestore();
      expect(await used(made.bearer)).toBe("200");
      expect(await used(made.bearer, { from })).toBe("200");
    });
  });

  describe("that asks for approvals", () => {
    const LIMITS = { perMinute: 4, open: 2 };
    let narrow: TestServer;
    let payload: JsonObject;

    beforeAll(async () => {
      const settings = { machineRequests: LIMITS };
      narrow = await openServer(database.url, {
        server: { development: false },
        application: { orgId: at.app.orgId, settings },
      });
      narrow.advance(at.app.clock() - narrow.app.clock());
      const rules = [{ rule_type: "user", rule_value: { user_id: "hugo" } }];
      const stages = [{ name: "Board", stage_order: 1, mode: "any-n", mode_value: 1, rules }];
      const document = { policy_key: "asked", name: "Asked", artifact_type: "thing", stages };
      must(await admin.post("/policies", document, { fresh: true }), 201);
      must(await admin.post("/policies/asked/versions/1/activate", {}, { fresh: true }), 200);
      payload = { policy_key: "asked", artifact_type: "thing", artifact_id: "one", context: {} };
    });
    afterAll(() => narrow.close());

    const unknown = (): JsonObject => ({ ...payload, policy_key: "unknown" });

    it.each(["/v1", "/v1/awe"])(
      "identity section 10: makes so many a minute, and its machine has so many open, whichever token it is (%s)",
      async (mount) => {
        const machine = await machineOf(admin);
        const tokens = [await tokenOf(admin, machine), await tokenOf(admin, machine)];
        let asks = 0;
        const ask = (body: JsonObject): Promise<BrowserAnswer> => {
          const headers = tokens[(asks += 1) % 2]?.bearer ?? {};
          return narrow.server.inject({ method: "POST", url: `${mount}/requests`, headers, payload: body });
        };
        const first = must(await ask(payload), 201);
        expect(outcomeOf(await ask(payload))).toBe("201");
        const full = await ask(payload);
        expect([outcomeOf(full), Number(full.headers["retry-after"]) > 0]).toEqual(["429 rate_limited", true]);
        must(
          await admin.post(`/requests/${textAt(first, "request_id")}/cancel`, { reason: "over" }, { fresh: true }),
          200,
        );
        expect(outcomeOf(await ask(payload))).toBe("201");
        narrow.advance(60_000);
        const other = await tokenOf(admin, await machineOf(admin));
        const wait = async (): Promise<string> =>
          outcomeOf(
            await narrow.server.inject({
              ...{ method: "POST", url: `${mount}/requests`, headers: other.bearer, payload: unknown() },
            }),
          );
        for (let number = 1; number <= LIMITS.perMinute; number += 1) expect(await wait()).toMatch(/no_active_policy/);
        expect(await wait()).toBe("429 rate_limited");
        narrow.advance(60_000);
        expect(await wait()).toMatch(/no_active_policy/);
      },
    );
  });
});
