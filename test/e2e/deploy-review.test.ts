/** What reviewers of a deployment see and may do: differences to what runs, two stages, and who is left out. */
import { mkdirSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";

import type { ConsoleBrowser } from "./console-browser.ts";
import { launchBrowser } from "./console-browser.ts";
import { isRecord } from "./console-server.ts";
import {
  askDeploy,
  deployOf,
  deployShop,
  shopRepository,
  startDeployConsole,
  type DeployConsole,
} from "./deploy-seed.ts";
import type { Visit } from "./identity-visit.ts";
import { accept, addAuthenticator, inviteAs, setUp, visit } from "./identity-visit.ts";

const pictures = process.env["DEPLOY_PICTURES"] ?? "";

let scene: DeployConsole;
let browser: ConsoleBrowser;
let url: string;
let ada: Visit;
let token: string;

beforeAll(async () => {
  [scene, browser] = await Promise.all([startDeployConsole(), launchBrowser()]);
  ({ url } = scene.server);
  ada = await visit(browser);
  await setUp(ada, scene.server.setupLink);
  ada.expectAnswer("401 /api/v1/");
  token = await tokenFor("release-pipeline");
});

afterAll(async () => {
  await browser.close();
  await scene.close();
});

/** Without an owner's address it belongs to a service account. */
async function tokenFor(name: string, owner?: string): Promise<string> {
  const body = { name, role: "cicd", ...(owner === undefined ? {} : { user_email: owner }) };
  const made = await ada.api("POST root:/api/v1/api-tokens", body, "fresh");
  return isRecord(made) ? String(made["token"]) : "";
}

async function open(visitor: Visit, id: string): Promise<Page> {
  await visitor.page.goto(`${url}/app/deploy/requests/${id}`);
  await visitor.page.getByRole("heading", { name: "Signatures" }).waitFor();
  return visitor.page;
}

async function approve({ page }: Visit, prove: (page: Page) => Promise<void>): Promise<void> {
  await page.getByRole("button", { name: "Approve", exact: true }).click();
  const sheet = page.getByRole("dialog", { name: "Approve deploy" });
  await sheet.getByRole("button", { name: "Approve" }).click();
  await prove(page);
  await sheet.waitFor({ state: "detached" });
}

async function byPasskey(page: Page): Promise<void> {
  const dialog = page.getByRole("dialog", { name: "Confirm that it is you" });
  await dialog.getByRole("button", { name: "Use a passkey" }).click();
}

async function picture(page: Page, name: string): Promise<void> {
  if (pictures === "") return;
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
}

it("deploy R-UI-2, R-UI-3: a request shows the commits, reviews, checks and images since the last deployment, and each entry's proof", async () => {
  const repository = scene.github.repository(shopRepository);
  const cleo = { name: "Cleo Marchetti", email: "cleo@example.com", login: "cleo" };
  const main = repository.push("main", repository.commit({ message: "What runs now", author: cleo }));
  const before = repository.commit({ parents: [main], message: "Deployed before", author: cleo });
  const between = repository.commit({ parents: [before], message: "Round once, at the end", author: cleo });
  const now = repository.commit({ parents: [between], message: "Say the currency", author: cleo });
  const image = (tag: string) => ({ web: `registry.example.com/shop:${tag}@sha256:${tag.slice(0, 1).repeat(64)}` });

  repository.push("rounding", before);
  repository.pull("rounding", before, { title: "Fix invoice rounding", user: "cleo" });
  const asked = { app: "shop", branch: "rounding" } as const;
  const first = await askDeploy(url, token, { ...asked, commit: before.sha });
  await open(ada, first);
  await ada.page.getByText("Nothing was deployed through this gate yet: there is nothing to compare with.").waitFor();
  await approve(ada, byPasskey);
  await deployShop(url, token, before.sha);
  await expect.poll(async () => (await deployOf(url, token, first))["status"]).toBe("deployed");

  repository.push("rounding", now);
  Object.assign(repository.pulls[0] ?? {}, { headSha: now.sha });
  repository.pulls[0]?.reviews.push({ user: "dora", state: "APPROVED" });
  repository.checkRuns.push({ status: "completed", conclusion: "success" });
  const id = await askDeploy(url, token, { ...asked, commit: now.sha, images: image(now.sha) });
  // Read by the worker, behind everybody's back.
  await expect.poll(async () => (await deployOf(url, token, id))["vcs_read_at"], { timeout: 20_000 }).toBeDefined();
  const page = await open(ada, id);
  const commits = page.getByRole("list", { name: "Commits since the last deployment" });
  await commits.getByText("Say the currency").waitFor();
  expect(await commits.getByRole("listitem").count()).toBe(2);
  await commits.getByText("Round once, at the end").waitFor();
  await page.getByText(`2 commits since ${before.sha.slice(0, 7)}`).waitFor();
  const compare = page.getByRole("link", { name: /^Compare, with the files that change/ });
  expect(await compare.getAttribute("href")).toBe(
    `https://github.com/${shopRepository}/compare/${before.sha}...${now.sha}`,
  );
  await page.getByText("#1 Fix invoice rounding").waitFor();
  await page.getByText("open; approved by dora").waitFor();
  await page.getByText("The checks of the commit have passed").waitFor();
  const images = page.getByRole("region", { name: "Images" });
  await images.getByText(`registry.example.com/shop:${before.sha}`, { exact: true }).waitFor();
  await images.getByText(`registry.example.com/shop:${now.sha}@sha256:`, { exact: false }).waitFor();
  await page
    .getByRole("region", { name: "Environment" })
    .getByText(/^Compared when it is deployed/)
    .waitFor();
  await picture(page, "review");
  await ada.isSound();

  await page
    .getByRole("button", { name: /^entry \d/ })
    .first()
    .click();
  const proof = page.getByRole("dialog", { name: /^Entry [\d,]+ of the ledger$/ });
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    proof.getByRole("link", { name: "Download the evidence" }).click(),
  ]);
  expect(file.suggestedFilename()).toMatch(/\.json$/);
  await picture(page, "entry-proof");
  await ada.isSound();
  await page.setViewportSize({ width: 390, height: 844 });
  await open(ada, id);
  await commits.getByText("Say the currency").waitFor();
  await picture(page, "review-phone");
  await ada.isSound();
  await page.setViewportSize({ width: 1440, height: 900 });
});

