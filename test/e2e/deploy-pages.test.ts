/** The pages of the deploy gate in a real browser, before a real server and a simulated rack. */
import { mkdirSync } from "node:fs";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { ConsoleBrowser } from "./console-browser.ts";
import { launchBrowser } from "./console-browser.ts";
import { askDeploy, deployOf, startDeployConsole, type DeployConsole } from "./deploy-seed.ts";
import type { Visit } from "./identity-visit.ts";
import { accept, inviteAs, setUp, visit } from "./identity-visit.ts";

const pictures = process.env["DEPLOY_PICTURES"] ?? "";

let scene: DeployConsole;
let browser: ConsoleBrowser;
let ada: Visit;
let token: string;

beforeAll(async () => {
  [scene, browser] = await Promise.all([startDeployConsole(), launchBrowser()]);
  ada = await visit(browser);
  await setUp(ada, scene.server.setupLink);
  ada.expectAnswer("401 /api/v1/");
  ada.expectAnswer("401 /racks/");
  token = await makeToken(ada.page);
});

afterAll(async () => {
  await browser.close();
  await scene.close();
});

async function confirm(page: Page): Promise<void> {
  await page
    .getByRole("dialog", { name: "Confirm that it is you" })
    .getByRole("button", { name: "Use a passkey" })
    .click();
}

async function makeToken(page: Page): Promise<string> {
  await page.goto(`${scene.server.url}/app/deploy/tokens`);
  await page.getByRole("button", { name: "Make deploy token" }).click();
  const sheet = page.getByRole("dialog", { name: "Make deploy token" });
  await sheet.getByRole("button", { name: "Make deploy token" }).click();
  await sheet.getByText("Say what it is for.").waitFor();
  await sheet.getByLabel("Name").fill("release-pipeline");
  await sheet.getByRole("button", { name: "CI/CD", exact: true }).click();
  await picture(page, "token-sheet");
  await ada.isSound();
  await sheet.getByRole("button", { name: "Make deploy token" }).click();
  await confirm(page);
  const made = page.getByRole("dialog", { name: "Deploy token made" });
  const secret = await made.getByLabel("token", { exact: true }).innerText();
  await made.getByRole("button", { name: "Done" }).click();
  await page.getByRole("list", { name: "Deploy tokens" }).getByText("release-pipeline").waitFor();
  return secret;
}

async function picture(page: Page, name: string): Promise<void> {
  if (pictures === "") return;
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: !name.includes("first") });
}

function commit(digit: string): string {
  return digit.repeat(40);
}

async function open(visitor: Visit, id: string): Promise<Page> {
  await visitor.page.goto(`${scene.server.url}/app/deploy/requests/${id}`);
  await visitor.page.getByRole("heading", { level: 1 }).waitFor();
  return visitor.page;
}

function status(page: Page, word: string): Locator {
  return page.getByRole("article").getByText(word, { exact: true }).first();
}

const images = { web: `registry.example.com/myapp:v1@sha256:${"a".repeat(64)}` };

