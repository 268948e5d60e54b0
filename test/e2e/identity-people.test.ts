/** Administering people and machines, losing a factor and coming back, and letting a terminal in. */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { userCodeFrom, userCodeText } from "../../src/contract/user-code.ts";
import type { ConsoleBrowser } from "./console-browser.ts";
import { launchBrowser } from "./console-browser.ts";
import type { IdentityServer } from "./console-server.ts";
import { startIdentityServer } from "./console-server.ts";
import { askRelease, seedPolicies, statusOf } from "./identity-seed.ts";
import type { Visit } from "./identity-visit.ts";
import { accept, inviteAs, setUp, visit } from "./identity-visit.ts";

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

afterAll(async () => {
  await browser.close();
  await server.stop();
});

function proof(page: Page): Locator {
  return page.getByRole("dialog", { name: "Confirm that it is you" });
}

async function confirm(page: Page): Promise<void> {
  await proof(page).getByRole("button", { name: "Use a passkey" }).click();
}

async function shown(dialog: Locator, what: string): Promise<string> {
  const text = dialog.getByLabel(what, { exact: true });
  await text.waitFor();
  return text.innerText();
}

describe("people", () => {
  it("console R-ADM-3: are invited with a link that is shown once, after the question for a factor, and come in by it", async () => {
    const { page } = ada;
    await page.goto(`${server.url}/app/people`);
    await page.getByRole("button", { name: "Invite" }).click();
    const sheet = page.getByRole("dialog", { name: "Invite somebody" });
    await sheet.getByRole("button", { name: "Make the link" }).click();
    await sheet.getByText("Write an e-mail address.").waitFor();
    await sheet.getByLabel("E-mail address").fill("cira@holzwerk.example");
    await sheet.getByLabel("Name (optional)", { exact: true }).fill("Cira Nowak");
    await sheet.getByLabel("User name (optional)").fill("cira");
    await sheet.getByText("Deployer", { exact: false }).first().waitFor();

    await ada.device.verifies(false);
    await sheet.getByRole("button", { name: "Make the link" }).click();
    await proof(page).getByRole("button", { name: "Use a passkey" }).click();
    await proof(page)
      .getByText(/did not check that it is you/)
      .waitFor();
    await ada.isSound();
    await ada.device.verifies(true);
    await confirm(page);
    const done = page.getByRole("dialog", { name: "Invitation link" });
    const link = await shown(done, "invitation link");
    expect(link).toMatch(new RegExp(`^${server.url}/app/invitation#[A-Za-z0-9_-]{43}$`));
    await ada.isSound();
    await done.getByRole("button", { name: "Done" }).click();
    await page.getByRole("link", { name: /Cira Nowak/ }).click();
    await page.getByRole("heading", { name: "Cira Nowak" }).waitFor();
    await page.locator("main").getByText("Invited", { exact: true }).waitFor();

    const cira = await visit(browser);
    await accept(cira, link);
    await cira.isSound();
    expect(await cira.api("GET /me")).toMatchObject({ assignee: "cira", name: "Cira Nowak", roles: ["viewer"] });
    // Nothing of the administration is offered to somebody who may not see it.
    expect(await cira.page.getByRole("link", { name: "People" }).count()).toBe(0);
    await cira.context.close();
  });

  it("console R-ADM-3, R-ADM-9: roles, lock with a reason, unlock; erasing asks for the name", async () => {
    const { page } = ada;
    await accept(await visit(browser), await inviteAs(ada, { login: "emil", name: "Emil Vogt", roles: ["viewer"] }));
    await page.goto(`${server.url}/app/people?q=emil`);
    await page.getByRole("link", { name: /Emil Vogt/ }).click();
    await page.getByRole("heading", { name: "Emil Vogt" }).waitFor();
    await page.getByRole("button", { name: "Change roles" }).click();
    const roles = page.getByRole("dialog", { name: "Change roles" });
    await roles.getByRole("checkbox", { name: /^ops/ }).check();
    await roles.getByRole("button", { name: "Save roles" }).click();
    await confirm(page);
    await page.getByRole("list", { name: "Roles" }).getByText("ops").waitFor();

    await page.getByRole("button", { name: "Lock" }).click();
    const lock = page.getByRole("dialog", { name: "Lock: Emil Vogt" });
    await lock.getByRole("button", { name: "Lock" }).click();
    await lock.getByText("Say why").waitFor();
    await lock.getByLabel("Reason").fill("Phone reported stolen");
    await lock.getByRole("button", { name: "Lock" }).click();
    await confirm(page);
    await page.getByText("Locked", { exact: true }).waitFor();
    await ada.isSound();
    await page.getByRole("button", { name: "Unlock" }).click();
    const unlock = page.getByRole("dialog", { name: "Unlock: Emil Vogt" });
    await unlock.getByLabel("Reason").fill("Phone found");
    await unlock.getByRole("button", { name: "Unlock" }).click();
    await confirm(page);
    await page.getByText("Active", { exact: true }).waitFor();

    await page.getByRole("button", { name: "Erase" }).click();
    const erase = page.getByRole("dialog", { name: "Erase: Emil Vogt" });
    await erase.getByLabel("Reason").fill("Asked to be forgotten");
    await erase.getByLabel("Name, to confirm").fill("Emil");
    await erase.getByRole("button", { name: "Erase" }).click();
    await erase.getByText("This is not the name.").waitFor();
    await erase.getByLabel("Name, to confirm").fill("Emil Vogt");
    await erase.getByRole("button", { name: "Erase" }).click();
    await confirm(page);
    await page.getByText("Erased", { exact: true }).waitFor();
    await ada.isSound();
  });

  it("identity R-LOCAL-4, R-FACT-9: a lost factor: a recovery link, a new passkey that cools down, and a voucher", async () => {
    await seedPolicies(ada, [{ key: "signed.v1", assurance: "signed", approver: "dova" }]);
    const dova = await visit(browser);
    await accept(dova, await inviteAs(ada, { login: "dova", name: "Dova Lind", roles: ["viewer"] }));
    const { id } = await askRelease(ada, "signed.v1");
    await dova.device.lose();
    await ada.page.goto(`${server.url}/app/people?q=dova`);
    await ada.page.getByRole("link", { name: /Dova Lind/ }).click();
    await ada.page.getByRole("button", { name: "Recovery link" }).click();
    const sheet = ada.page.getByRole("dialog", { name: "Recovery link" });
    await sheet.getByRole("button", { name: "Make the link" }).click();
    await confirm(ada.page);
    const link = await shown(sheet, "recovery link");
    await ada.isSound();
    await sheet.getByRole("button", { name: "Done" }).click();

    dova.expectAnswer("401 /v1/");
    await dova.page.goto(link);
    await dova.page.getByRole("button", { name: "Recover my account" }).click();
    await dova.page.getByRole("button", { name: "Create a passkey" }).click();
    await dova.page.getByText(/Signing in works at once/).waitFor();
    await dova.isSound();
    await dova.page.getByRole("button", { name: "I have stored them" }).click();
    await dova.page.getByRole("heading", { name: "Inbox" }).waitFor();

    await dova.page.goto(`${server.url}/app/requests/${id}`);
    await dova.page.getByText(/is new: it cannot serve decisions yet/).waitFor();
    const sign = dova.page.getByRole("button", { name: "Sign with passkey" });
    expect(await sign.getAttribute("aria-disabled")).toBe("true");
    await dova.isSound();

    await ada.page.reload();
    await ada.page.getByRole("button", { name: "Vouch" }).last().click();
    const vouch = ada.page.getByRole("dialog", { name: "Vouch for a factor" });
    await vouch.getByLabel("Reason").fill("Saw the new key at the desk");
    await vouch.getByRole("button", { name: "Vouch" }).click();
    await confirm(ada.page);
    await vouch.waitFor({ state: "detached" });
    await dova.page.reload();
    await sign.click();
    await dova.page.getByText("Recorded. You approved").waitFor();
    expect(await statusOf(dova, id)).toBe("approved");
    await dova.isSound();
    await dova.context.close();
  });
});

