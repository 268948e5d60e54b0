/** Keeping one's factors on the security page: renamed, removed, new backup codes; by keyboard alone, and on a phone. */
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { ConsoleBrowser } from "./console-browser.ts";
import { launchBrowser } from "./console-browser.ts";
import type { IdentityServer } from "./console-server.ts";
import { isRecord, startIdentityServer } from "./console-server.ts";
import type { Visit } from "./identity-visit.ts";
import { accept, addAuthenticator, inviteAs, setUp, visit } from "./identity-visit.ts";

let server: IdentityServer;
let browser: ConsoleBrowser;
let ada: Visit;

beforeAll(async () => {
  [server, browser] = await Promise.all([startIdentityServer(), launchBrowser()]);
  ada = await visit(browser);
  await setUp(ada, server.setupLink);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

/** Somebody of their own for each test, with a passkey; on the security page. */
async function somebody(login: string, name: string): Promise<Visit> {
  const visitor = await visit(browser);
  await accept(visitor, await inviteAs(ada, { login, name, roles: ["viewer"] }));
  // What needs a fresh factor is refused once, and then asked about.
  visitor.expectAnswer("401 /v1/me/");
  await open(visitor.page);
  return visitor;
}

async function open(page: Page): Promise<void> {
  await page.goto(`${server.url}/app/security`);
  await factors(page).getByRole("listitem").first().waitFor();
}

function factors(page: Page): Locator {
  return page.getByRole("list", { name: "Passkeys and authenticators" });
}

function proof(page: Page): Locator {
  return page.getByRole("dialog", { name: "Confirm that it is you" });
}

async function confirm(page: Page): Promise<void> {
  await proof(page).getByRole("button", { name: "Use a passkey" }).click();
}

async function namesOf(visitor: Visit): Promise<readonly unknown[]> {
  const own = await visitor.api("GET /me/factors");
  const list: readonly unknown[] = isRecord(own) && Array.isArray(own["factors"]) ? own["factors"] : [];
  return list.filter(isRecord).map(({ name }) => name);
}

async function remainingOf(visitor: Visit): Promise<unknown> {
  const own = await visitor.api("GET /me/factors");
  return isRecord(own) && isRecord(own["backup_codes"]) ? own["backup_codes"]["remaining"] : null;
}

describe("a factor", () => {
  it("identity R-FACT-8: is renamed after a proof by an existing one, and keeps its name without", async () => {
    const bela = await somebody("bela", "Bela Öz");
    const { page } = bela;
    const before = await namesOf(bela);
    await factors(page).getByRole("button", { name: "Rename" }).click();
    const sheet = page.getByRole("dialog", { name: "Rename factor" });
    await sheet.getByLabel("Name").fill("   ");
    expect(await sheet.getByRole("button", { name: "Rename" }).getAttribute("aria-disabled")).toBe("true");
    await sheet.getByLabel("Name").fill("Blue key on my ring");
    await sheet.getByRole("button", { name: "Rename" }).click();
    await proof(page).getByRole("button", { name: "Close" }).click();
    // Nothing was sent, and what was typed is still there.
    expect(await sheet.getByLabel("Name").inputValue()).toBe("Blue key on my ring");
    expect(await namesOf(bela)).toEqual(before);
    await sheet.getByRole("button", { name: "Rename" }).click();
    await confirm(page);
    await sheet.waitFor({ state: "detached" });
    await factors(page).getByText("Blue key on my ring").waitFor();
    expect(await namesOf(bela)).toEqual(["Blue key on my ring"]);
    await bela.isSound();
    await bela.context.close();
  });

  it("identity R-FACT-8: is removed after a proof; the last one stays, and the page says why", async () => {
    const cira = await somebody("cira", "Cira Nowak");
    const { page } = cira;
    await addAuthenticator(cira, server.url);
    expect(await namesOf(cira)).toHaveLength(2);
    const authenticator = factors(page).getByRole("listitem").filter({ hasText: "authenticator app" });
    await authenticator.getByRole("button", { name: "Remove" }).click();
    const sheet = page.getByRole("dialog", { name: "Remove factor" });
    await sheet.getByText("What it signed before stays valid.").waitFor();
    await cira.isSound();
    await sheet.getByRole("button", { name: "Remove" }).click();
    await confirm(page);
    await sheet.waitFor({ state: "detached" });
    await authenticator.waitFor({ state: "detached" });

    cira.expectAnswer("409 /v1/me/factors/");
    await factors(page).getByRole("button", { name: "Remove" }).click();
    await sheet.getByRole("button", { name: "Remove" }).click();
    await confirm(page);
    await sheet.getByText("factor_last_one").waitFor();
    await cira.isSound();
    await sheet.getByRole("button", { name: "Leave as it is" }).click();
    expect(await namesOf(cira)).toHaveLength(1);
    await cira.context.close();
  });
});

describe("backup codes", () => {
  it("identity R-FACT-5: the former ones count until their owner says that the new ones are stored", async () => {
    const dova = await visit(browser);
    const { page } = dova;
    const former = await accept(dova, await inviteAs(ada, { login: "dova", name: "Dova Lind", roles: ["viewer"] }));
    dova.expectAnswer("401 /v1/me/");
    await open(page);
    const make = page.getByRole("button", { name: "Make new codes" });
    const codes = page.getByRole("dialog", { name: "Backup codes" });

    await make.click();
    await confirm(page);
    await codes.getByRole("list", { name: "Backup codes" }).getByRole("listitem").nth(9).waitFor();
    await dova.isSound();
    await codes.getByRole("button", { name: "Close" }).click();
    await codes.waitFor({ state: "detached" });

    // A former code proves the next act: it is one of those that count, and works once.
    await make.click();
    await proof(page)
      .getByLabel("Backup code")
      .fill(former[0] ?? "");
    await proof(page).getByRole("button", { name: "Confirm" }).click();
    const list = codes.getByRole("list", { name: "Backup codes" });
    await list.waitFor();
    const fresh = await list.getByRole("listitem").allInnerTexts();
    expect(new Set([...fresh, ...former]).size).toBe(20);
    expect(await remainingOf(dova)).toBe(9);
    await codes.getByRole("button", { name: "I have stored them" }).click();
    await page.getByText("10 of 10 left").waitFor();
    for (const code of fresh) expect(await page.content()).not.toContain(code);

    await make.click();
    await proof(page)
      .getByLabel("Backup code")
      .fill(former[1] ?? "");
    await proof(page).getByRole("button", { name: "Confirm" }).click();
    await proof(page).getByText("mfa_verification_failed").waitFor();
    expect(await remainingOf(dova)).toBe(10);
    await dova.isSound();
    await dova.context.close();
  });
});

/** Moves the focus on with the Tab key until it is on what is named so; a person does the same. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  const stopsMax = 80;
  for (let stop = 0; stop < stopsMax; stop += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`${String(stopsMax)} presses of Tab do not lead to ${target.toString()}`);
}

describe("the security page", () => {
  it("console R-A11Y-1: is used with the keyboard alone, and the focus comes back to where it was", async () => {
    const emil = await somebody("emil", "Emil Vogt");
    const { page } = emil;
    const rename = factors(page).getByRole("button", { name: "Rename" });
    await tabTo(page, rename);
    await page.keyboard.press("Enter");
    const name = page.getByRole("dialog", { name: "Rename factor" }).getByLabel("Name");
    await tabTo(page, name);
    await page.keyboard.press("Control+a");
    await page.keyboard.type("Phone");
    await page.keyboard.press("Enter");
    // The question for the factor has the focus on its first button.
    await proof(page).getByRole("button", { name: "Use a passkey" }).waitFor();
    await page.keyboard.press("Enter");
    await factors(page).getByText("Phone", { exact: true }).waitFor();
    await expect.poll(() => rename.evaluate((element) => element === document.activeElement)).toBe(true);

    // Escape closes the innermost question only, and sends nothing.
    await tabTo(page, factors(page).getByRole("button", { name: "Remove" }));
    await page.keyboard.press("Enter");
    const sheet = page.getByRole("dialog", { name: "Remove factor" });
    await tabTo(page, sheet.getByRole("button", { name: "Remove" }));
    await page.keyboard.press("Enter");
    await proof(page).getByRole("button", { name: "Use a passkey" }).waitFor();
    await page.keyboard.press("Escape");
    await proof(page).waitFor({ state: "detached" });
    await sheet.waitFor();
    await page.keyboard.press("Escape");
    await sheet.waitFor({ state: "detached" });
    expect(await namesOf(emil)).toEqual(["Phone"]);
    await emil.isSound();
    await emil.context.close();
  });

  it("console R-A11Y-4, R-UIT-2: on a phone every act is in reach of a thumb, and a name of the greatest length fits", async () => {
    const filip = await visit(browser, { viewport: { width: 390, height: 844 }, hasTouch: true });
    const { page } = filip;
    await accept(filip, await inviteAs(ada, { login: "filip", name: "Filip Maly", roles: ["viewer"] }));
    filip.expectAnswer("401 /v1/me/");
    await page.getByRole("button", { name: /signed in as/ }).tap();
    await page.getByRole("menuitem", { name: "Security" }).tap();
    await factors(page).getByRole("button", { name: "Rename" }).tap();
    const sheet = page.getByRole("dialog", { name: "Rename factor" });
    await sheet.getByLabel("Name").fill("W".repeat(80));
    // The field takes as much as the server does.
    expect(await sheet.getByLabel("Name").inputValue()).toBe("W".repeat(64));
    await filip.isSound();
    await sheet.getByRole("button", { name: "Rename" }).tap();
    await proof(page).getByRole("button", { name: "Use a passkey" }).tap();
    await sheet.waitFor({ state: "detached" });
    // Times stand within sentences and may be lower (WCAG 2.5.8); what does something begins with a capital.
    const acts = page.locator("main").getByRole("button", { name: /^[A-Z]/ });
    expect(await acts.count()).toBeGreaterThan(4);
    for (const button of await acts.all()) {
      const box = await button.boundingBox();
      expect(Math.min(box?.width ?? 0, box?.height ?? 0), await button.innerText()).toBeGreaterThanOrEqual(24);
    }
    await filip.isSound();
    await filip.context.close();
  });
});
