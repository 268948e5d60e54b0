/** Several organizations in one installation, and the records of people in them, as administrators see them in the console. */
import type { Locator, Page } from "playwright-core";
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

beforeAll(async () => {
  [server, browser] = await Promise.all([startIdentityServer(), launchBrowser()]);
  ada = await visit(browser);
  await setUp(ada, server.setupLink);
  // Acts that need a fresh factor are refused once, and then asked about.
  ada.expectAnswer("401 /v1/");
});

beforeEach(async () => {
  // Each test begins in the organization that Ada signed in to.
  await ada.page.evaluate(() => {
    sessionStorage.clear();
  });
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

async function confirm(page: Page): Promise<void> {
  await page
    .getByRole("dialog", { name: "Confirm that it is you" })
    .getByRole("button", { name: "Use a passkey" })
    .click();
}

function organizations(page: Page): Locator {
  return page.getByRole("list", { name: "Organizations" }).getByRole("listitem");
}

async function addOrganization(name: string, slug: string): Promise<void> {
  const { page } = ada;
  await page.goto(`${server.url}/app/organizations`);
  await page.getByRole("button", { name: "Add organization" }).click();
  const sheet = page.getByRole("dialog", { name: "Add organization" });
  await sheet.getByLabel("Name", { exact: true }).fill(name);
  await sheet.getByLabel("Short name").fill(slug);
  await sheet.getByRole("button", { name: "Save" }).click();
  await confirm(page);
  await organizations(page).filter({ hasText: name }).waitFor();
}

/** The same without the form. */
async function makeOrganization(name: string, slug: string): Promise<void> {
  await ada.api("POST /orgs", { name, slug }, "fresh");
  await ada.page.goto(`${server.url}/app/organizations`);
}

/** Back in the organization that was signed in to: without another one there is nothing to choose. */
async function goHome(page: Page): Promise<void> {
  await page.getByRole("button", { name: /^Organization: / }).click();
  await page.getByRole("menuitemradio", { name: "Holzwerk Nord" }).click();
  await page.getByRole("button", { name: /^Organization: / }).waitFor({ state: "detached" });
  await page.getByRole("heading", { name: "Inbox" }).waitFor();
  await page.getByText("Live", { exact: true }).waitFor();
}

/** The link that the page shows once. */
async function invite(page: Page, login: string, name: string): Promise<string> {
  await page.goto(`${server.url}/app/people`);
  await page.getByRole("button", { name: "Invite" }).click();
  const sheet = page.getByRole("dialog", { name: "Invite somebody" });
  await sheet.getByLabel("E-mail address").fill(`${login}@holzwerk.example`);
  await sheet.getByLabel("Name (optional)", { exact: true }).fill(name);
  await sheet.getByLabel("User name (optional)").fill(login);
  await sheet.getByText("Deployer", { exact: false }).first().waitFor();
  await sheet.getByRole("button", { name: "Make the link" }).click();
  await confirm(page);
  const done = page.getByRole("dialog", { name: "Invitation link" });
  const link = await done.getByLabel("invitation link", { exact: true }).innerText();
  await done.getByRole("button", { name: "Done" }).click();
  return link;
}

describe("organizations", () => {
  it("identity R-ORG-2, R-ORG-4: whoever runs the installation works in the one that is chosen, and nothing of another shows", async () => {
    await addOrganization("Werft Süd", "werft-sued");
    const { page } = ada;
    // In one organization alone there is nothing to choose.
    expect(await page.getByRole("button", { name: /^Organization: / }).count()).toBe(0);
    await organizations(page).filter({ hasText: "Werft Süd" }).getByRole("button", { name: "Work here" }).click();
    await page.getByRole("button", { name: "Organization: Werft Süd" }).waitFor();
    await page.getByRole("heading", { name: "Inbox" }).waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    await ada.isSound();

    const link = await invite(page, "sven", "Sven Holm");
    await page.reload();
    await page.getByRole("link", { name: /Sven Holm/ }).waitFor();
    expect(await page.getByRole("link", { name: /Ada Ruiz/ }).count()).toBe(0);
    const sven = await visit(browser);
    await accept(sven, link);
    expect(await sven.api("GET /me")).toMatchObject({ organization: { name: "Werft Süd" } });
    // Of one organization alone: no menu, and no header that could name another.
    expect(await sven.page.getByRole("button", { name: /^Organization: / }).count()).toBe(0);

    await goHome(page);
    await page.goto(`${server.url}/app/people`);
    await page.getByRole("link", { name: /Ada Ruiz/ }).waitFor();
    expect(await page.getByRole("link", { name: /Sven Holm/ }).count()).toBe(0);
    await ada.isSound();
    await sven.context.close();
  });

  it("identity R-ORG-4: the choice is this tab's: it outlives a reload and not the sign-out", async () => {
    await makeOrganization("Mühle West", "muehle-west");
    const { page, context } = ada;
    await organizations(page).filter({ hasText: "Mühle West" }).getByRole("button", { name: "Work here" }).click();
    await page.getByRole("button", { name: "Organization: Mühle West" }).waitFor();
    await page.reload();
    await page.getByRole("button", { name: "Organization: Mühle West" }).waitFor();
    const second = await context.newPage();
    await second.goto(`${server.url}/app/people`);
    await second.getByRole("link", { name: /Ada Ruiz/ }).waitFor();
    await second.close();

    await ada.device.touched(false);
    await fieldOffers(page, async () => {
      await page.getByRole("button", { name: /signed in as/ }).click();
      await page.getByRole("menuitem", { name: "Sign out" }).click();
    });
    await signInByButton(ada);
    await page.getByRole("heading", { name: "Inbox" }).waitFor();
    expect(await ada.api("GET /me")).toMatchObject({ organization: { name: "Holzwerk Nord" } });
    expect(await page.getByRole("button", { name: /^Organization: / }).count()).toBe(0);
    await ada.isSound();
  });

  it("identity R-ORG-6: a suspended one says so to its people on the page that is open, and to whoever works in it", async () => {
    await makeOrganization("Hof Ost", "hof-ost");
    const { page } = ada;
    const hof = organizations(page).filter({ hasText: "Hof Ost" });
    await hof.getByRole("button", { name: "Work here" }).click();
    await page.getByRole("button", { name: "Organization: Hof Ost" }).waitFor();
    const link = await invite(page, "olga", "Olga Reh");
    const olga = await visit(browser);
    await accept(olga, link);
    const visitor = await signedInAnew();
    await workHere(visitor.page, "Hof Ost");

    await goHome(page);
    await page.goto(`${server.url}/app/organizations`);
    await hof.getByRole("button", { name: "Suspend" }).click();
    const sheet = page.getByRole("dialog", { name: "Suspend organization" });
    await sheet.getByLabel("Name, to confirm").fill("Hof");
    await sheet.getByRole("button", { name: "Suspend" }).click();
    await sheet.getByText("This is not the name.").waitFor();
    await sheet.getByLabel("Name, to confirm").fill("Hof Ost");
    await sheet.getByRole("button", { name: "Suspend" }).click();
    await confirm(page);
    await sheet.waitFor({ state: "detached" });
    await hof.getByText("Suspended", { exact: true }).waitFor();
    await ada.isSound();

    for (const inside of [olga, visitor]) inside.expectAnswer("403 /v1/");
    // On the open page, with its next look at the server; and on a page that is opened anew.
    await olga.page.getByRole("link", { name: "Requests" }).click();
    const said = olga.page.getByRole("alert").filter({ hasText: "Hof Ost:" });
    await said.getByText(/The organization is suspended/).waitFor();
    await olga.isSound();
    await olga.page.reload();
    await olga.page.getByText("org_suspended").waitFor();
    // It is their own: there is no other to go to.
    expect(await olga.page.getByRole("button", { name: "Go to my own organization" }).count()).toBe(0);
    await olga.isSound();

    await visitor.page.reload();
    await visitor.page.getByText("org_suspended").waitFor();
    await visitor.isSound();
    await visitor.page.getByRole("button", { name: "Go to my own organization" }).click();
    await visitor.page.getByRole("heading", { name: "Inbox" }).waitFor();
    expect(await visitor.api("GET /me")).toMatchObject({ organization: { name: "Holzwerk Nord" } });

    await hof.getByRole("button", { name: "Reactivate" }).click();
    await page
      .getByRole("dialog", { name: "Reactivate organization" })
      .getByRole("button", { name: "Reactivate" })
      .click();
    await confirm(page);
    await hof.getByText("Active", { exact: true }).waitFor();
    await olga.page.getByRole("button", { name: "Try again" }).click();
    await olga.page.getByRole("heading", { name: "Requests" }).waitFor();
    await olga.isSound();
    await Promise.all([olga.context.close(), visitor.context.close()]);
  });
});

/** Ada's session in a browser of its own. */
async function signedInAnew(): Promise<Visit> {
  const visitor = await visit(browser, { storageState: await ada.context.storageState() });
  await visitor.page.goto(`${server.url}/app/organizations`);
  return visitor;
}

async function workHere(page: Page, name: string): Promise<void> {
  await organizations(page).filter({ hasText: name }).getByRole("button", { name: "Work here" }).click();
  await page.getByRole("button", { name: `Organization: ${name}` }).waitFor();
}

async function joined(login: string, name: string): Promise<Visit> {
  const visitor = await visit(browser);
  await accept(visitor, await inviteAs(ada, { login, name, roles: ["viewer"] }));
  return visitor;
}

async function openPerson(name: string): Promise<void> {
  await ada.page.goto(`${server.url}/app/people?q=${encodeURIComponent(name)}`);
  await ada.page.getByRole("link", { name: new RegExp(name) }).click();
  await ada.page.getByRole("heading", { name, exact: true }).waitFor();
}

describe("the record of a person", () => {
  it("console R-ADM-3: name and address are changed after a proof; what is no address is refused where it stands", async () => {
    const bela = await joined("bela", "Bela Öz");
    const { page } = ada;
    await openPerson("Bela Öz");
    await page.getByRole("button", { name: "Change name or address" }).click();
    const sheet = page.getByRole("dialog", { name: "Change name or address" });
    await sheet.getByLabel("Name").fill("");
    await sheet.getByLabel("E-mail address").fill("no address");
    await sheet.getByRole("button", { name: "Save" }).click();
    await sheet.getByText("Write a name.").waitFor();
    await sheet.getByText("Write an e-mail address.").waitFor();
    await ada.isSound();
    await sheet.getByLabel("Name").fill("Bela Özdemir");
    await sheet.getByLabel("E-mail address").fill("bela.oezdemir@holzwerk.example");
    await sheet.getByRole("button", { name: "Save" }).click();
    await confirm(page);
    await page.getByRole("heading", { name: "Bela Özdemir" }).waitFor();
    await page.getByText("bela.oezdemir@holzwerk.example").waitFor();
    await ada.isSound();
    // identity R-LOCAL-1: marked for the day on which the organization's provider fails.
    await page.getByRole("switch", { name: "Emergency sign-in: off" }).click();
    const marking = page.getByRole("dialog", { name: "Emergency sign-in" });
    await marking.getByText("even where the organization requires its identity provider").waitFor();
    await marking.getByRole("button", { name: "Switch on" }).click();
    await confirm(page);
    await page.getByRole("switch", { name: "Emergency sign-in: on", checked: true }).waitFor();
    await ada.isSound();
    expect(await bela.api("GET /me")).toMatchObject({ name: "Bela Özdemir", assignee: "bela" });
    await bela.context.close();
  });

  it("identity R-ID-5: a name is moved to somebody else; one that nobody has is refused with a sentence", async () => {
    await inviteAs(ada, { login: "cira", name: "Cira Nowak", roles: ["viewer"] });
    await inviteAs(ada, { login: "release-lead", name: "Dova Lind", roles: ["viewer"] });
    const { page } = ada;
    await openPerson("Cira Nowak");
    await page.getByRole("button", { name: "Move a name here" }).click();
    const sheet = page.getByRole("dialog", { name: "Move a name here" });
    await sheet.getByLabel("User name").fill("nobody-has-this");
    ada.expectAnswer("404 /v1/people/");
    await sheet.getByRole("button", { name: "Move the name" }).click();
    await confirm(page);
    await sheet.getByText("Nobody goes by the name 'nobody-has-this'").waitFor();
    await ada.isSound();
    await sheet.getByLabel("User name").fill("release-lead");
    await sheet.getByRole("button", { name: "Move the name" }).click();
    await confirm(page);
    await sheet.waitFor({ state: "detached" });
    await page.getByRole("list", { name: "Identities" }).getByText("release-lead").waitFor();
    await ada.isSound();
    await openPerson("Dova Lind");
    await page.getByText(/^release-lead-former-/).waitFor();
  });

  it("identity R-ID-7: two records become one, after name and reason; their tasks go on with the survivor", async () => {
    await seedPolicies(ada, [{ key: "merge.v1", assurance: "session", approver: "emil.old" }]);
    const emil = await joined("emil", "Emil Vogt");
    await inviteAs(ada, { login: "emil.old", name: "Emil V.", roles: ["viewer"] });
    const { artifactId } = await askRelease(ada, "merge.v1");
    const { page } = ada;
    await openPerson("Emil V.");
    await page.getByRole("button", { name: "Merge" }).click();
    const sheet = page.getByRole("dialog", { name: "Merge: Emil V." });
    await sheet.getByRole("button", { name: "Merge" }).click();
    await sheet.getByText("Say why").waitFor();
    await sheet.getByText("This is not the name.").waitFor();
    await sheet.getByLabel("Reason").fill("Came in twice");
    await sheet.getByLabel("Name, to confirm").fill("Emil V.");
    // Nobody is merged into whoever happens to stand first.
    await sheet.getByRole("button", { name: "Merge" }).click();
    await sheet.getByText("Choose who goes on.").waitFor();
    await ada.isSound();
    // Oneself is never among them.
    expect(await sheet.getByRole("option", { name: /Ada Ruiz/ }).count()).toBe(0);
    await sheet.getByLabel("Search for the one who goes on").fill("Vogt");
    await sheet.getByLabel("Goes on", { exact: true }).selectOption({ label: "Emil Vogt (emil)" });
    await sheet.getByRole("button", { name: "Merge" }).click();
    await confirm(page);
    await page.getByRole("heading", { name: "Emil Vogt" }).waitFor();
    await page.getByRole("list", { name: "Identities" }).getByText("emil.old").first().waitFor();
    await page.getByRole("list", { name: "Open tasks and machines" }).getByText(artifactId).waitFor();
    await ada.isSound();
    const me = await emil.api("GET /me");
    expect(page.url()).toContain(String(isRecord(me) ? me["person_id"] : "nobody"));
    await emil.context.close();
  });
});
