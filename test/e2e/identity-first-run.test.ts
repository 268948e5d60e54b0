/** Getting in for the first time and again: each test has a server of its own, because a first run happens once. */
import { TOTP, Secret } from "otpauth";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import type { ConsoleBrowser } from "./console-browser.ts";
import { launchBrowser } from "./console-browser.ts";
import type { IdentityServer } from "./console-server.ts";
import { isRecord, startIdentityServer } from "./console-server.ts";
import type { Visit } from "./identity-visit.ts";
import { setUp, visit } from "./identity-visit.ts";

let browser: ConsoleBrowser;
let server: IdentityServer | null = null;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterEach(async () => {
  await server?.stop();
  server = null;
});

afterAll(() => browser.close());

async function started(): Promise<IdentityServer> {
  server = await startIdentityServer();
  return server;
}

async function signOut({ page }: Visit): Promise<void> {
  await page.getByRole("button", { name: /signed in as/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
}

describe("the first run", () => {
  it("console R-WHO-1, R-WHO-3: by the printed link with a passkey; out, and in again with the passkey alone", async () => {
    const { url, setupLink } = await started();
    const ada = await visit(browser);
    await setUp(ada, setupLink);
    await ada.isSound();
    expect(await ada.api("GET /me")).toMatchObject({ assignee: "ada", enrolled: true, session: { method: "passkey" } });
    // The link is used up for ever, and its secret is nowhere in the address.
    expect(ada.page.url()).not.toContain("#");
    await ada.device.touched(false);
    await signOut(ada);
    await ada.isSound();

    await ada.device.verifies(false);
    // The field's own offer is answered first, without verification, and fails in silence: the button says why.
    await ada.device.touched(true);
    await ada.page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await ada.page.getByText(/did not check that it is you/).waitFor();
    await ada.device.verifies(true);
    await ada.page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await ada.page.getByRole("heading", { name: "Inbox" }).waitFor();
    await ada.isSound();

    const stranger = await visit(browser);
    stranger.expectAnswer("404 /v1/setup");
    await stranger.page.goto(setupLink);
    await stranger.page.getByLabel("Organization").fill("Somebody else");
    await stranger.page.getByLabel("Your name").fill("Mallory");
    await stranger.page.getByLabel("Your e-mail address").fill("mallory@example.org");
    await stranger.page.getByLabel("Your user name").fill("mallory");
    await stranger.page.getByRole("button", { name: "Continue" }).click();
    await stranger.page.getByText("setup_link_invalid").waitFor();
    await stranger.isSound();
    expect(url).toContain("localhost");
  });

  it("console R-WHO-1, R-WHO-2: with a password and an authenticator; the browser is trusted and then asks for no code", async () => {
    const { setupLink } = await started();
    const ada = await visit(browser);
    const { page } = ada;
    await page.goto(setupLink);
    await page.getByLabel("Organization").fill("Holzwerk Nord");
    await page.getByLabel("Your name").fill("Ada Ruiz");
    await page.getByLabel("Your e-mail address").fill("ada@holzwerk.example");
    await page.getByLabel("Your user name").fill("ada");
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("button", { name: "Use a password and an authenticator app instead" }).click();
    await page.getByLabel("New password").fill("short");
    await page.getByRole("button", { name: "Continue to the authenticator" }).click();
    await page.getByText("This has 5 characters.").waitFor();
    await page.getByLabel("New password").fill(password);
    await page.getByRole("button", { name: "Continue to the authenticator" }).click();
    await page.getByRole("img", { name: "QR code of the secret" }).waitFor();
    const secret = (await page.locator("code").first().innerText()).replaceAll(" ", "");
    await ada.isSound();
    await page.getByLabel("Code that the app shows").fill(codeOf(secret));
    await page.getByRole("button", { name: "Confirm the authenticator" }).click();
    const list = page.getByRole("list", { name: "Backup codes" });
    await list.waitFor();
    const codes = await list.getByRole("listitem").allInnerTexts();
    expect(codes).toHaveLength(10);
    await page.getByRole("button", { name: "I have stored them" }).click();
    await page.getByRole("heading", { name: "Inbox" }).waitFor();

    await signOut(ada);
    ada.expectAnswer("401 /v1/auth/password");
    await page.getByLabel("User name").fill("ada");
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Sign in with password" }).click();
    await page.getByText("credentials_invalid").waitFor();
    expect(await page.getByLabel("Password", { exact: true }).inputValue()).toBe(password);
    await page.getByLabel("Authenticator or backup code").fill(codes[0] ?? "");
    await page.getByLabel(/Trust this browser/).check();
    await page.getByRole("button", { name: "Sign in with password" }).click();
    await page.getByRole("heading", { name: "Inbox" }).waitFor();

    await signOut(ada);
    await page.getByLabel("User name").fill("ada");
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Sign in with password" }).click();
    await page.getByRole("heading", { name: "Inbox" }).waitFor();
    const me = await ada.api("GET /me");
    expect(isRecord(me) && isRecord(me["session"]) && me["session"]["step_up_until"]).toBeNull();
    await ada.isSound();
  });
});

const password = "correct horse battery staple";

function codeOf(secret: string): string {
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate();
}
