/** What happens to a page when its session ends, changes or may not go on (console R-A11Y-3, identity R-FACT-10). */
import type { Route } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import type { ConsoleBrowser } from "./console-browser.ts";
import { launchBrowser } from "./console-browser.ts";
import type { IdentityServer } from "./console-server.ts";
import { isRecord, startIdentityServer } from "./console-server.ts";
import { askRelease, seedPolicies } from "./identity-seed.ts";
import type { Visit } from "./identity-visit.ts";
import { accept, fieldOffers, inviteAs, setUp, signInByButton, visit } from "./identity-visit.ts";

let server: IdentityServer;
let browser: ConsoleBrowser;
let ada: Visit;
let bela: Visit;

beforeAll(async () => {
  [server, browser] = await Promise.all([startIdentityServer(), launchBrowser()]);
  ada = await visit(browser);
  await setUp(ada, server.setupLink);
  await seedPolicies(ada, [{ key: "plain.v1", assurance: "session", approver: "bela" }]);
  bela = await visit(browser);
  await accept(bela, await inviteAs(ada, { login: "bela", name: "Bela Öz", roles: ["viewer"] }));
});

beforeEach(async () => {
  await bela.context.unrouteAll({ behavior: "ignoreErrors" });
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

/** Me as the server says it, but with another end of this one session. */
async function withSession(id: unknown, route: Route, change: Readonly<Record<string, unknown>>): Promise<void> {
  const answer = await route.fetch();
  const me: unknown = await answer.json();
  const session = isRecord(me) && isRecord(me["session"]) ? me["session"] : {};
  if (!isRecord(me) || session["id"] !== id) await route.fulfill({ response: answer });
  else await route.fulfill({ json: { ...me, session: { ...session, ...change } } });
}

async function sessionId(): Promise<unknown> {
  const me = await bela.api("GET /me");
  return isRecord(me) && isRecord(me["session"]) ? me["session"]["id"] : null;
}

function inSeconds(seconds: number): string {
  return new Date(Date.now() + seconds * 1_000).toISOString();
}

describe("a session", () => {
  it("console R-A11Y-3: warns before its idle end, and one key keeps it", async () => {
    const { page, context } = bela;
    const id = await sessionId();
    await context.route("**/v1/me", (route) => withSession(id, route, { idle_expires_at: inSeconds(100) }));
    await page.goto(`${server.url}/app/requests`);
    const warning = page.getByRole("dialog", { name: "Your session is about to end" });
    await warning.getByText("because nothing was done here for a while").waitFor();
    await bela.isSound();
    await context.unroute("**/v1/me");
    await page.keyboard.press("Enter");
    await warning.waitFor({ state: "detached" });
    await bela.isSound();
  });

  it("console R-A11Y-3: a session that cannot be kept longer is signed in anew, and what was typed is there again", async () => {
    const { id } = await askRelease(ada, "plain.v1");
    const { page, context } = bela;
    await page.goto(`${server.url}/app/requests/${id}`);
    await page.getByLabel("Comment").fill("Half a sentence that must not be");
    const session = await sessionId();
    await context.route("**/v1/me", (route) => withSession(session, route, { expires_at: inSeconds(90) }));
    await page.reload();
    const warning = page.getByRole("dialog", { name: "Your session is about to end" });
    await warning.getByRole("button", { name: "Sign in again" }).waitFor();
    await bela.isSound();
    // The device answers the field of the sign-in page at once.
    await warning.getByRole("button", { name: "Sign in again" }).click();
    await page.getByRole("heading", { name: /build-/ }).waitFor();
    expect(await page.getByLabel("Comment").inputValue()).toBe("Half a sentence that must not be");
    await page.getByRole("button", { name: "Approve" }).click();
    await page.getByText("Recorded. You approved").waitFor();
    await bela.isSound();
  });

  it("console R-A11Y-3: one that ended elsewhere leads to the sign-in page and back to where one was", async () => {
    const { page } = bela;
    bela.expectAnswer("401 /v1/");
    await page.goto(`${server.url}/app/requests`);
    await page.getByRole("heading", { name: "Requests" }).waitFor();
    await bela.device.touched(false);
    const me = await bela.api("GET /me");
    const personId = String(isRecord(me) ? me["person_id"] : "");
    // Nothing is pressed: the open page notices by itself.
    await fieldOffers(page, async () => {
      await ada.api(`POST /people/${personId}/end-sessions`, {}, "fresh");
    });
    await signInByButton(bela);
    await page.getByRole("heading", { name: "Requests" }).waitFor();
    await bela.isSound();
  });
});

it("identity R-FACT-10: who must hold a factor and has none is led to enrolment, and back", async () => {
  const { page, context } = bela;
  bela.expectAnswer("403 /v1/people");
  await context.route("**/v1/me", async (route) => {
    const me: unknown = await (await route.fetch()).json();
    await route.fulfill({ json: { ...(isRecord(me) ? me : {}), enrolled: false, enrolment_required: true } });
  });
  await context.route("**/v1/me/backup-codes", (route) =>
    route.fulfill({ status: 201, json: { ceremony: "none", codes: ["AAAA-BBBB"] } }),
  );
  await page.goto(`${server.url}/app/requests`);
  await page.getByRole("heading", { name: "How you prove that it is you" }).waitFor();
  await bela.isSound();
  expect(new URL(page.url()).pathname).toBe("/app/enrol");
  expect(new URL(page.url()).searchParams.get("next")).toBe("/requests");
});
