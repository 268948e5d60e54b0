/** Deciding with a factor and with a signature, in a real browser with a passkey device. */
import type { Locator } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import type { ConsoleBrowser } from "./console-browser.ts";
import { launchBrowser } from "./console-browser.ts";
import type { IdentityServer } from "./console-server.ts";
import { isRecord, startIdentityServer } from "./console-server.ts";
import { askRelease, proofsOf, seedPolicies, statusOf } from "./identity-seed.ts";
import type { Visit } from "./identity-visit.ts";
import { accept, addAuthenticator, inviteAs, setUp, visit } from "./identity-visit.ts";

let server: IdentityServer;
let browser: ConsoleBrowser;
let ada: Visit;
let bela: Visit;
let codes: readonly string[];
let nextCode: () => string;

beforeAll(async () => {
  [server, browser] = await Promise.all([startIdentityServer(), launchBrowser()]);
  ada = await visit(browser);
  await setUp(ada, server.setupLink);
  await seedPolicies(ada, [
    { key: "proven.v1", assurance: "mfa", approver: "bela" },
    { key: "signed.v1", assurance: "signed", approver: "bela" },
    { key: "batch.v1", assurance: "signed", approver: "bela", batch: true },
  ]);
  bela = await visit(browser);
  codes = await accept(bela, await inviteAs(ada, { login: "bela", name: "Bela Öz", roles: ["viewer"] }));
  nextCode = await addAuthenticator(bela, server.url);
});

