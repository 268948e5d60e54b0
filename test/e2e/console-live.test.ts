import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import type { ConsoleBrowser, ConsolePage } from "./console-browser.ts";
import { launchBrowser, signIn } from "./console-browser.ts";
import { ask, seedPolicy } from "./console-seed.ts";
import type { ConsoleServer } from "./console-server.ts";
import { startConsoleServer } from "./console-server.ts";

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

async function openAs(userName: string): Promise<ConsolePage> {
  const visit = await browser.open();
  opened.push(visit);
  await signIn(visit.page, server.url, userName);
  return visit;
}

describe("live updates", () => {
  it("console R-CON-6, R-INB-7: what one person decides, the other sees at once: the row leaves with who did it", async () => {
    const { id, artifactId } = await ask(server);
    const alva = await openAs("alva");
    const bela = await openAs("bela");
    const row = bela.page.getByRole("link", { name: new RegExp(`payout.batch ${artifactId}\\b`) });
    await row.waitFor();
    await alva.page.goto(`${server.url}/app/requests/${id}`);
    await alva.page.getByRole("button", { name: "Approve" }).click();
    await alva.page.getByText("Recorded. You approved").waitFor();
    await row.waitFor({ state: "detached", timeout: 1_500 });
    await bela.page.getByText("Approved by alva").waitFor();
    await bela.isSound();
    await alva.isSound();
  });

  it("console R-PAGE-4: the timeline of an open page goes on by itself", async () => {
    const { id } = await ask(server);
    const requester = await openAs("cira");
    await requester.page.goto(`${server.url}/app/requests/${id}`);
    await requester.page.getByText(/Finance officers started/).waitFor();
    const alva = await openAs("alva");
    await alva.page.goto(`${server.url}/app/requests/${id}`);
    await alva.page.getByRole("button", { name: "Claim" }).click();
    await alva.page.getByRole("button", { name: "Release" }).waitFor();
    await requester.page.getByText("alva is looking at it").waitFor({ timeout: 1_500 });
    await alva.page.getByRole("button", { name: "Approve" }).click();
    await requester.page.getByText(/^Approved by alva\./).waitFor({ timeout: 5_000 });
    await requester.isSound();
  });

  it("console R-CON-6: a lost stream is said with its time, and after it nothing is missing", async () => {
    const { page, context, isSound } = await openAs("bela");
    await context.setOffline(true);
    await page.getByText(/Live updates lost at/).waitFor();
    await page.getByText("Not live").waitFor();
    const { artifactId } = await ask(server);
    await context.setOffline(false);
    await page.getByRole("link", { name: new RegExp(`payout.batch ${artifactId}\\b`) }).waitFor({ timeout: 10_000 });
    await page.getByText("Live", { exact: true }).waitFor();
    expect(await page.getByText(/Live updates lost at/).count()).toBe(0);
    await isSound();
  });

  it("console R-INB-1: the count in the rail equals the rows of the list, also after changes", async () => {
    const { page, isSound } = await openAs("alva");
    await ask(server);
    const { artifactId } = await ask(server);
    await page.getByRole("link", { name: new RegExp(`payout.batch ${artifactId}\\b`) }).waitFor();
    const list = page.getByRole("list", { name: "Waiting for you" });
    await expect
      .poll(
        async () => {
          const rows = await list
            .getByRole("listitem")
            .filter({ has: page.locator("a[data-row]") })
            .count();
          const counted = await page.getByRole("link", { name: /waiting for you/ }).innerText();
          return [Number(/\d+/.exec(counted)?.[0]) === rows, rows >= 2];
        },
        { timeout: 10_000 },
      )
      .toEqual([true, true]);
    await isSound();
  });
});
