import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import type { ConsoleBrowser, ConsolePage } from "./console-browser.ts";
import { launchBrowser, signIn } from "./console-browser.ts";
import { ask, seedPolicy } from "./console-seed.ts";
import type { ConsoleServer } from "./console-server.ts";
import { isRecord, startConsoleServer } from "./console-server.ts";

let server: ConsoleServer;
let browser: ConsoleBrowser;
const opened: ConsolePage[] = [];

beforeAll(async () => {
  [server, browser] = await Promise.all([startConsoleServer(), launchBrowser()]);
  await seedPolicy(server);
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.context.close()));
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

async function openAs(
  userName: string,
  options: Parameters<ConsoleBrowser["open"]>[0] = {},
  admin = false,
): Promise<ConsolePage> {
  const visit = await browser.open(options);
  opened.push(visit);
  await signIn(visit.page, server.url, userName, admin);
  return visit;
}

async function statusOf(id: string): Promise<unknown> {
  const request = await server.as("maren", ["AWE_ADMIN"]).get(`/v1/requests/${id}`);
  return isRecord(request) ? request["status"] : undefined;
}

async function decisionsOf(id: string): Promise<readonly unknown[]> {
  const decisions: unknown = await server.as("maren", ["AWE_ADMIN"]).get(`/v1/requests/${id}/decisions`);
  const list: readonly unknown[] = Array.isArray(decisions) ? decisions : [];
  return list;
}

