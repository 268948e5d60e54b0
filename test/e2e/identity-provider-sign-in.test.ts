/** Signing in, and linking, through a real OpenID provider that runs beside the server; the built console is served as ever. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { packageRoot } from "../../src/main/package-root.ts";
import { addProvider, expectPerson } from "../support/evil-issuer-scene.ts";
import { signedIn } from "../support/signed-in.ts";
import type { TestDatabase } from "../support/test-database.ts";
import { createTestDatabase } from "../support/test-database.ts";
import type { TestIdentityProvider } from "../support/test-identity-provider.ts";
import { openTestIdentityProvider } from "../support/test-identity-provider.ts";
import type { TestServer } from "../support/test-server.ts";
import { openServer } from "../support/test-server.ts";
import type { ConsoleBrowser } from "./console-browser.ts";
import { launchBrowser } from "./console-browser.ts";
import { isRecord } from "./console-server.ts";
import type { Visit } from "./identity-visit.ts";
import { visit } from "./identity-visit.ts";

let database: TestDatabase;
let server: TestServer;
let url: string;
let browser: ConsoleBrowser;
let provider: TestIdentityProvider;

beforeAll(async () => {
  provider = await openTestIdentityProvider(accountOf("nobody"));
  const port = await freePort();
  url = `http://localhost:${String(port)}`;
  [database, browser] = await Promise.all([createTestDatabase(), launchBrowser()]);
  server = await openServer(database.url, {
    application: { identity: { publicUrl: url, development: false } },
    server: { development: false, uiDirectory: join(packageRoot(), "dist/ui") },
  });
  // Without an administrator the sign-in page leads to the setup and nowhere else.
  await signedIn(server);
  await server.server.listen({ host: "127.0.0.1", port });
  const client = { clientId: "countersign", clientSecret: randomBytes(16).toString("hex") };
  const { id } = await addProvider(server, { issuer: provider.issuer, ...client }, { name: "Staff directory" });
  await provider.register({ ...client, redirectUri: `${url}/auth/oidc/${id}/callback` });
});

afterAll(async () => {
  await browser.close();
  await server.close();
  await provider.close();
  await database.drop();
});

/** The public address must be known before the server is made. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  await once(probe.close(), "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

function accountOf(login: string): TestIdentityProvider["account"] {
  return { sub: `staff-${login}`, email: `${login}@holzwerk.example`, email_verified: true, name: login };
}

function continueButton(page: Page): Locator {
  return page.getByRole("button", { name: "Continue with Staff directory" });
}

/** The provider knows the browser no longer: whoever signs in there next is the account that is named next. */
async function forgetAtProvider({ context }: Visit): Promise<void> {
  await context.clearCookies({ domain: new URL(provider.issuer).hostname });
}

/** Somebody who was invited, in by the provider for the first time; ends in the inbox. */
async function comeIn(login: string): Promise<Visit> {
  provider.account = accountOf(login);
  await expectPerson(server, { email: provider.account.email });
  const visitor = await visit(browser);
  await visitor.page.goto(`${url}/app/sign-in`);
  await continueButton(visitor.page).click();
  await visitor.page.getByRole("heading", { name: "Inbox" }).waitFor();
  return visitor;
}

/** The first factor needs no other; linking then asks for it. */
async function addPasskey({ page, expectAnswer }: Visit): Promise<void> {
  expectAnswer("401 /v1/me/");
  await page.goto(`${url}/app/security`);
  await page.getByRole("button", { name: "Add passkey" }).click();
  await page.getByRole("list", { name: "Passkeys and authenticators" }).getByRole("listitem").first().waitFor();
}

async function confirm(page: Page): Promise<void> {
  await page
    .getByRole("dialog", { name: "Confirm that it is you" })
    .getByRole("button", { name: "Use a passkey" })
    .click();
}

async function meOf(visitor: Visit): Promise<Record<string, unknown>> {
  const me = await visitor.api("GET /me");
  if (!isRecord(me)) throw new Error("Me is no object");
  return me;
}

