/** Every route × every kind of caller against the running server, compared with the file that a reviewer has read. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { roleNamed } from "../../src/core/roles.ts";
import { addressesOf, authorizationTable, type Row } from "../../src/http/authorization.ts";
import { callers, Scene } from "../support/authorization-scene.ts";
import { expectGolden } from "../support/golden.ts";
import { callOver, statusAndCode } from "../support/http-call.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";
import { openServer, type TestServer } from "../support/test-server.ts";

/** `200`, or `403 forbidden`. */
type Verdict = string;
type Verdicts = ReadonlyMap<string, Verdict>;

let database: TestDatabase;
let at: TestServer;
let base = "";
const walk = new Map<Row, { readonly address: string; readonly verdicts: Verdicts }[]>();

beforeAll(async () => {
  database = await createTestDatabase();
  at = await openServer(database.url);
  base = await at.server.listen({ host: "127.0.0.1", port: 0 });
  const everybody = { ...callers, "holder's session": await sessionOf("hugo") };
  const scene = new Scene(base);
  for (const row of authorizationTable) {
    const walked = [];
    for (const address of addressesOf(row)) {
      const prefix = address.slice(0, address.length - row.url.length);
      const verdicts = await walkCallers(everybody, (headers) => judge(scene, row, prefix, headers));
      if (row.url === "/session") verdicts.set("holder's session", await signedOut());
      walked.push({ address: `${row.method} ${address}`, verdicts });
    }
    walk.set(row, walked);
  }
}, 240_000);

afterAll(async () => {
  await at.close();
  await database.drop();
});

async function walkCallers(
  everybody: Readonly<Record<string, object>>,
  judgeCaller: (headers: object) => Promise<Verdict>,
): Promise<Map<string, Verdict>> {
  const verdicts = new Map<string, Verdict>();
  for (const [caller, headers] of Object.entries(everybody)) verdicts.set(caller, await judgeCaller(headers));
  return verdicts;
}

const SIGNS_OUT: ReadonlySet<string> = new Set(["/session", "/auth/web/logout"]);

async function judge(scene: Scene, row: Row, prefix: string, headers: object): Promise<Verdict> {
  // The walked session goes on being needed: signing out is judged with one of its own.
  if (SIGNS_OUT.has(row.url) && "cookie" in headers) return "";
  const { method, path, body } = await scene.prepare(row);
  const type = body === undefined ? {} : { "Content-Type": "application/json" };
  return statusAndCode(base, {
    method,
    path: `${prefix}${path}`,
    headers: { ...headers, ...type },
    ...(body === undefined ? {} : { body }),
  });
}

async function sessionOf(assignee: string): Promise<Record<string, string>> {
  const body = JSON.stringify({ assignee });
  const headers = { "Content-Type": "application/json" };
  const answer = await callOver(base, { method: "POST", path: "/v1/dev/session", headers, body });
  const cookie = answer.headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
  const csrf: unknown = Reflect.get(Object(JSON.parse(answer.text)), "csrf_token");
  const { origin } = at.options.browser;
  return { cookie, Origin: origin, "Sec-Fetch-Site": "same-origin", "X-CSRF-Token": String(csrf) };
}

/** A session of its own, so that the others' goes on. */
async function signedOut(): Promise<Verdict> {
  return statusAndCode(base, { method: "DELETE", path: "/v1/session", headers: await sessionOf("hugo") });
}

function expectedBelow({ mount }: Row, verdict: Verdict, other: Verdict | undefined): Verdict {
  return mount === "deploy" && other?.startsWith("404") === true && !/^40[13] (?!mfa_enrollment_required)/.test(verdict)
    ? other
    : verdict;
}

function verdictsOf(row: Row): Verdicts[] {
  return (walk.get(row) ?? []).map(({ verdicts }) => verdicts);
}