describe("machines and tokens", () => {
  it("console R-ADM-2: a token says what it can do, is shown once, works, and is revoked", async () => {
    const { page } = ada;
    await page.goto(`${server.url}/app/machines`);
    await page.getByRole("button", { name: "Add machine" }).first().click();
    const machine = page.getByRole("dialog", { name: "Add machine" });
    await machine.getByLabel("Name").fill("release-pipeline");
    await machine.getByLabel("Owner").selectOption({ label: "Ada Ruiz (ada)" });
    await machine.getByRole("button", { name: "Add machine" }).click();
    await confirm(page);
    await page.getByRole("list", { name: "Machines" }).getByText("owned by Ada Ruiz").waitFor();
    await ada.isSound();

    await page.goto(`${server.url}/app/tokens`);
    await page.getByRole("button", { name: "Make token" }).click();
    const make = page.getByRole("dialog", { name: "Make token" });
    await make.getByText("a token can never approve").waitFor();
    await make.getByLabel("Name").fill("Ask for releases");
    await make.getByRole("button", { name: "Make token" }).click();
    await confirm(page);
    const made = page.getByRole("dialog", { name: "Token made" });
    const secret = await shown(made, "token");
    expect(secret).toMatch(/^cst_[0-9A-Za-z]{49}$/);
    expect(await made.getByLabel("Command", { exact: true }).innerText()).toContain(secret);
    await ada.isSound();
    const used = await fetch(`${server.url}/v1/me`, { headers: { Authorization: `Bearer ${secret}` } });
    expect(used.status).toBe(200);
    await made.getByRole("button", { name: "Done" }).click();
    await page.reload();
    const list = page.getByRole("list", { name: "Tokens" });
    await list.getByText(`cst_…${secret.slice(-4)}`).waitFor();
    expect(await page.content()).not.toContain(secret);

    await list.getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("dialog", { name: "Revoke token" }).getByRole("button", { name: "Revoke" }).click();
    await confirm(page);
    await list.getByText("revoked", { exact: true }).waitFor();
    const refused = await fetch(`${server.url}/v1/me`, { headers: { Authorization: `Bearer ${secret}` } });
    expect(refused.status).toBe(401);
    // identity R-TOK-3: what never ends is found by that.
    await page.getByLabel("End").selectOption("never");
    await page.getByText("No token without an end").waitFor();
    await ada.isSound();
    await ada.isSound();
  });
});

