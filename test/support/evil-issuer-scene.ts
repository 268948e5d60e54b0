/** A server, an issuer by hand, and browsers that sign in between the two. */
import { readProviderSettings } from "../../src/app/identity-provider-settings.ts";
import { changeIdentityProvider, createIdentityProvider } from "../../src/app/identity-provider.ts";
import { describe } from "../../src/app/entry-writer.ts";
import { ledgerId } from "../../src/app/ledger-names.ts";
import type { PersonId } from "../../src/core/ids.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { foldName } from "../../src/core/person.ts";
import { isRefusal } from "../../src/core/refusal.ts";
import type { ChangeSet } from "../../src/ports/change-set.ts";
import type { IdentityProviderRecord, PersonRecord } from "../../src/ports/identity-records.ts";
import { recordsBy } from "../../src/ports/records.ts";
import type { EvilIssuer } from "./evil-issuer.ts";
import { textAt } from "./json-answer.ts";
import { must, TestBrowser } from "./signed-in.ts";
import type { TestServer } from "./test-server.ts";

/** As a browser calls that another site sends back. */
const FROM_ELSEWHERE = { headers: { "sec-fetch-site": "cross-site" } } as const;

export interface Scene {
  readonly at: TestServer;
  readonly issuer: EvilIssuer;
  readonly provider: IdentityProviderRecord;
}

export async function addProvider(
  at: TestServer,
  issuer: Pick<EvilIssuer, "issuer" | "clientId" | "clientSecret">,
  { settings = {}, name = "Company" }: { readonly settings?: JsonObject; readonly name?: string } = {},
): Promise<IdentityProviderRecord> {
  const made = await createIdentityProvider(at.app, "environment", {
    ...{ name, issuer: issuer.issuer, clientId: issuer.clientId, clientSecret: issuer.clientSecret, enabled: true },
    settings: readProviderSettings(settings),
  });
  if (isRefusal(made)) throw new Error(made.message);
  return made;
}

export async function setProvider({ at, provider }: Scene, settings: JsonObject, enabled = true): Promise<void> {
  const changed = await changeIdentityProvider(at.app, "environment", {
    id: provider.id,
    change: (record) => ({ ...record, clientSecret: undefined, enabled, settings: readProviderSettings(settings) }),
  });
  if (isRefusal(changed)) throw new Error(changed.message);
}

/** Writes what other parts of the product would have written, with an entry that names the person. */
export async function record(
  at: TestServer,
  personId: PersonId,
  changes: Pick<ChangeSet, "records" | "aliases">,
): Promise<void> {
  const person = ledgerId("usr", personId);
  const frame = { org: ledgerId("org", at.app.orgId), kind: "person.created", actor: "sys_test", credential: null };
  const entry = describe({ ...frame, resource: null, request: null, data: { person, source: "test" } }, at.app);
  await at.app.store.submit({
    name: "record_for_test",
    needs: {},
    alone: true,
    carryOut: () => ({ answer: null, changes: { entries: [entry], ...changes } }),
  });
}

/** Somebody who is expected and has not come yet, as an invitation leaves them. */
export async function expectPerson(
  at: TestServer,
  person: { readonly email: string | null } & Partial<PersonRecord>,
): Promise<PersonId> {
  const id = at.app.newId<"person">();
  const expected: PersonRecord = {
    ...{ id, orgId: at.app.orgId, assignee: person.email ?? id, displayName: null, status: "invited", handle: null },
    ...{ firstSignedInAt: null, breakGlass: false, createdAt: at.app.clock() },
    ...person,
  };
  const { assignee: name, orgId } = expected;
  const alias = { orgId, name, folded: foldName(name), personId: id, proof: "asserted" } as const;
  await record(at, id, { records: { person: [expected] }, aliases: person.assignee === undefined ? [] : [alias] });
  return id;
}

export async function personOf({ at }: Pick<Scene, "at">, id: string): Promise<PersonRecord> {
  const [found] = await at.app.reader.records(recordsBy("person", "id", [id]));
  if (found === undefined) throw new Error("nobody has this id");
  return found;
}

/** The address at the provider to which the server sends the browser. */
export async function startAt(
  browser: TestBrowser,
  provider: IdentityProviderRecord,
  returnTo?: string,
): Promise<string> {
  const body = returnTo === undefined ? {} : { return_to: returnTo };
  return textAt(must(await browser.post(`/auth/oidc/${provider.id}/start`, body), 201), "url");
}

/** What the callback leads to: `to /app/…`, or the code of the refusal. */
export async function comeBack(browser: TestBrowser, callback: string): Promise<string> {
  const { pathname, search } = new URL(callback);
  const answer = await browser.get(`root:${pathname}${search}`, FROM_ELSEWHERE);
  if (answer.statusCode !== 303) throw new Error(`no redirect: ${String(answer.statusCode)} ${answer.body}`);
  const location = String(answer.headers["location"]);
  const refused = "/app/sign-in?refused=";
  return location.startsWith(refused) ? location.slice(refused.length) : `to ${location}`;
}

/** Through the provider and back, as its present account. */
export async function signInWith({ at, issuer, provider }: Scene, browser = new TestBrowser(at)): Promise<string> {
  return comeBack(browser, issuer.authorize(await startAt(browser, provider)));
}

/** Who the browser is now. */
export async function whoIs(browser: TestBrowser): Promise<JsonObject> {
  return must(await browser.get("/me"), 200);
}