describe("who may call what", () => {
  it("engine R-AUTH-41: is what test/golden/authorization.txt says (GOLDEN=update rewrites it)", () => {
    const text = authorizationTable.map((row) => `${title(row)}\n${lines(verdictsOf(row)[0] ?? new Map())}`).join("\n");
    expectGolden("authorization.txt", text);
  });

  it("engine R-API-1: is the same in both mounts", () => {
    for (const row of authorizationTable) {
      const [first, ...others] = verdictsOf(row);
      for (const other of others) {
        // No rack is configured here: whoever is let through finds none of the name (deploy R-RACK-2).
        const want = [...(first ?? [])].map(([caller, verdict]) => [
          caller,
          expectedBelow(row, verdict, other.get(caller)),
        ]);
        expect({ row, verdicts: [...other] }).toEqual({ row, verdicts: want });
      }
    }
  });

  it("engine R-AUTH-20: without a credential nothing is answered but what is public", () => {
    for (const row of authorizationTable.filter(({ access }) => access !== "public" && access !== "development")) {
      // SCIM has errors of its own, without our codes; what goes to a rack is refused in plain text.
      const none = /^\/(?:scim|rack-proxy|convox)\//.test(row.url) ? "401" : "401 unauthenticated";
      expect({ row, none: verdictsOf(row)[0]?.get("none") }).toEqual({ row, none });
    }
  });

  it("engine R-AUTH-23: without its role a route for administrators or viewers is forbidden", () => {
    const plain = ["user", "requester", "holder", "creator", "machine", "holder's session"];
    const viewer = roleNamed("AWE_VIEWER")?.permissions ?? [];
    const guarded = authorizationTable.filter(({ access, mount }) => access === "permission" && mount === "both");
    for (const row of guarded) {
      const isViewers = viewer.includes(row.permission ?? "");
      for (const caller of isViewers ? plain : [...plain, "viewer"]) {
        const verdict = verdictsOf(row)[0]?.get(caller);
        expect({ row, caller, verdict }).toEqual({ row, caller, verdict: "403 forbidden" });
      }
    }
    expect(guarded.length).toBeGreaterThan(15);
  });

  it("engine R-AUTH-7: no machine decides or claims, whatever roles it carries", () => {
    for (const verb of ["claim", "release", "decision"]) {
      const row = authorizationTable.find(({ url }) => url === `/tasks/:id/${verb}`);
      const verdicts = row === undefined ? undefined : verdictsOf(row)[0];
      expect([verb, verdicts?.get("machine"), verdicts?.get("machine admin")]).toEqual([
        verb,
        "403 machine",
        "403 machine",
      ]);
    }
  });

  it("engine R-AUTH-30: whoever has no part in a request does not learn that it exists", () => {
    const takesTokens = authorizationTable.filter(({ credentials }) => credentials.includes("person_jwt"));
    for (const row of takesTokens.filter(({ url }) => /^\/(requests|tasks)\/:id/.test(url))) {
      const verdict = verdictsOf(row)[0]?.get("user") ?? "";
      expect({ row, hidden: /^(404 (request|task)_not_found|403 forbidden)$/.test(verdict) }).toEqual({
        row,
        hidden: true,
      });
    }
  });

  it("engine R-API-6: nobody's call ends in an error of the server's", () => {
    const all = [...walk.values()]
      .flat()
      .flatMap(({ address, verdicts }) => [...verdicts].map(([caller, verdict]) => ({ address, caller, verdict })));
    expect(all.filter(({ verdict }) => verdict.startsWith("5"))).toEqual([]);
    expect(all.length).toBeGreaterThan(900);
  });
});

function title({ method, url, mount, access, permission, credentials, assurance, others, enrolment }: Row): string {
  const where = mount === "v1" ? " (/v1 only)" : mount === "root" ? " (at the root)" : "";
  const means = credentials.length === 0 ? "without a credential" : `with ${credentials.join(", ")}`;
  const who = permission === null ? access : `permission ${permission}`;
  const more = others === null ? "" : ` (${others.assurance} for ${others.permission})`;
  const first = enrolment ? "; before enrolment too" : "";
  return `${method} ${url}${where}: ${who}; ${means}; assurance ${assurance}${more}${first}`;
}

function lines(verdicts: Verdicts): string {
  const by = new Map<Verdict, string[]>();
  for (const [caller, verdict] of verdicts) by.set(verdict, [...(by.get(verdict) ?? []), caller]);
  return [...by]
    .sort(([left], [right]) => left.localeCompare(right))
    .map(([verdict, names]) => `  ${verdict.padEnd(32)} ${names.join(", ")}\n`)
    .join("");
}
