import { existsSync } from "node:fs";

import axe from "axe-core";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { chromium } from "playwright-core";
import { expect } from "vitest";

/** A browser whose pages fail the test for what a person would not see: R-UIT-3 and R-UIT-4. */
export interface ConsoleBrowser {
  readonly open: (options?: BrowserContextOptions) => Promise<ConsolePage>;
  readonly close: () => Promise<void>;
}

export interface ConsolePage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Answers that this test provokes on purpose, as "409 /v1/tasks/". */
  readonly expectAnswer: (statusAndPath: string) => void;
  /** No serious or critical finding of axe, no CSP violation, no console error, no failed request, no sideways scroll. */
  readonly isSound: () => Promise<void>;
}

/** Shorter than the time of a test, so that a failure names what was waited for. */
const waitMilliseconds = 15_000;

const wide = { width: 1440, height: 900 };

/** The only refusal that belongs to an ordinary visit: asking who is signed in before anybody is. */
const ordinary = ["401 /v1/me"];

export async function launchBrowser(): Promise<ConsoleBrowser> {
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: ["--no-sandbox"] });
  return {
    open: (options = {}) => openPage(browser, options),
    close: () => browser.close(),
  };
}

function chromiumPath(): string {
  const path = process.env["COUNTERSIGN_TEST_CHROMIUM"] ?? "/usr/bin/chromium";
  if (!existsSync(path)) {
    throw new Error(`There is no Chromium at ${path}: install it, or set COUNTERSIGN_TEST_CHROMIUM to where it is.`);
  }
  return path;
}

async function openPage(browser: Browser, options: BrowserContextOptions): Promise<ConsolePage> {
  const context = await browser.newContext({ viewport: wide, ...options });
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (violation) => {
      throw new Error(`content security policy: ${violation.violatedDirective} ${violation.blockedURI}`);
    });
  });
  context.setDefaultTimeout(waitMilliseconds);
  const page = await context.newPage();
  const expected = [...ordinary];
  const faults = watch(page, expected);
  return {
    page,
    context,
    expectAnswer: (statusAndPath) => expected.push(statusAndPath),
    isSound: async () => {
      expect(await axeFindings(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(
        0,
      );
      expect(faults).toEqual([]);
    },
  };
}

function watch(page: Page, expected: readonly string[]): readonly string[] {
  const faults: string[] = [];
  page.on("console", (message) => {
    // What the browser logs about answers is judged by the answers themselves, below.
    const isAnswer = message.text().startsWith("Failed to load resource");
    if ((message.type() === "error" || message.type() === "warning") && !isAnswer)
      faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`page: ${error.message}`));
  page.on("requestfailed", (request) => {
    // Leaving a page ends what it was still reading; cutting the line is what some tests do.
    const reason = request.failure()?.errorText ?? "";
    if (!/ERR_ABORTED|ERR_INTERNET_DISCONNECTED/.test(reason)) faults.push(`request: ${request.url()} ${reason}`);
  });
  page.on("response", (response) => {
    if (response.status() < 400) return;
    const answer = `${String(response.status())} ${new URL(response.url()).pathname}`;
    if (!expected.some((each) => answer.startsWith(each))) faults.push(`answer: ${answer}`);
  });
  return faults;
}

/** Evaluated over the debugging protocol: the page's own policy allows no script from elsewhere. */
async function axeFindings(page: Page): Promise<unknown> {
  await page.evaluate(axe.source);
  const findings = await page.evaluate(
    `axe.run().then((report) => JSON.stringify(report.violations
      .filter((violation) => violation.impact === "serious" || violation.impact === "critical")
      .map((violation) => violation.id + ": " + violation.nodes.map((node) => node.target.join(" ")).join(", "))))`,
  );
  return JSON.parse(String(findings));
}

/** Signs in as a development user through the page itself. */
export async function signIn(page: Page, url: string, userName: string, admin = false): Promise<void> {
  await page.goto(`${url}/app/login`);
  await page.getByLabel("Another user name").fill(userName);
  if (admin) await page.getByLabel("With the administrator role").check();
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("heading", { name: "Inbox" }).waitFor();
  await page.getByText("Live", { exact: true }).waitFor();
}