describe("a terminal", () => {
  const challenge = createHash("sha256").update("verifier-of-a-terminal-that-asks").digest("base64url");
  const letters = userCodeFrom(createHash("sha256").update(userCodeText(challenge)).digest());
  const address = (port: string): string =>
    `${server.url}/auth/cli?${new URLSearchParams({
      code_challenge: challenge,
      state: randomBytes(24).toString("base64url"),
      client: "countersign 0.1.0",
      host: "laptop-7",
      ...(port === "" ? {} : { port }),
    }).toString()}`;

  it("identity R-TERM-1, R-TERM-2: the page says what asks and the terminal's own letters; only then the browser goes back", async () => {
    let called = "";
    const terminal = createServer((request, response) => {
      // The browser asks for a picture of the page as well.
      if (request.url?.startsWith("/callback") === true) called = request.url;
      response.end("signed in");
    });
    terminal.listen(0, "127.0.0.1");
    await once(terminal, "listening");
    const bound = terminal.address();
    const port = typeof bound === "object" && bound !== null ? String(bound.port) : "";
    const { page } = ada;
    await page.goto(address(port));
    await page.getByRole("heading", { name: "A terminal wants to act as you" }).waitFor();
    expect(page.url()).not.toContain(letters);
    await page.getByText(letters, { exact: true }).waitFor();
    await page.getByText("countersign 0.1.0").waitFor();
    await page.getByText(`laptop-7; answers at 127.0.0.1:${port}`).waitFor();
    await ada.isSound();
    await page.getByRole("button", { name: "Authorize this terminal" }).click();
    await page.getByText("signed in", { exact: true }).waitFor();
    expect(called).toMatch(/^\/callback\?code=[\w-]{43}&state=[\w-]{32}$/);
    terminal.close();
  });

  it("identity R-TERM-4: a terminal without a browser gets a code to type there; Not me lets nothing in", async () => {
    const { page } = ada;
    await page.goto(address(""));
    await page.getByRole("button", { name: "Not me" }).click();
    await page.getByRole("heading", { name: "Nothing was let in" }).waitFor();
    await page.goto(address(""));
    await page.getByRole("button", { name: "Authorize this terminal" }).click();
    expect(await page.getByLabel("code", { exact: true }).innerText()).toMatch(/^[\w-]{43}$/);
    await ada.isSound();
    await page.goto(`${server.url}/app/cli?state=x`);
    await page.getByText("This address is not one that a terminal makes.").waitFor();
    await ada.isSound();
  });
});