describe("a deploy request", () => {
  it("deploy R-UI-2: the first screen says what, why, who asks, where, the checks, who approves and how long is left", async () => {
    const id = await askDeploy(scene.server.url, token, { commit: commit("1"), branch: "invoice-rounding", images });
    const page = await open(ada, id);
    await page.setViewportSize({ width: 1280, height: 720 });
    await page.getByRole("heading", { name: "Checks" }).waitFor();
    await page.getByRole("heading", { name: "Signatures" }).waitFor();
    for (const text of [commit("1"), "invoice-rounding", "Fix invoice rounding, #1234", "production/myapp"]) {
      const box = await page.getByText(text, { exact: false }).first().boundingBox();
      expect(box?.y ?? Infinity).toBeLessThan(720);
    }
    await status(page, "Waiting for approval").waitFor();
    await page.getByText("Every image is named by its digest").waitFor();
    await picture(page, "request-pending");
    await picture(page, "request-pending-first");
    await ada.isSound();
    await page.setViewportSize({ width: 1440, height: 900 });
  });

  it("deploy R-UI-2, R-MFA-3: approving takes notes and a factor in one go and shows the time that is left", async () => {
    const id = await askDeploy(scene.server.url, token, { commit: commit("2") });
    const page = await open(ada, id);
    await page.getByRole("button", { name: "Approve", exact: true }).click();
    const sheet = page.getByRole("dialog", { name: "Approve deploy" });
    await sheet.getByLabel("Notes").fill("Looked at the diff");
    await picture(page, "approve-sheet");
    await ada.isSound();
    await sheet.getByRole("button", { name: "Approve" }).click();
    // Nothing is recorded before the factor is.
    expect((await deployOf(scene.server.url, token, id))["status"]).toBe("pending");
    await confirm(page);
    await sheet.waitFor({ state: "detached" });
    await status(page, "Approved").waitFor();
    await page.getByText("Looked at the diff").first().waitFor();
    expect(await deployOf(scene.server.url, token, id)).toMatchObject({
      ...{ status: "approved", approval_notes: "Looked at the diff", approval_assurance: "mfa:webauthn" },
    });
    await picture(page, "request-approved");
    await ada.isSound();

    await page.getByRole("button", { name: "Extend", exact: true }).click();
    const extend = page.getByRole("dialog", { name: "Extend approval" });
    await extend.getByText("New end").waitFor();
    await picture(page, "extend-sheet");
    await ada.isSound();
    await extend.getByRole("button", { name: "Extend" }).click();
    await confirm(page);
    await extend.waitFor({ state: "detached" });
    await page.getByText("extended once").waitFor();
    expect((await deployOf(scene.server.url, token, id))["extensions"]).toBe(1);
  });

  it("deploy R-UI-2: rejecting takes an optional reason and no factor", async () => {
    const id = await askDeploy(scene.server.url, token, { commit: commit("3") });
    const page = await open(ada, id);
    await page.getByRole("button", { name: "Reject", exact: true }).click();
    const sheet = page.getByRole("dialog", { name: "Reject deploy" });
    await sheet.getByRole("button", { name: "Reject" }).click();
    await sheet.waitFor({ state: "detached" });
    await status(page, "Rejected").waitFor();
    expect((await deployOf(scene.server.url, token, id))["status"]).toBe("rejected");
    await ada.isSound();
  });

  it("deploy R-UI-2: what somebody else changed is on the screen at once, and nothing can be pressed until it was seen", async () => {
    const id = await askDeploy(scene.server.url, token, { commit: commit("4") });
    const bela = await visit(browser);
    await accept(bela, await inviteAs(ada, { login: "bela", name: "Bela Öz", roles: ["admin"] }));
    bela.expectAnswer("401 /api/v1/");
    const [mine, theirs] = [await open(ada, id), await open(bela, id)];
    await theirs.getByText("Live", { exact: true }).waitFor();
    await mine.getByRole("button", { name: "Approve", exact: true }).click();
    await mine.getByRole("dialog", { name: "Approve deploy" }).getByRole("button", { name: "Approve" }).click();
    await confirm(mine);
    await status(mine, "Approved").waitFor();
    await status(theirs, "Approved").waitFor({ timeout: 5_000 });
    await theirs.getByText("This request changed while you were reading.").waitFor();
    const back = theirs.getByRole("button", { name: "Take back", exact: true });
    expect(await back.getAttribute("aria-disabled")).toBe("true");
    await picture(theirs, "request-changed");
    await bela.isSound();
    await theirs.getByRole("button", { name: "I have seen it" }).click();
    await back.click();
    await theirs.getByRole("dialog", { name: "Reject deploy" }).getByRole("button", { name: "Reject" }).click();
    await status(theirs, "Rejected").waitFor();
    await bela.context.close();
  });

  it("deploy R-UI-9: the requester can cancel what waits, and what has ended offers nothing", async () => {
    const id = await askDeploy(scene.server.url, token, { commit: commit("5") });
    const page = await open(ada, id);
    await page.getByRole("button", { name: "Cancel request", exact: true }).click();
    const sheet = page.getByRole("dialog", { name: "Cancel request" });
    await sheet.getByLabel("Reason").fill("Wrong branch");
    await sheet.getByRole("button", { name: "Cancel request" }).click();
    await sheet.waitFor({ state: "detached" });
    await status(page, "Cancelled").waitFor();
    expect(await page.getByRole("button", { name: "Approve", exact: true }).count()).toBe(0);
    await ada.isSound();
  });
});