it("deploy R-UI-2, R-UI-9: two stages, an approver with an authenticator, and nobody is shown a button that the server would refuse", async () => {
  const bela = await visit(browser);
  await accept(bela, await inviteAs(ada, { login: "bela", name: "Bela Öz", roles: ["admin"] }));
  bela.expectAnswer("401 /api/v1/");
  const nextCode = await addAuthenticator(bela, url);
  const cira = await visit(browser);
  await accept(cira, await inviteAs(ada, { login: "cira", name: "Cira Lind", roles: ["deployer"] }));
  for (const refused of ["403 /api/v1/", "409 /api/v1/"]) for (const each of [ada, cira]) each.expectAnswer(refused);
  const stage = (order: number, name: string, user: string) => ({
    ...{ name, stage_order: order, mode: "any-n", mode_value: 1, on_empty: "block" },
    ...{ assurance: "mfa", reject_assurance: "session" },
    rules: [
      { rule_type: "user", rule_value: { user_id: user } },
      { rule_type: "user", rule_value: { user_id: "cira" } },
    ],
  });
  await ada.api("POST /policies", {
    ...{ policy_key: "two-people", name: "Two people", artifact_type: "deploy" },
    ...{ forbid_self_approval: true, forbidden_approvers: ["target_token.owner", "commit_authors"] },
    grant: { uses: 1, ttl_minutes: 15 },
    stages: [stage(1, "Team", "bela"), stage(2, "Release", "ada")],
  });
  await ada.api("POST /policies/two-people/versions/1/activate", {}, "fresh");
  const own = await tokenFor("ciras-pipeline", "cira@holzwerk.example");
  const id = await askDeploy(url, own, { commit: "c".repeat(40), app: "payroll" });

  // Of the second stage: nothing to do yet, and the page says so.
  const mine = await open(ada, id);
  await mine.getByText("Starts after Team.").waitFor();
  await mine.getByText("Cannot sign: cira (asked for it)").first().waitFor();
  await offersWhatTheServerAllows(ada, id);
  // Owner of the token: sees it, may call it off, and decides nothing.
  const theirs = await open(cira, id);
  await theirs.getByText("you do not have permission to approve").waitFor();
  await offersWhatTheServerAllows(cira, id);
  await picture(theirs, "viewer");
  await cira.isSound();

  await open(bela, id);
  await approve(bela, async (page) => {
    const dialog = page.getByRole("dialog", { name: "Confirm that it is you" });
    await dialog.getByLabel("Authenticator code or backup code").fill(nextCode());
    await page.keyboard.press("Enter");
  });
  const signed = bela.page.getByRole("region", { name: "Signatures" });
  await signed.getByText("authenticator").waitFor();
  expect(await deployOf(url, own, id)).toMatchObject({ status: "pending", approvals: { stage: "Release", given: 0 } });
  await bela.isSound();

  // The first stage is news to whoever had the page open.
  await mine.getByText("This request changed while you were reading.").waitFor();
  await mine.getByRole("button", { name: "I have seen it" }).click();
  await offersWhatTheServerAllows(ada, id);
  await picture(mine, "second-stage");
  await approve(ada, byPasskey);
  await expect.poll(async () => (await deployOf(url, own, id))["status"]).toBe("approved");
  await theirs.getByRole("article").getByText("Approved", { exact: true }).first().waitFor();
  await ada.isSound();
  await bela.context.close();
  await cira.context.close();
});

