/**
 * Every route × every role and kind of credential against the running server, compared with what the table says. The
 * expectation is worked out here, from the table's rows alone; nothing of the server's own reasoning is used.
 */
import { randomInt, randomUUID } from "node:crypto";
import type { InjectOptions } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { errorCodes, errorMeanings } from "../../src/contract/error-codes.ts";
import { ROLES } from "../../src/core/roles.ts";
import { addressesOf, authorizationTable, type CredentialKind, type Row } from "../../src/http/authorization.ts";
import { textAt } from "../support/json-answer.ts";
import { machineOf, tokenOf } from "../support/machine-tokens.ts";
import { must, signedIn, signedInAs, TestBrowser } from "../support/signed-in.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";
import { as, openServer, unsignedToken, type TestServer } from "../support/test-server.ts";

/** What is known about a caller, in the table's words. */
interface Facts {
  readonly kind: CredentialKind | null;
  readonly permissions: readonly string[];
  /** A factor of ours can be asked for. */
  readonly asked: boolean;
  readonly enrolled: boolean;
  readonly enrolmentOnly?: true;
  /** Proves a factor in each call. */
  readonly fresh?: true;
  /** The credential itself is no longer good. */
  readonly dead?: string;
}

interface MatrixCaller {
  readonly name: string;
  readonly facts: Facts;
  call(row: Row, address: string): Promise<{ readonly status: number; readonly code: string }>;
}

let database: TestDatabase;
let at: TestServer;
const callers: MatrixCaller[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  at = await openServer(database.url);
  const admin = await signedIn(at);
  for (const { name, permissions, holder } of ROLES) {
    if (holder === "machine") continue;
    const browser = await signedInAs(at, admin, { roles: [name] });
    const held = holder === "platform" && name !== "platform_viewer" ? [...permissions, ...ADMINISTERS] : permissions;
    callers.push(browserCaller(name, browser, { permissions: held }));
  }
  const plain = await signedInAs(at, admin, { roles: [] });
  callers.push(browserCaller("no role", plain, { permissions: [] }));
  const proving = await signedInAs(at, admin, { roles: ["admin", "org_admin", "auditor"] });
  callers.push(browserCaller("admin with a fresh factor", proving, { permissions: ADMINISTERS, fresh: true }));
  callers.push(
    headerCaller("nobody", {}, { kind: null, permissions: [] }),
    headerCaller("a token nobody made", { authorization: `Bearer ${"A".repeat(43)}` }, dead("session_expired")),
    headerCaller("a person's token", as("uma"), { kind: "person_jwt", permissions: [] }),
    headerCaller("an administrator's token", as("adam", ["AWE_ADMIN"]), { kind: "person_jwt", permissions: AWE_ADMIN }),
    headerCaller("a service's token", machine([]), { kind: "machine_jwt", permissions: [] }),
    headerCaller("an administrator's service", machine(["AWE_ADMIN"]), {
      kind: "machine_jwt",
      permissions: AWE_ADMIN.filter((permission) => permission !== "approval:task:override"),
    }),
  );
  await addTokens(admin);
  await addEndedPeople(admin);
  at.advance(11 * 60_000);
  // Opens the window of the one who proves factors; all others' is over.
  must(await proving.put("/directory/roles/some", { members: [] }, { fresh: true }), 200);
}, 180_000);

afterAll(async () => {
  await at.close();
  await database.drop();
});

const SCOPES = ["approval:policy:read", "approval:policy:write", "org:directory:write", "ledger:entry:read"];

/** Tokens that hold something, and tokens that no longer count. */
async function addTokens(admin: TestBrowser): Promise<void> {
  const machineId = await machineOf(admin);
  const good = await tokenOf(admin, machineId, { scopes: SCOPES });
  const empty = await tokenOf(admin, machineId, { scopes: ["approval:request:create"] });
  const revoked = await tokenOf(admin, machineId, { scopes: SCOPES });
  must(await admin.delete(`/tokens/${revoked.id}`, { fresh: true }), 204);
  const owner = await signedInAs(at, admin, { roles: ["admin"] });
  const orphan = await tokenOf(admin, await machineOf(admin, { owners: [owner.personId] }), { scopes: SCOPES });
  must(await admin.post(`/people/${owner.personId}/lock`, { reason: "left" }, { fresh: true }), 200);
  callers.push(
    headerCaller("a token with scopes", good.bearer, { kind: "api_token", permissions: SCOPES }),
    headerCaller("a token that may ask", empty.bearer, { kind: "api_token", permissions: ["approval:request:create"] }),
    headerCaller("a revoked token", revoked.bearer, dead("token_revoked")),
    headerCaller("a token whose owner is locked", orphan.bearer, dead("owner_inactive")),
    headerCaller("a damaged token", { authorization: `Bearer ${good.secret.slice(0, -1)}!` }, dead("token_invalid")),
  );
}

