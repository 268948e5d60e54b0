/** What keeps other sites from using the session of somebody's browser. */
import { createHmac } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { authorizationTable } from "../../src/http/authorization.ts";
import { outcomeOf, signedIn, TestBrowser } from "../support/signed-in.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";
import { asAdmin, openServer, type TestServer } from "../support/test-server.ts";

let database: TestDatabase;
let at: TestServer;
let admin: TestBrowser;

beforeAll(async () => {
  database = await createTestDatabase();
  at = await openServer(database.url);
  admin = await signedIn(at);
});
afterAll(async () => {
  await at.close();
  await database.drop();
});

/** A write that anybody may do, with a body that is not read because it never gets that far. */
async function write(headers: Readonly<Record<string, string | undefined>>): Promise<string> {
  return outcomeOf(await admin.post("/requests", {}, { headers }));
}

it("identity R-SESS-5: the token is the HMAC of the session's id under the server's key, and stays with the session", async () => {
  const me = (await admin.get("/me")).json();
  const id: unknown = Reflect.get(Object(Reflect.get(Object(me), "session")), "id");
  const expected = createHmac("sha256", "test key")
    .update(`csrf|${String(id)}`)
    .digest("base64url");
  expect(admin.csrf).toBe(expected);
});

it.each([
  ["without the token", { "x-csrf-token": undefined }],
  ["with an empty token", { "x-csrf-token": "" }],
  ["with another session's token", { "x-csrf-token": "A".repeat(43) }],
  ["from another site", { "sec-fetch-site": "cross-site" }],
  ["from a sibling site", { "sec-fetch-site": "same-site" }],
  ["typed into the address bar", { "sec-fetch-site": "none" }],
  ["of another origin", { "sec-fetch-site": undefined, origin: "https://evil.example" }],
  ["of another origin that says it is the same site", { origin: "https://evil.example" }],
  ["of the same host without TLS", { origin: "http://approvals.example.com" }],
  ["of another port", { origin: "https://approvals.example.com:8443" }],
  ["of a host that begins alike", { origin: "https://approvals.example.com.evil.example" }],
  ["of an opaque origin", { origin: "null" }],
  ["that does not say of which origin it is", { origin: undefined }],
  ["that says nothing of where it comes from", { origin: undefined, "sec-fetch-site": undefined }],
])("identity R-SESS-5: a write %s is refused", async (_name, headers) => {
  expect(await write(headers)).toBe("403 csrf_invalid");
});

it("identity R-SESS-5: a write of our own pages is read, also of a browser that does not send Sec-Fetch-Site", async () => {
  expect(await write({})).toBe("422 invalid_input");
  expect(await write({ "sec-fetch-site": undefined })).toBe("422 invalid_input");
});

it("identity R-SESS-5: another person's token does not serve", async () => {
  const other = new TestBrowser(at);
  await other.post("/dev/session", { assignee: "mallory" });
  expect(other.csrf).not.toBe(admin.csrf);
  expect(await write({ "x-csrf-token": other.csrf ?? "" })).toBe("403 csrf_invalid");
});

it("identity R-SESS-5: looking needs no token", async () => {
  expect(outcomeOf(await admin.get("/requests", { headers: { "sec-fetch-site": "cross-site" } }))).toBe("200");
});

it.each(["Bearer x", "Basic eDp5", "Negotiate abc", asAdmin.authorization])(
  "identity R-SESS-5: a cookie and the header Authorization: %.12s together are refused",
  async (authorization) => {
    expect(outcomeOf(await admin.get("/me", { headers: { authorization } }))).toBe("400 credential_ambiguous");
    expect(await write({ authorization })).toBe("400 credential_ambiguous");
  },
);

/** A form of another site, and a page of another site: signing somebody in as the attacker (login CSRF). */
const openWrites = authorizationTable.filter(
  (row) => row.method !== "GET" && row.access === "public" && row.mount === "v1" && row.url.startsWith("/auth/"),
);

it("identity R-SESS-5: nobody is signed in, set up or invited from another site", async () => {
  expect(openWrites.length).toBeGreaterThanOrEqual(6);
  for (const { url } of [...openWrites, { url: "/setup" }]) {
    for (const headers of [{ "sec-fetch-site": "cross-site" }, { origin: "https://evil.example" }]) {
      const path = url.replace(/:\w+/, "00000000-0000-4000-8000-000000000000");
      const answer = await new TestBrowser(at).post(path, {}, { headers });
      expect([url, outcomeOf(answer), answer.headers["set-cookie"]]).toEqual([url, "403 csrf_invalid", undefined]);
    }
  }
});

it("identity R-SESS-5: a form cannot carry what signing in reads", async () => {
  const answer = await at.server.inject({
    ...{ method: "POST", url: "/v1/auth/password", remoteAddress: "10.250.0.1" },
    headers: { "content-type": "text/plain" },
    payload: JSON.stringify({ login: "root", password: "x" }),
  });
  expect([answer.statusCode, answer.headers["set-cookie"]]).toEqual([415, undefined]);
});