it("deploy R-UI-1, R-UI-4: the queue shows what is open first, as it comes and changes; filters are in the address", async () => {
  const url = scene.server.url;
  await askDeploy(url, token, { commit: commit("6"), app: "billing", branch: "main", message: "Quarterly run" });
  const gone = await askDeploy(url, token, { commit: commit("7"), app: "billing", message: "Old attempt" });
  await fetch(`${url}/api/v1/deploy-approval-requests/${gone}/cancel`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: "{}",
  });
  const { page } = ada;
  await page.goto(`${url}/app/deploy`);
  const openRows = page.getByRole("list", { name: "Open deploy requests" });
  const endedRows = page.getByRole("list", { name: "Ended deploy requests" });
  await openRows.getByText("Quarterly run").waitFor();
  await endedRows.getByText("Old attempt").waitFor();
  expect(await openRows.getByText("Old attempt").count()).toBe(0);
  await picture(page, "queue");
  await ada.isSound();
  // New and changed rows come by themselves (R-UI-1).
  await page.getByText("Live", { exact: true }).waitFor();
  const fresh = await askDeploy(url, token, { commit: commit("9"), app: "billing", message: "Asked meanwhile" });
  const row = openRows.getByRole("listitem").filter({ hasText: "Asked meanwhile" });
  await row.getByText("release-pipeline").waitFor();
  await row.getByText("Waiting for approval").waitFor();
  await row.getByText(/ left$/).waitFor();
  await row.getByRole("img", { name: "0 of 1 signatures" }).waitFor();
  await ada.api(`POST root:/api/v1/deploy-approval-requests/${fresh}/reject`, {});
  await endedRows.getByText("Asked meanwhile").waitFor();
  const today = new Date().toISOString().slice(0, 10);
  await page.getByLabel("To, in UTC").fill("2020-01-01");
  await page.getByText("Nothing matches these filters").waitFor();
  await page.getByLabel("To, in UTC").fill(today);
  await page.getByLabel("From, in UTC").fill(today);
  await openRows.getByText("Quarterly run").waitFor();
  await expect.poll(() => page.url()).toContain(`until=${today}`);
  await page.getByLabel("App", { exact: true }).fill("billing");
  await expect.poll(() => page.url()).toContain("app=billing");
  await page.getByLabel("Status").selectOption({ label: "Cancelled" });
  const cancelled = page.getByRole("list", { name: "Cancelled deploy requests" });
  await expect.poll(() => cancelled.getByRole("listitem").count()).toBe(1);
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "CSV" }).click()]);
  expect(file.suggestedFilename()).toBe("deploy-approvals.csv");
  await page.reload();
  await cancelled.getByText("Old attempt").waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("o");
  await page.getByRole("heading", { name: /^Deploy 7777777 of billing to production$/ }).waitFor();
  await ada.isSound();
});