it("deploy R-UI-6: pasted claims of a CI token say which condition fails, as the server judges it", async () => {
  const { page } = ada;
  const me = await ada.api("GET /me");
  const owners = isRecord(me) ? [me["person_id"]] : [];
  const machine = await ada.api("POST /machines", { kind: "ci", name: "builds", owners }, "fresh");
  const rules = { subjects: ["repo:MyOrg/shop:*"], claims: { repository_id: ["4711"] } };
  await ada.api(
    "POST /workload-providers",
    {
      ...{ machine_id: isRecord(machine) ? machine["id"] : "", name: "Shop builds", preset: "github", audience: url },
      ...{ ...rules, scopes: ["approval:request:create"] },
    },
    "fresh",
  );
  await page.goto(`${url}/app/settings`);
  await page.getByRole("button", { name: "Test claims against Shop builds" }).click();
  const sheet = page.getByRole("dialog", { name: "Test claims" });
  const claims = {
    iss: "https://token.actions.githubusercontent.com",
    aud: url,
    sub: "repo:MyOrg/shop:ref:refs/heads/main",
  };
  const judged = async (pasted: string): Promise<void> => {
    await sheet.getByLabel("Claims of the token").fill(pasted);
    await sheet.getByRole("button", { name: "Test", exact: true }).click();
  };
  await judged("no claims");
  await sheet.getByText("Paste the claims as a JSON object, or a whole token.").waitFor();
  await judged(JSON.stringify({ ...claims, repository_id: "4712" }));
  await sheet.getByText("It would be refused: one condition does not hold.").waitFor();
  const failing = sheet.getByRole("listitem").filter({ hasText: "does not hold" });
  await failing.getByText("repository_id").waitFor();
  await failing.getByText("there: 4712").waitFor();
  expect(await failing.count()).toBe(1);
  await picture(page, "claims");
  await ada.isSound();
  await judged(JSON.stringify({ ...claims, repository_id: "4711" }));
  await sheet.getByText("It would be let in: every condition holds.").waitFor();
});

const acts = [
  { act: "approve", button: "Approve" },
  { act: "reject", button: "Reject" },
  { act: "extend", button: "Extend" },
  { act: "cancel", button: "Cancel request" },
] as const;

/** Buttons against the server: one that is there is allowed, and what is not there is refused (never with a wrong factor alone). */
async function offersWhatTheServerAllows(visitor: Visit, id: string): Promise<void> {
  const shown = await visitor.api(`GET root:/api/v1/deploy-approval-requests/${id}`);
  const viewer = isRecord(shown) && isRecord(shown["viewer"]) ? shown["viewer"] : {};
  for (const { act, button } of acts) {
    const offered = await visitor.page.getByRole("button", { name: button, exact: true }).count();
    expect([act, offered]).toEqual([act, viewer[`can_${act}`] === true ? 1 : 0]);
    if (offered > 0) continue;
    const refused = visitor.api(`POST root:/api/v1/deploy-approval-requests/${id}/${act}`, {}, "fresh");
    await expect(refused, act).rejects.toThrow(/: (?:403|409) /);
  }
}
