import { mkdirSync } from "node:fs";
import { join } from "node:path";

import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import type { ConsoleBrowser, ConsolePage } from "./console-browser.ts";
import { launchBrowser, signIn } from "./console-browser.ts";
import { ask, seededPolicy, seedPolicy } from "./console-seed.ts";
import type { ConsoleServer } from "./console-server.ts";
import { isRecord, startConsoleServer } from "./console-server.ts";

/** How long a condition may take to become true on a busy machine. */
const waiting = { timeout: 10_000 };
const pictures = join(import.meta.dirname, "out");

let server: ConsoleServer;
let browser: ConsoleBrowser;
const opened: ConsolePage[] = [];

beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
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

async function open(options: BrowserContextOptions = {}): Promise<ConsolePage> {
  const visit = await browser.open(options);
  opened.push(visit);
  return visit;
}

async function focusedName(page: Page): Promise<string> {
  return page.evaluate(() => document.activeElement?.textContent ?? "");
}

describe("signing in", () => {
  it("console section 2: an address asked for before signing in is the page that is shown after it", async () => {
    const { id, artifactId } = await ask(server);
    const { page, isSound } = await open();
    await page.goto(`${server.url}/app/requests/${id}?pane=raw`);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await isSound();
    await page.getByLabel("Another user name").fill("alva");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("heading", { name: artifactId }).waitFor();
    expect(new URL(page.url()).pathname).toBe(`/app/requests/${id}`);
    expect(new URL(page.url()).searchParams.get("pane")).toBe("raw");
    await isSound();
  });

  it("console section 2: an address outside the console is not followed after signing in", async () => {
    const { page, isSound } = await open();
    await page.goto(`${server.url}/app/login?next=${encodeURIComponent("//example.org/app")}`);
    await page.getByLabel("Another user name").fill("alva");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("heading", { name: "Inbox" }).waitFor();
    await isSound();
  });

  it("console R-CON-4: signing out ends the session, and the back button does not bring it back", async () => {
    const { page, isSound } = await open();
    await signIn(page, server.url, "alva");
    await page.getByRole("button", { name: /signed in as/ }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.goto(`${server.url}/app/inbox`);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await isSound();
  });
});

describe("lists and addresses", () => {
  it("console R-CON-7: a filter is in the address, and the address opens the filtered list", async () => {
    const wanted = await ask(server, { supplier: "Holzwerk Nord" });
    const other = await ask(server);
    const { page, isSound } = await open();
    await signIn(page, server.url, "maren", true);
    await page.getByRole("link", { name: "Requests", exact: true }).click();
    await page.getByRole("heading", { name: "Requests" }).waitFor();
    await page.getByRole("searchbox", { name: "Search" }).fill("holzwerk");
    await expect.poll(() => new URL(page.url()).searchParams.get("q"), waiting).toBe("holzwerk");
    const unwanted = page.getByRole("link", { name: new RegExp(`payout.batch ${other.artifactId}\\b`) });
    await unwanted.waitFor({ state: "detached" });
    await page.reload();
    await page.getByRole("link", { name: new RegExp(`payout.batch ${wanted.artifactId}\\b`) }).waitFor();
    expect(await unwanted.count()).toBe(0);
    await page.getByRole("button", { name: "Clear filters" }).click();
    await unwanted.waitFor();
    await isSound();
  });

  it("console section 2: a list that a filter emptied says so and offers to clear it", async () => {
    const { page, isSound } = await open();
    await signIn(page, server.url, "maren", true);
    await page.goto(`${server.url}/app/requests?q=nothing-has-this-text`);
    await page.getByText("Nothing matches these filters").waitFor();
    await page.getByRole("button", { name: "Clear filters" }).waitFor();
    await isSound();
  });

  it("console section 2: an empty inbox says what will appear in it", async () => {
    const { page, isSound } = await open();
    await signIn(page, server.url, "nobody-asks-me");
    await page.getByText("Nothing waits for you").waitFor();
    await isSound();
  });

  it("console section 2: an unknown address and an unknown request are pages, not errors", async () => {
    const { page, isSound, expectAnswer } = await open();
    await signIn(page, server.url, "alva");
    await page.goto(`${server.url}/app/nowhere`);
    await page.getByText("There is nothing at this address").waitFor();
    expectAnswer("404 /v1/requests/");
    await page.goto(`${server.url}/app/requests/6f1c2a52-6f6e-4c1b-9a0e-2f4b8a4c9d11`);
    await page.getByText("There is nothing at this address").waitFor();
    await isSound();
  });
});

describe("policies", () => {
  it("console section 2: a version is told in words with its flags, its digest and its JSON", async () => {
    const { page, isSound } = await open();
    await signIn(page, server.url, "maren", true);
    await page.getByRole("link", { name: "Policies", exact: true }).click();
    await page.getByRole("link", { name: /Supplier payout/ }).click();
    await page.getByRole("heading", { name: "Supplier payout" }).waitFor();
    await page.getByText("One of alva or bela").waitFor();
    await page.getByText("All of dova").waitFor();
    await page.getByText("not by the requester").waitFor();
    await page.getByText("JSON", { exact: true }).click();
    await page.getByLabel("Policy as JSON").getByText('"policy_key": "payout.v1"').waitFor();
    await isSound();
  });

  it("console R-POL-1, R-POL-2: a draft is saved, explained and activated after a question; a bad one is refused at its path", async () => {
    const { page, isSound, expectAnswer } = await open();
    await signIn(page, server.url, "maren", true);
    await page.goto(`${server.url}/app/new-policy`);
    const field = page.getByLabel("Policy", { exact: true });
    await field.fill("{ not json");
    await page.getByRole("button", { name: "Save draft" }).click();
    await page.getByText(/This is not JSON/).waitFor();
    expectAnswer("422 /v1/policies");
    await field.fill(
      JSON.stringify({ ...seededPolicy, policy_key: "drafted", stages: [{ name: "A", stage_order: 0 }] }),
    );
    await page.getByRole("button", { name: "Save draft" }).click();
    await page
      .getByRole("alert")
      .getByText(/stages/)
      .first()
      .waitFor();
    await field.fill(JSON.stringify({ ...seededPolicy, policy_key: "drafted", name: "Drafted" }));
    await page.getByRole("button", { name: "Save draft" }).click();
    await page.getByRole("heading", { name: "Drafted" }).waitFor();
    await page.getByRole("button", { name: "Activate" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Activate v1" }).click();
    await page.getByRole("button", { name: "Deactivate" }).waitFor();
    const version = await server.as("maren", ["AWE_ADMIN"]).get("/v1/policies/drafted/versions/1");
    expect(isRecord(version) && version["status"]).toBe("active");
    await isSound();
  });

  it("console R-CON-4: who may not read policies has no link to them", async () => {
    const { page, isSound } = await open();
    await signIn(page, server.url, "alva");
    expect(await page.getByRole("link", { name: "Policies", exact: true }).count()).toBe(0);
    await isSound();
  });
});

describe("the keyboard alone", () => {
  it("console R-INB-4, R-INB-5: from the inbox to a decision without a pointer, and no key decides alone", async () => {
    const { id, artifactId } = await ask(server);
    const { page, isSound } = await open();
    await signIn(page, server.url, "alva");
    await page.getByRole("link", { name: new RegExp(`payout.batch ${artifactId}\\b`) }).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type(artifactId);
    await expect.poll(() => page.locator("a[data-row]").count(), waiting).toBe(1);
    await page.keyboard.press("Tab");
    await page.evaluate(() => {
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    });
    await page.keyboard.press("j");
    expect(await focusedName(page)).toContain(artifactId);
    await page.keyboard.press("o");
    await page.getByRole("heading", { name: artifactId }).waitFor();
    await page.keyboard.press("a");
    await expect.poll(() => focusedName(page), waiting).toBe("Approve");
    const request = await server.as("maren", ["AWE_ADMIN"]).get(`/v1/requests/${id}`);
    expect(isRecord(request) && request["status"]).toBe("in_review");
    await page.keyboard.press("Enter");
    await page.getByText("Recorded. You approved").waitFor();
    await isSound();
  });

  it("console R-INB-4: r asks for the reason, the keys are silent in fields, g and ? go where they say", async () => {
    const { id } = await ask(server);
    const { page, isSound } = await open();
    await signIn(page, server.url, "bela");
    await page.goto(`${server.url}/app/requests/${id}`);
    await page.getByRole("button", { name: "Reject" }).waitFor();
    await page.keyboard.press("r");
    const reason = page.getByLabel("Reason for rejecting");
    await expect.poll(() => reason.evaluate((field) => field === document.activeElement), waiting).toBe(true);
    await page.keyboard.type("again? g p a r");
    expect(await reason.inputValue()).toBe("again? g p a r");
    await page.keyboard.press("Control+Enter");
    await page.getByText("Recorded. You rejected").waitFor();
    await page.locator("main").focus();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog", { name: "Keyboard" }).waitFor({ state: "detached" });
    await page.keyboard.press("g");
    await page.keyboard.press("i");
    await page.getByRole("heading", { name: "Inbox" }).waitFor();
    await isSound();
  });

  it("console R-A11Y-1: the first Tab offers to skip to the content", async () => {
    const { page, isSound } = await open();
    await signIn(page, server.url, "alva");
    await page.reload();
    await page.getByRole("heading", { name: "Inbox" }).waitFor();
    await page.keyboard.press("Tab");
    expect(await focusedName(page)).toBe("Skip to content");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("content");
    await isSound();
  });
});

const screens = [
  { name: "wide", viewport: { width: 1440, height: 900 }, hasTouch: false },
  { name: "phone", viewport: { width: 390, height: 844 }, hasTouch: true },
] as const;

const themes = ["light", "dark"] as const;

describe.each(screens)("on a $name screen", (screen) => {
  it.each(themes)(
    "console R-UIT-2, R-A11Y-1: every page in the %s theme is sound and fits the screen",
    async (theme) => {
      const { id } = await ask(server, {
        amount: 48_210.5,
        supplier: { name: "Holzwerk Nord GmbH", account: "DE89 3704" },
      });
      const { page, isSound } = await open({
        viewport: screen.viewport,
        hasTouch: screen.hasTouch,
        colorScheme: theme,
      });
      const picture = async (name: string): Promise<void> => {
        await isSound();
        await page.screenshot({ path: join(pictures, `${name}-${screen.name}-${theme}.png`) });
      };
      await page.goto(`${server.url}/app/login`);
      await page.getByLabel("Another user name").waitFor();
      await picture("sign-in");
      await signIn(page, server.url, "alva", true);
      await page.getByRole("list", { name: "Waiting for you" }).waitFor();
      await picture("inbox");
      await page.goto(`${server.url}/app/requests/${id}`);
      await page.getByRole("button", { name: "Approve" }).waitFor();
      await picture("request");
      await page.goto(`${server.url}/app/requests`);
      await page.getByRole("list", { name: "Requests" }).waitFor();
      await picture("requests");
      await page.goto(`${server.url}/app/policies`);
      await page.getByRole("list", { name: "Policies" }).waitFor();
      await picture("policies");
      await page.goto(`${server.url}/app/policies/payout.v1/1`);
      await page.getByRole("heading", { name: "Stages" }).waitFor();
      await picture("policy");
      const painted = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      expect(painted).toBe(theme === "light" ? "rgb(251, 250, 247)" : "rgb(20, 22, 26)");
    },
  );
});

it("console section 5: a chosen theme wins over the system's and is kept", async () => {
  const { page, isSound } = await open({ colorScheme: "light" });
  await signIn(page, server.url, "alva");
  await page.getByRole("button", { name: "Theme" }).click();
  await page.getByRole("menuitemradio", { name: "Dark" }).click();
  await page.reload();
  await page.getByRole("heading", { name: "Inbox" }).waitFor();
  expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe("rgb(20, 22, 26)");
  await isSound();
});

it("console R-A11Y-1: nothing is lost at 320 pixels", async () => {
  const { id } = await ask(server);
  const { page, isSound } = await open({ viewport: { width: 320, height: 640 } });
  await signIn(page, server.url, "alva");
  await isSound();
  await page.goto(`${server.url}/app/requests/${id}`);
  await page.getByRole("button", { name: "Approve" }).waitFor();
  await isSound();
});