it("deploy R-UI-5: an app's settings say value, source and variable, are set and given back, and patterns can be tried", async () => {
  const { page } = ada;
  await page.goto(`${scene.server.url}/app/deploy/apps/production/myapp`);
  const row = page.getByRole("listitem").filter({ hasText: "Time to deploy" });
  await row.getByText("15 minutes", { exact: true }).waitFor();
  await row.getByText("from the rack").waitFor();
  await row.getByText("RGW_APP_MYAPP_SETTING_DEPLOY_APPROVAL_WINDOW_MINUTES").waitFor();
  await picture(page, "app");
  await ada.isSound();
  const sheet = page.getByRole("dialog", { name: "Time to deploy" });
  await row.getByRole("button", { name: "Change" }).click();
  await sheet.getByLabel("minutes").fill("30");
  // A factor was proven a moment ago: this one asks for no more.
  await sheet.getByRole("button", { name: "Save" }).click();
  await sheet.waitFor({ state: "detached" });
  await row.getByText("30 minutes").waitFor();
  await row.getByText("set here").waitFor();
  await row.getByRole("button", { name: "Change" }).click();
  await sheet.getByRole("button", { name: "Clear" }).click();
  await sheet.waitFor({ state: "detached" });
  await row.getByText("15 minutes", { exact: true }).waitFor();

  await page.getByRole("tab", { name: "Images" }).click();
  await expect.poll(() => page.url()).toContain("tab=images");
  const tester = page.getByRole("form", { name: "Try an image" });
  await tester.getByLabel("Commit").fill(commit("a"));
  await tester.getByLabel("Image").fill(`registry.example.com/myapp:${commit("a")}-web`);
  await tester.getByRole("button", { name: "Try" }).click();
  await tester.getByText("✓ passes").waitFor();
  await tester.getByLabel("Image").fill("registry.example.com/myapp:latest");
  await tester.getByRole("button", { name: "Try" }).click();
  await tester.getByText("✕ refused").waitFor();
  await picture(page, "app-images");
  await ada.isSound();

  const dry = page.getByRole("form", { name: "Would it be refused?" });
  await dry.getByLabel("Commit id").fill(commit("e"));
  await dry.getByRole("button", { name: "Look" }).click();
  await dry.getByText("Nobody has asked for an approval of this commit.").waitFor();
  await dry.getByLabel("Commit id").fill(commit("3"));
  await dry.getByRole("button", { name: "Look" }).click();
  await dry.getByText("The request was rejected: ask anew.").waitFor();
  await ada.isSound();
});

it("deploy R-UI-7, R-UI-8: racks say whether they answer, integrations whether they are connected", async () => {
  const { page } = ada;
  await page.goto(`${scene.server.url}/app/deploy/racks`);
  await page.getByText("reachable", { exact: true }).waitFor();
  await page.getByRole("list", { name: "Settings of production" }).getByText("Longest approval").waitFor();
  for (const name of ["Second factor for everybody", "Terminals stay signed in"]) await page.getByText(name).waitFor();
  await picture(page, "racks");
  await ada.isSound();
  await page.goto(`${scene.server.url}/app/deploy/integrations`);
  await page.getByRole("list", { name: "Integrations" }).getByText("not connected").waitFor();
  await page.getByRole("button", { name: "Test CircleCI" }).click();
  await page
    .getByText(/^CircleCI knows the token as /)
    .last()
    .waitFor();
  await page.getByRole("button", { name: "Test GitHub" }).click();
  await page.getByText("MyOrg/shop can be read").last().waitFor();
  await picture(page, "integrations");
  await ada.isSound();
  await page.goto(`${scene.server.url}/app/deploy/apps`);
  await page.getByRole("list", { name: "Apps" }).getByText("billing").waitFor();
  await picture(page, "apps");
  await ada.isSound();
});

it("deploy R-UI-10: every deploy page fits a phone, in light and in dark", async () => {
  const id = await askDeploy(scene.server.url, token, {
    commit: commit("8"),
    branch: "feature/long-name-of-a-branch",
    images,
  });
  const { page } = ada;
  await page.setViewportSize({ width: 390, height: 844 });
  const paths = [
    "",
    `/requests/${id}`,
    "/apps",
    "/apps/production/myapp?tab=images",
    "/racks",
    "/integrations",
    "/tokens",
  ];
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const [position, path] of paths.entries()) {
      await page.goto(`${scene.server.url}/app/deploy${path}`);
      await page.getByRole("heading").first().waitFor();
      await expect.poll(() => page.locator("[aria-busy=true]").count()).toBe(0);
      await picture(page, `phone-${scheme}-${String(position)}`);
      await ada.isSound();
    }
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  for (const [position, path] of paths.entries()) {
    await page.goto(`${scene.server.url}/app/deploy${path}`);
    await expect.poll(() => page.locator("[aria-busy=true]").count()).toBe(0);
    await picture(page, `dark-${String(position)}`);
    await ada.isSound();
  }
  await page.emulateMedia({ colorScheme: "light" });
});