/** People who may no longer act, and one who has only begun to enrol. */
async function addEndedPeople(admin: TestBrowser): Promise<void> {
  for (const [verb, name] of [
    ["lock", "somebody locked"],
    ["suspend", "somebody suspended"],
  ] as const) {
    const browser = await signedInAs(at, admin, { roles: ["admin"] });
    must(await admin.post(`/people/${browser.personId}/${verb}`, { reason: "left" }, { fresh: true }), 200);
    callers.push(browserCaller(name, browser, { permissions: [], dead: "session_expired" }));
  }
  const invited = must(await admin.post("/people", { email: "n@example.com", roles: ["admin"] }, { fresh: true }), 201);
  const beginner = new TestBrowser(at);
  const [, token = ""] = textAt(invited, "link").split("#");
  must(await beginner.post("/auth/invitations/accept", { token }), 201);
  callers.push(browserCaller("somebody who has yet to enrol", beginner, { permissions: [], enrolmentOnly: true }));
}

const AWE_ADMIN = ROLES.find(({ name }) => name === "AWE_ADMIN")?.permissions ?? [];
/** What the roles that run the installation are in an organization besides. */
const ADMINISTERS = ROLES.filter(({ name }) => ["admin", "org_admin", "auditor"].includes(name)).flatMap(
  ({ permissions }) => permissions,
);

function dead(code: string): Partial<Facts> & Pick<Facts, "kind" | "permissions"> {
  return { kind: "cli_session", permissions: [], dead: code };
}

function machine(roles: readonly string[]): { authorization: string } {
  return { authorization: `Bearer ${unsignedToken({ sub: "ci", azp: "ci", realm_access: { roles } })}` };
}

/** From everywhere, so that no network uses up what is allowed of wrong credentials. */
async function anywhere(call: InjectOptions): Promise<{ readonly status: number; readonly code: string }> {
  const remoteAddress = `10.${String(randomInt(256))}.${String(randomInt(256))}.${String(randomInt(256))}`;
  const answer = await at.server.inject({ ...call, remoteAddress });
  return { status: answer.statusCode, code: codeOf(answer) };
}

function headerCaller(
  name: string,
  headers: Readonly<Record<string, string>>,
  facts: Partial<Facts> & Pick<Facts, "kind" | "permissions">,
): MatrixCaller {
  return {
    name,
    facts: { asked: false, enrolled: false, ...facts },
    async call({ method }, address) {
      const writes = method === "GET" ? {} : { payload: {} };
      return anywhere({ method, url: pathOf(address), headers, ...writes });
    },
  };
}

function browserCaller(
  name: string,
  browser: TestBrowser,
  facts: Pick<Facts, "permissions" | "fresh" | "dead" | "enrolmentOnly">,
): MatrixCaller {
  return {
    name,
    facts: { kind: "web_session", asked: true, enrolled: true, ...facts },
    async call(row, address) {
      const { method } = row;
      const path = pathOf(address);
      const within = path.startsWith("/v1/") ? path.slice("/v1".length) : `root:${path}`;
      const fresh = facts.fresh === true && proves(path) && asksFresh(row);
      if (facts.dead !== undefined) return anywhere({ method, url: path, headers: { cookie: browser.cookie } });
      const answer = await browser.call(
        method,
        within,
        method === "GET" ? undefined : {},
        fresh ? { fresh: true } : {},
      );
      return { status: answer.statusCode, code: codeOf(answer) };
    },
  };
}

function asksFresh({ assurance, others }: Row): boolean {
  return assurance === "fresh" || assurance === "enrolment" || others?.assurance === "fresh";
}

/** Challenges are made for acts of our own API. */
function proves(address: string): boolean {
  return address.startsWith("/v1/") && !address.startsWith("/v1/awe/");
}

/** Ids that nobody has; and a stream is asked for in a way that is refused after the table let the call through. */
function pathOf(address: string): string {
  const path = address
    .replaceAll(/:(id|factor|task)\b/g, () => randomUUID())
    .replaceAll(/:[a-z_]+/g, "nothing")
    .replace("*", "inbox");
  return path.endsWith("/v1/events") ? `${path}?after=nothing` : path;
}

function codeOf(answer: { readonly headers: Readonly<Record<string, unknown>>; readonly body: string }): string {
  const given = answer.headers["content-type"];
  const type = typeof given === "string" ? given : "";
  if (!type.includes("json") || type.includes("ndjson") || answer.body === "") return "";
  const code: unknown = Reflect.get(Object(JSON.parse(answer.body)), "code");
  return typeof code === "string" ? code : "";
}