async function signOut({ page, device, expectAnswer }: Visit): Promise<void> {
  // Nobody touches it: the field of the sign-in page would let the person in again at once.
  await device.touched(false);
  // What the page was still reading when the session ended.
  expectAnswer("401 /v1/");
  await page.getByRole("button", { name: /signed in as/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
}

describe("signing in at a provider", () => {
  it("identity R-IDP-2, R-IDP-10: with PKCE, and back to the page that was asked for", async () => {
    provider.account = accountOf("bela");
    await expectPerson(server, { email: provider.account.email });
    const bela = await visit(browser);
    const { page } = bela;
    const asked: URL[] = [];
    page.on("request", (request) => {
      if (request.url().startsWith(`${provider.issuer}/auth?`)) asked.push(new URL(request.url()));
    });
    await page.goto(`${url}/app/requests?status=approved`);
    await continueButton(page).waitFor();
    await bela.isSound();
    await continueButton(page).click();
    await page.getByRole("heading", { name: "Requests" }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/app/requests");
    expect(new URL(page.url()).searchParams.get("status")).toBe("approved");
    expect(await meOf(bela)).toMatchObject({ email: "bela@holzwerk.example", session: { method: "oidc" } });
    const [sent] = asked.map(({ searchParams }) => Object.fromEntries(searchParams));
    expect(sent).toMatchObject({ response_type: "code", code_challenge_method: "S256" });
    for (const secret of ["code_challenge", "state", "nonce"]) expect(sent?.[secret]).toMatch(/^[\w-]{43}$/);
    // Nothing of the exchange stays in the address or in what pages can read.
    expect(page.url()).not.toContain("code=");
    expect(await page.evaluate(() => document.cookie)).toBe("");
    await bela.isSound();
    await bela.context.close();
  });

  it("identity R-IDP-7: somebody whom nobody invited is told so in a sentence, and is not signed in", async () => {
    provider.account = accountOf("mallory");
    const mallory = await visit(browser);
    const { page } = mallory;
    await page.goto(`${url}/app/sign-in`);
    await continueButton(page).click();
    await page.getByText(/Nobody has invited you to this installation yet/).waitFor();
    await page.getByText("not_invited", { exact: true }).waitFor();
    expect(await page.evaluate(async () => (await fetch("/v1/me")).status)).toBe(401);
    await mallory.isSound();
    await mallory.context.close();
  });

  it("identity R-IDP-2: an answer that another browser brings back signs nobody in", async () => {
    provider.account = accountOf("cira");
    await expectPerson(server, { email: provider.account.email });
    const [cira, thief] = [await visit(browser), await visit(browser)];
    const sent = new Promise<string>((resolve) => {
      void cira.page.route(`${provider.issuer}/**`, async (route) => {
        resolve(route.request().url());
        await route.fulfill({ body: "Cira never comes to the provider" });
      });
    });
    await cira.page.goto(`${url}/app/sign-in`);
    await continueButton(cira.page).click();
    await thief.page.goto(await provider.authorize(await sent));
    await thief.page.getByText("login_state_invalid", { exact: true }).waitFor();
    await thief.page.getByText(/was started in another browser/).waitFor();
    expect(await thief.page.evaluate(async () => (await fetch("/v1/me")).status)).toBe(401);
    await thief.isSound();
    await Promise.all([cira.context.close(), thief.context.close()]);
  });
});

describe("linking an identity", () => {
  it("identity R-ID-6, R-IDP-9: after a fresh factor and a sign-in there a second one is the same person’s; unlinked, it opens nothing", async () => {
    const dova = await comeIn("dova");
    const { page } = dova;
    await addPasskey(dova);
    const { person_id: personId } = await meOf(dova);
    await forgetAtProvider(dova);
    provider.account = accountOf("dova.lind");
    const linked = page.getByRole("list", { name: "Linked identities" }).getByRole("listitem");
    await linked.first().waitFor();
    const before = await linked.count();
    await page.getByRole("button", { name: "Link Staff directory" }).click();
    await confirm(page);
    await linked.nth(before).waitFor();
    expect(new URL(page.url()).pathname).toBe("/app/security");
    await dova.isSound();

    await signOut(dova);
    await continueButton(page).click();
    // This provider is not marked for two factors, and there is one of theirs now (R-IDP-9).
    await page.getByRole("heading", { name: "One more factor" }).waitFor();
    await dova.isSound();
    expect(await page.evaluate(async () => (await fetch("/v1/requests")).status)).toBe(401);
    await dova.device.touched(true);
    await page.getByRole("button", { name: "Confirm", exact: true }).click();
    await confirm(page);
    await page.getByRole("heading", { name: "Inbox" }).waitFor();
    expect(await meOf(dova)).toMatchObject({ person_id: personId, session: { method: "oidc", aal: 2 } });

    await page.goto(`${url}/app/security`);
    await linked.nth(before).getByRole("button", { name: "Unlink" }).click();
    const sheet = page.getByRole("dialog", { name: "Unlink identity" });
    await sheet.getByRole("button", { name: "Unlink" }).click();
    await confirm(page);
    await sheet.waitFor({ state: "detached" });
    await linked.nth(before).waitFor({ state: "detached" });
    await dova.isSound();
    await signOut(dova);
    await continueButton(page).click();
    await page.getByText("identity_conflict", { exact: true }).waitFor();
    expect(await page.evaluate(async () => (await fetch("/v1/me")).status)).toBe(401);
    await dova.isSound();
    await dova.context.close();
  });

  it("identity R-ID-2: one that is somebody else’s is refused with a sentence, and stays theirs", async () => {
    const emil = await comeIn("emil");
    const filip = await comeIn("filip");
    const { page } = filip;
    await addPasskey(filip);
    const before = await filip.api("GET /me/identities");
    await forgetAtProvider(filip);
    provider.account = accountOf("emil");
    // Refused linking ends on the sign-in page, whose field a device answers at once: nobody touches it after the proof.
    await page.route(`${provider.issuer}/**`, async (route) => {
      await filip.device.touched(false);
      await route.continue();
    });
    await page.getByRole("button", { name: "Link Staff directory" }).click();
    await confirm(page);
    await page.getByText("identity_conflict", { exact: true }).waitFor();
    expect(await filip.api("GET /me/identities")).toEqual(before);
    // They were signed in before and are so still: the page leads back to where linking began.
    await page.getByRole("link", { name: "Back to your security page" }).click();
    await page.getByRole("heading", { name: "Security" }).waitFor();
    expect(await meOf(filip)).toMatchObject({ email: "filip@holzwerk.example" });
    expect(await meOf(emil)).toMatchObject({ email: "emil@holzwerk.example" });
    await filip.isSound();
    await Promise.all([emil.context.close(), filip.context.close()]);
  });
});