describe("deciding in the console", () => {
  it("console R-CON-6: a request made through the API is in the inbox within a second, without a reload", async () => {
    const { page, isSound } = await openAs("alva");
    await page.getByRole("navigation", { name: "Inbox" }).waitFor();
    const { artifactId } = await ask(server);
    await page.getByRole("link", { name: new RegExp(`payout.batch ${artifactId}\\b`) }).waitFor({ timeout: 1_500 });
    await isSound();
  });

  it("console R-CON-1, R-CON-3: opened, read, approved with a comment on one page; the page waits for the commit", async () => {
    const { id, artifactId } = await ask(server);
    const { page, isSound } = await openAs("alva");
    await page.getByRole("link", { name: new RegExp(`payout.batch ${artifactId}\\b`) }).click();
    await page.getByRole("heading", { name: artifactId }).waitFor();
    await page.getByText("Monthly supplier run").first().waitFor();
    await page.getByText("One signature needed, 2 people may sign.").waitFor();
    await page.getByLabel("Comment").fill("Checked against the supplier list.");
    await page.getByRole("button", { name: "Approve" }).click();
    await page.getByText("Recorded. You approved; the request is approved.").waitFor();
    expect(await statusOf(id)).toBe("approved");
    await page.getByText("Checked against the supplier list.").waitFor();
    await page.getByText(/^alva approved$/).waitFor();
    await isSound();
  });

  it("console R-CON-1: at 1280×720 the first screen says what, who, why, who must sign, how long and where to decide", async () => {
    const { id, artifactId } = await ask(server, { amount: 48_000, account: "DE89 3704", supplier: "Holzwerk Nord" });
    const { page, isSound } = await openAs("alva", { viewport: { width: 1280, height: 720 } });
    await page.goto(`${server.url}/app/requests/${id}`);
    await page.getByRole("button", { name: "Approve" }).waitFor();
    const bar = await page.getByRole("region", { name: "Decision" }).boundingBox();
    const answers = [
      page.getByRole("heading", { name: artifactId }),
      page.getByRole("definition").filter({ hasText: "cira" }),
      page.getByRole("blockquote"),
      page.getByText("waiting for alva or bela"),
      page.getByText("Starts after Finance officers."),
      page.getByRole("definition").filter({ hasText: "then it expires" }),
      page.getByRole("definition").filter({ hasText: "48000" }),
    ];
    for (const answer of answers) {
      const box = await answer.boundingBox();
      expect((box?.y ?? Infinity) + (box?.height ?? 0), String(answer)).toBeLessThanOrEqual(bar?.y ?? 0);
    }
    await isSound();
  });

  it("console R-CON-3: rejecting asks for the reason first, and the reason is what the requester reads", async () => {
    const { id } = await ask(server);
    const { page, isSound } = await openAs("bela");
    await page.goto(`${server.url}/app/requests/${id}`);
    await page.getByRole("button", { name: "Reject" }).click();
    await page.getByText("Say why you reject").waitFor();
    expect(await statusOf(id)).toBe("in_review");
    const reason = page.getByLabel("Reason for rejecting");
    expect(await reason.evaluate((field) => field === document.activeElement)).toBe(true);
    await reason.fill("The account does not match the contract.");
    await page.getByRole("button", { name: "Reject" }).click();
    await page.getByText("Recorded. You rejected; the request is rejected.").waitFor();
    expect(await statusOf(id)).toBe("rejected");
    await isSound();

    const requester = await openAs("cira");
    await requester.page.goto(`${server.url}/app/requests/${id}`);
    await requester.page.getByText(/Rejected by bela.*The account does not match the contract/).waitFor();
    await requester.isSound();
  });

  it("console R-DEC-4: a double click records one decision", async () => {
    const { id } = await ask(server);
    const { page, isSound } = await openAs("alva");
    await page.goto(`${server.url}/app/requests/${id}`);
    await page.getByRole("button", { name: "Approve" }).dblclick();
    await page.getByText("Recorded. You approved").waitFor();
    expect(await decisionsOf(id)).toHaveLength(1);
    await isSound();
  });

  it("console R-DEC-3: losing the race shows the outcome, not an error", async () => {
    const { id } = await ask(server);
    const { page, isSound, expectAnswer, context } = await openAs("alva");
    await page.goto(`${server.url}/app/requests/${id}`);
    await page.getByRole("button", { name: "Approve" }).waitFor();
    // The page does not hear of it: its stream and its reads are held while somebody else decides.
    await context.route(/\/v1\/(events|requests|inbox)/, (route) => route.abort("internetdisconnected"));
    await approveAs("bela", id);
    expectAnswer("409 /v1/tasks/");
    await page.getByRole("button", { name: "Approve" }).click();
    await context.unroute(/\/v1\/(events|requests|inbox)/);
    await page.getByText(/^Approved by bela\./).waitFor();
    await page.getByText("This request has ended: approved.").waitFor();
    expect(await page.getByRole("alert").filter({ hasText: "409" }).count()).toBe(0);
    await isSound();
  });

  it("console R-CON-4: who cannot decide sees no buttons and reads why", async () => {
    const { id } = await ask(server);
    const { page, isSound } = await openAs("cira");
    await page.goto(`${server.url}/app/requests/${id}`);
    await page.getByRole("button", { name: "Why not me?" }).click();
    await page.getByText("not_a_candidate").waitFor();
    await page.getByText("You asked for this").waitFor();
    expect(await page.getByRole("button", { name: /^(Approve|Reject|Abstain)$/ }).count()).toBe(0);
    await isSound();
  });

  it("console R-PAGE-5: the requester withdraws with a reason", async () => {
    const { id } = await ask(server);
    const { page, isSound } = await openAs("cira");
    await page.goto(`${server.url}/app/requests/${id}`);
    await page.getByRole("button", { name: "Withdraw request" }).click();
    const sheet = page.getByRole("dialog", { name: "Withdraw request" });
    await sheet.getByRole("button", { name: "Withdraw request" }).click();
    await sheet.getByText("Say why").waitFor();
    await sheet.getByLabel("Reason").fill("Sent twice by mistake");
    await sheet.getByRole("button", { name: "Withdraw request" }).click();
    await sheet.waitFor({ state: "detached" });
    await page.getByText("This request has ended: cancelled.").waitFor();
    expect(await statusOf(id)).toBe("cancelled");
    await isSound();
  });

  it("console R-CON-3: a second stage is named as what comes next", async () => {
    const { id } = await ask(server, { amount: 48_000 });
    const { page, isSound } = await openAs("alva");
    await page.goto(`${server.url}/app/requests/${id}`);
    await page.getByText("Starts after Finance officers.").waitFor();
    await page.getByRole("button", { name: "Approve" }).click();
    await page.getByText("Recorded. You approved; Treasury must sign next.").waitFor();
    await page.getByText("waiting for dova").waitFor();
    await isSound();
  });

  it("console R-CON-8: hostile text in the request is drawn as text, its invisible characters as marks", async () => {
    const { id } = await ask(server, {
      reason: "Please \u202esign\u202c quickly",
      "<img src=x onerror=alert(1)>": "javascript:alert(1)",
      note: "zero\u200bwidth",
    });
    const { page, isSound } = await openAs("alva");
    page.on("dialog", () => {
      throw new Error("hostile text ran as a script");
    });
    await page.goto(`${server.url}/app/requests/${id}`);
    await page.getByText("U+202E").first().waitFor();
    await page.getByText("U+200B").first().waitFor();
    await page.getByText("<img src=x onerror=alert(1)>").waitFor();
    expect(await page.locator("article img").count()).toBe(0);
    await page.getByRole("tab", { name: "Raw" }).click();
    await page.getByLabel("Canonical JSON").getByText("U+202E").first().waitFor();
    expect(new URL(page.url()).searchParams.get("pane")).toBe("raw");
    await isSound();
  });
});

async function approveAs(userName: string, requestId: string): Promise<void> {
  const person = server.as(userName);
  const tasks = await person.get(`/v1/tasks?assignee=me&status=open&request_id=${requestId}`);
  const items: readonly unknown[] = isRecord(tasks) && Array.isArray(tasks["items"]) ? tasks["items"] : [];
  const task = items.find(isRecord);
  const request = await person.get(`/v1/requests/${requestId}`);
  const digest = isRecord(request) ? request["digest"] : null;
  await person.post(`/v1/tasks/${String(task?.["id"])}/decision`, { action: "approve", digest });
}