/** What the table says, in the order of the answers (R-AUTHZ-2); null when the call is let through. */
function expected(row: Row, facts: Facts, address: string): string | null {
  if (row.access === "public" || row.access === "development") return null;
  if (facts.kind === null) return "unauthenticated";
  if (facts.dead !== undefined) return facts.dead;
  return kindRefused(row, facts.kind) ?? rightsMissing(row, facts) ?? factorAsked(row, facts, address);
}

function kindRefused(row: Row, kind: CredentialKind): string | null {
  if (row.credentials.includes(kind)) return null;
  const isMachine = kind === "machine_jwt" || kind === "api_token";
  if (!isMachine || row.access !== "holder") return "credential_kind_not_allowed";
  return row.mount === "deploy" ? "token_cannot_decide" : "machine";
}

function rightsMissing(row: Row, { kind, permissions, enrolmentOnly }: Facts): string | null {
  if (enrolmentOnly === true && !row.enrolment) return "mfa_enrollment_required";
  if (row.permission !== null) {
    if (holds(permissions, row.permission)) return null;
    return row.mount === "both" ? "forbidden" : "permission_denied";
  }
  return kind === "api_token" && row.scope !== null && !holds(permissions, row.scope) ? "permission_denied" : null;
}

function factorAsked(row: Row, facts: Facts, address: string): string | null {
  if (!facts.asked || facts.enrolmentOnly === true) return null;
  const others = row.others !== null && holds(facts.permissions, row.others.permission) ? row.others.assurance : null;
  const assurance = others ?? row.assurance;
  const isProven = facts.fresh === true && proves(address);
  if (assurance === "fresh" || assurance === "enrolment") return isProven ? null : "mfa_required";
  return assurance === "step_up" && facts.fresh !== true ? "mfa_step_up_required" : null;
}

function holds(granted: readonly string[], needed: string): boolean {
  const wanted = needed.split(":");
  return granted.some((grant) => grant.split(":").every((part, place) => part === "*" || part === wanted[place]));
}

/** Codes by which the table itself refuses; whatever else is answered came from behind it. */
const OF_THE_TABLE = new Set([
  "unauthenticated",
  "session_expired",
  "token_invalid",
  "token_revoked",
  "owner_inactive",
  "credential_kind_not_allowed",
  "permission_denied",
  "mfa_required",
  "mfa_step_up_required",
  "mfa_enrollment_required",
  "mfa_verification_failed",
  "csrf_invalid",
]);

/** SCIM has errors of its own, without our codes. */
function says(want: string, { status, code }: { readonly status: number; readonly code: string }): boolean {
  if (code !== "") return code === want;
  return errorCodes.some((known) => known === want && errorMeanings[known].status === status);
}

/** Ends the caller's own session, or asks other sessions to end: each has a test of its own. */
const OWN_TESTS = new Set(["DELETE /session", "POST /me/sessions/end-others", "POST /auth/web/logout"]);

/** What goes to a rack answers in its own order and words (deploy R-PROXY-3): test/contract/rack-proxy.test.ts calls it as everybody. */
const PROXIED = /\/(?:rack-proxy|convox)\/\*$/;

/** Let through by the table, and then refused for what the caller has not: a factor. */
const REFUSED_BEHIND = "/auth/mfa/webauthn/assertion/start";

/** A sentence for every caller whom this address does not answer as the table says. */
async function disagreements(row: Row, address: string): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const caller of callers) {
    const want = expected(row, caller.facts, address);
    const got = await caller.call(row, address);
    const agrees = PROXIED.test(address)
      ? got.status >= 400 && got.status < 500
      : want === null
        ? address.endsWith(REFUSED_BEHIND) || (!OF_THE_TABLE.has(got.code) && got.status < 500)
        : says(want, got);
    const answered = `${String(got.status)} ${got.code}, not ${want ?? "let through"}`;
    if (!agrees) wrong.push(`${row.method} ${address} as ${caller.name}: ${answered}`);
  }
  return wrong;
}

describe("every route for every role and kind of credential", () => {
  it("identity R-AUTHZ-4: answers what the table says, and nothing else", async () => {
    const places = authorizationTable
      .filter((row) => !OWN_TESTS.has(`${row.method} ${row.url}`))
      .flatMap((row) => addressesOf(row).map((address) => ({ row, address })));
    const wrong: string[] = [];
    for (const { row, address } of places) wrong.push(...(await disagreements(row, address)));
    expect(wrong).toEqual([]);
    expect(places.length * callers.length).toBeGreaterThan(4_000);
  }, 300_000);
});