afterEach(async () => {
  await bela.device.verifies(true);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

async function open(id: string): Promise<void> {
  await bela.page.goto(`${server.url}/app/requests/${id}`);
  await bela.page.getByRole("button", { name: /^(Approve|Sign with passkey)$/ }).waitFor();
}

function proofDialog(): Locator {
  return bela.page.getByRole("dialog", { name: "Confirm that it is you" });
}

describe("a decision that needs a factor", () => {
  it("console R-WHO-5, R-WHO-7: is proven with the passkey, and says where it stands in the ledger", async () => {
    const { id } = await askRelease(ada, "proven.v1");
    await open(id);
    await bela.page.getByRole("button", { name: "Approve" }).click();
    await proofDialog().getByRole("button", { name: "Use a passkey" }).click();
    await bela.page.getByText("Recorded. You approved; the request is approved.").waitFor();
    await bela.page.getByText(/Entry [\d,]+, proven with your passkey\./).waitFor();
    expect(await proofsOf(bela, id)).toEqual([{ action: "approve", assurance: "mfa", method: "passkey" }]);
    await bela.isSound();
  });

  it("console R-DEC-2: is proven with the authenticator; a wrong code leaves comment and request as they are", async () => {
    const { id } = await askRelease(ada, "proven.v1");
    bela.expectAnswer("401 /v1/tasks/");
    await open(id);
    await bela.page.getByLabel("Comment").fill("Checked against the change list.");
    await bela.page.getByRole("button", { name: "Approve" }).click();
    await proofDialog().getByLabel("Authenticator code or backup code").fill("000000");
    await proofDialog().getByRole("button", { name: "Confirm" }).click();
    await proofDialog().getByText("mfa_verification_failed").waitFor();
    expect(await statusOf(bela, id)).toBe("in_review");
    await bela.isSound();
    await proofDialog().getByLabel("Authenticator code or backup code").fill(nextCode());
    await bela.page.keyboard.press("Enter");
    await bela.page.getByText("Recorded. You approved").waitFor();
    await bela.page.getByText("Checked against the change list.").waitFor();
    expect(await proofsOf(bela, id)).toEqual([{ action: "approve", assurance: "mfa", method: "totp" }]);
    await bela.isSound();
  });

  it("console R-WHO-4: is proven with a backup code, in the same field", async () => {
    const { id } = await askRelease(ada, "proven.v1");
    await open(id);
    await bela.page.getByRole("button", { name: "Approve" }).click();
    await proofDialog()
      .getByLabel("Authenticator code or backup code")
      .fill((codes[0] ?? "").toLowerCase());
    await proofDialog().getByRole("button", { name: "Confirm" }).click();
    await bela.page.getByText("Recorded. You approved").waitFor();
    expect(await proofsOf(bela, id)).toEqual([{ action: "approve", assurance: "mfa", method: "backup_code" }]);
    await bela.isSound();
  });

  it("console R-WHO-4: closing the question sends nothing and keeps what was typed", async () => {
    const { id } = await askRelease(ada, "proven.v1");
    await open(id);
    await bela.page.getByLabel("Comment").fill("Not yet.");
    await bela.page.getByRole("button", { name: "Approve" }).click();
    await proofDialog().getByRole("button", { name: "Use a passkey" }).waitFor();
    await bela.page.keyboard.press("Escape");
    await proofDialog().waitFor({ state: "detached" });
    expect(await bela.page.getByLabel("Comment").inputValue()).toBe("Not yet.");
    expect(await statusOf(bela, id)).toBe("in_review");
    expect(await bela.page.getByRole("alert").filter({ hasText: /\w/ }).count()).toBe(0);
    await bela.isSound();
  });
});

describe("a decision that is signed", () => {
  it("console R-WHO-5, R-WHO-7: no code is offered; an unverified person is refused; entry and key are shown", async () => {
    const { id } = await askRelease(ada, "signed.v1");
    await open(id);
    const sign = bela.page.getByRole("button", { name: "Sign with passkey" });
    await sign.waitFor();
    expect(await bela.page.getByRole("button", { name: "Approve", exact: true }).count()).toBe(0);
    await bela.page.getByText("What your passkey signs").click();
    await bela.page.getByText(/Anybody who holds the evidence can check/).waitFor();
    await bela.page.getByLabel("Comment").fill("Read and signed.");

    await bela.device.verifies(false);
    await sign.click();
    await bela.page.getByText(/did not check that it is you/).waitFor();
    expect(await bela.page.getByLabel("Comment").inputValue()).toBe("Read and signed.");
    expect(await proofDialog().count()).toBe(0);
    expect(await statusOf(bela, id)).toBe("in_review");
    await bela.isSound();

    await bela.device.verifies(true);
    await sign.click();
    await bela.page.getByText("Recorded. You approved; the request is approved.").waitFor();
    await bela.page.getByText(/Entry [\d,]+, signed by your passkey “Passkey made on this Linux PC”\./).waitFor();
    expect(await proofsOf(bela, id)).toEqual([{ action: "approve", assurance: "signed", method: "passkey" }]);
    await bela.isSound();
  });

  it("console R-WHO-5: a payload that changed while it was read is named, and nothing can be signed before", async () => {
    const { id } = await askRelease(ada, "signed.v1");
    const { page, context } = bela;
    await open(id);
    await page.getByRole("button", { name: "Sign with passkey" }).waitFor();
    // Another revision arrives: the server's answer as it would be after one.
    await context.route(`**/v1/requests/${id}`, async (route) => {
      const answer: unknown = await (await route.fetch()).json();
      if (!isRecord(answer)) throw new Error("The request is no object");
      const changed = { ...answer, revision: 2, digest: `sha256:${"0".repeat(64)}`, context: { target: "staging" } };
      await route.fulfill({ json: changed });
    });
    await askRelease(ada, "signed.v1");
    await page.evaluate(() => window.dispatchEvent(new Event("offline")));
    await page.getByText("This request changed while you were reading.").waitFor();
    await page.getByText("Changed: commit, target, reason.").waitFor();
    const sign = page.getByRole("button", { name: "Sign with passkey" });
    expect(await sign.getAttribute("aria-disabled")).toBe("true");
    await sign.click({ force: true });
    expect(await statusOf(bela, id)).toBe("in_review");
    await context.unroute(`**/v1/requests/${id}`);
  });

  it("console R-WHO-6: a statement about something else than the page shows is not given to the passkey", async () => {
    const { id } = await askRelease(ada, "signed.v1");
    const other = await askRelease(ada, "signed.v1");
    const { page, context } = bela;
    await open(id);
    await context.route("**/v1/tasks/*/statement", async (route) => {
      const answer: unknown = await (await route.fetch()).json();
      if (!isRecord(answer) || typeof answer["statement"] !== "string") throw new Error("There is no statement");
      const hex = (uuid: string): string => uuid.replaceAll("-", "");
      const statement = answer["statement"].replace(`req_${hex(id)}`, `req_${hex(other.id)}`);
      await route.fulfill({ status: 201, json: { ...answer, statement } });
    });
    await page.getByRole("button", { name: "Sign with passkey" }).click();
    await page.getByText("the server names another request than this page shows").waitFor();
    await context.unroute("**/v1/tasks/*/statement");
    expect(await statusOf(bela, id)).toBe("in_review");
    await bela.isSound();
  });

  it("console R-WHO-5: who holds no passkey reads why the button cannot be pressed", async () => {
    const { id } = await askRelease(ada, "signed.v1");
    const { page, context } = bela;
    await context.route("**/v1/tasks/*/view", async (route) => {
      const answer: unknown = await (await route.fetch()).json();
      if (!isRecord(answer)) throw new Error("The view is no object");
      await route.fulfill({ status: 201, json: { ...answer, methods: [] } });
    });
    await context.route("**/v1/me/factors", (route) =>
      route.fulfill({ json: { factors: [], backup_codes: null, password_changed_at: null } }),
    );
    await open(id);
    await page.getByText("This is signed with a passkey, and you have none.").waitFor();
    const sign = page.getByRole("button", { name: "Sign with passkey" });
    expect(await sign.getAttribute("aria-disabled")).toBe("true");
    expect(await sign.getAttribute("aria-describedby")).toBe("decision-obstacle");
    await context.unrouteAll();
    await bela.isSound();
  });
});

describe("several decisions at once", () => {
  it("console R-INB-6: one reason, one proof for some, one touch for others, and what became of each", async () => {
    const proven = [await askRelease(ada, "proven.v1"), await askRelease(ada, "proven.v1")];
    const signed = [await askRelease(ada, "batch.v1"), await askRelease(ada, "batch.v1")];
    const alone = await askRelease(ada, "signed.v1");
    const { page } = bela;
    await page.goto(`${server.url}/app/inbox`);
    for (const { artifactId } of [...proven, ...signed, alone]) {
      await page.getByRole("checkbox", { name: `Select release ${artifactId}`, exact: true }).check();
    }
    const bar = page.getByRole("region", { name: "Selection" });
    await bar.getByText("5 selected").waitFor();
    await bar.getByRole("button", { name: "Approve…" }).click();
    const sheet = page.getByRole("dialog", { name: "Approve 5 requests" });
    await sheet.getByText("is signed").first().waitFor();
    await sheet.getByLabel("Comment, for all").fill("Release train 47");
    await bela.isSound();
    await sheet.getByRole("button", { name: "Approve 5" }).click();
    await proofDialog().getByRole("button", { name: "Use a passkey" }).click();
    const results = page.getByRole("dialog", { name: "What became of them" });
    await results.getByText("recorded", { exact: true }).nth(3).waitFor();
    // Its policy does not let it be signed together with others.
    await results.getByText("not recorded").waitFor();
    for (const { id } of [...proven, ...signed]) expect(await statusOf(bela, id)).toBe("approved");
    expect(await statusOf(bela, alone.id)).toBe("in_review");
    await bela.isSound();
    await results.getByRole("button", { name: "Done" }).click();
    await results.waitFor({ state: "detached" });
  });

  it("console R-INB-4: x selects, u undoes the selection, rejecting asks for the reason", async () => {
    const { artifactId } = await askRelease(ada, "proven.v1");
    const { page } = bela;
    await page.goto(`${server.url}/app/inbox`);
    await page.getByRole("link", { name: new RegExp(`release ${artifactId}\\b`) }).focus();
    await page.keyboard.press("x");
    const bar = page.getByRole("region", { name: "Selection" });
    await bar.getByText("1 selected").waitFor();
    await bar.getByRole("button", { name: "Reject…" }).click();
    const sheet = page.getByRole("dialog", { name: "Reject 1 requests" });
    await sheet.getByRole("button", { name: "Reject 1" }).click();
    await sheet.getByText("Say why you reject").waitFor();
    await sheet.getByRole("button", { name: "Cancel" }).click();
    await sheet.waitFor({ state: "detached" });
    await page.locator("main").focus();
    await page.keyboard.press("u");
    await bar.waitFor({ state: "detached" });
    await bela.isSound();
  });
});
