import { Secret, TOTP } from "otpauth";
import type { BrowserContextOptions, CDPSession, Page } from "playwright-core";
import type { ConsoleBrowser, ConsolePage } from "./console-browser.ts";
import { isRecord } from "./console-server.ts";

/** A browser with a passkey device of its own (console R-UIT-1): what it holds goes with it when the page is closed. */
export interface Visit extends ConsolePage {
  readonly device: PasskeyDevice;
  /**
   * Calls the API as whoever is signed in on the page, as `api("GET /me")`, elsewhere than in `/v1` as `api("GET root:/api/v1/info")`;
   * with `fresh` the passkey proves the call.
   */
  readonly api: (act: string, body?: unknown, fresh?: "fresh") => Promise<unknown>;
}

export interface PasskeyDevice {
  /** False: the person fails to show who they are, by finger, face or PIN. */
  readonly verifies: (verified: boolean) => Promise<void>;
  /** False: nobody touches it, so every question waits. A field that offers passkeys is answered at once otherwise. */
  readonly touched: (touched: boolean) => Promise<void>;
  readonly passkeys: () => Promise<readonly unknown[]>;
  /** The device is lost: a new one takes its place. */
  readonly lose: () => Promise<void>;
}

const authenticator = {
  protocol: "ctap2",
  transport: "internal",
  hasResidentKey: true,
  hasUserVerification: true,
  isUserVerified: true,
  automaticPresenceSimulation: true,
} as const;

export async function visit(browser: ConsoleBrowser, options: BrowserContextOptions = {}): Promise<Visit> {
  const opened = await browser.open(options);
  const session = await opened.context.newCDPSession(opened.page);
  const device = await attachDevice(session);
  return {
    ...opened,
    device,
    api: (act, body, fresh) => callFrom(opened.page, { act, body, fresh: fresh === "fresh" }),
  };
}

async function attachDevice(session: CDPSession): Promise<PasskeyDevice> {
  // Without the browser's own dialog, which nobody could press here.
  await session.send("WebAuthn.enable", { enableUI: false });
  const attach = async (): Promise<string> => {
    const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", { options: authenticator });
    return authenticatorId;
  };
  let id = await attach();
  return {
    verifies: async (verified) => {
      await session.send("WebAuthn.setUserVerified", { authenticatorId: id, isUserVerified: verified });
    },
    touched: async (touched) => {
      await session.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId: id, enabled: touched });
    },
    passkeys: async () => (await session.send("WebAuthn.getCredentials", { authenticatorId: id })).credentials,
    lose: async () => {
      await session.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId: id });
      id = await attach();
    },
  };
}

/**
 * In again by the button, with a device that nobody touches: a question that reached it untouched stays unanswered, so
 * it is touched when the button has asked the server and the browser has not yet asked the device.
 */
export async function signInByButton({ page, device }: Visit): Promise<void> {
  const asked = "**/v1/auth/passkey/options";
  await page.route(asked, async (route) => {
    await device.touched(true);
    await route.continue();
  });
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor({ state: "detached" });
  await page.unroute(asked);
}

/** The sign-in page has come, and the ceremony behind its field has its challenge. */
export async function fieldOffers(page: Page, leave: () => Promise<void>): Promise<void> {
  const offered = page.waitForResponse((response) => response.url().endsWith("/v1/auth/passkey/options"));
  await leave();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await offered;
}

interface PageCall {
  readonly act: string;
  readonly body: unknown;
  readonly fresh: boolean;
}

/** Runs in the page, so that cookie, origin and device are the browser's own. */
async function callFrom(page: Page, asked: PageCall): Promise<unknown> {
  const { status, text } = await page.evaluate(async ({ act, body, fresh }) => {
    const member = (value: unknown, name: string): unknown =>
      typeof value === "object" && value !== null
        ? Object.entries(value).find(([key]) => key === name)?.[1]
        : undefined;
    const me: unknown = await (await fetch("/v1/me")).json();
    const headers = new Headers({ "X-CSRF-Token": String(member(me, "csrf_token")) });
    const [method = "GET", named = ""] = act.split(" ");
    const path = named.startsWith("root:") ? named.slice("root:".length) : `/v1${named}`;
    if (fresh) {
      headers.set("Content-Type", "application/json");
      const challenge = await fetch("/v1/me/challenges", {
        method: "POST",
        headers,
        body: JSON.stringify({ act: `${method} ${path.replace(/^(?:\/api)?\/v1/, "")}` }),
      });
      const made: unknown = await challenge.json();
      const options: unknown = member(made, "options");
      const isOptions = (value: unknown): value is PublicKeyCredentialRequestOptionsJSON =>
        typeof member(value, "challenge") === "string";
      if (!isOptions(options)) throw new Error(`no challenge: ${JSON.stringify(made)}`);
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
      const passkey = await navigator.credentials.get({ publicKey });
      const response = passkey instanceof PublicKeyCredential ? passkey.toJSON() : null;
      headers.set("X-MFA-WebAuthn", btoa(JSON.stringify({ challenge: member(made, "id"), response })));
    }
    headers.delete("Content-Type");
    if (body !== undefined) headers.set("Content-Type", "application/json");
    const response = await fetch(path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, text: await response.text() };
  }, asked);
  if (status >= 400) throw new Error(`${asked.act}: ${String(status)} ${text}`);
  return text === "" ? null : JSON.parse(text);
}

/** The first administrator, set up by the link with a passkey, as a person does it; ends in the inbox. */
export async function setUp({ page }: Visit, setupLink: string): Promise<void> {
  await page.goto(setupLink);
  await page.getByLabel("Organization").fill("Holzwerk Nord");
  await page.getByLabel("Your name").fill("Ada Ruiz");
  await page.getByLabel("Your e-mail address").fill("ada@holzwerk.example");
  await page.getByLabel("Your user name").fill("ada");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("button", { name: "Create a passkey" }).click();
  await page.getByRole("button", { name: "I have stored them" }).click();
  await page.getByRole("heading", { name: "Inbox" }).waitFor();
}

/** Somebody invited by an administrator, who accepts with a passkey of their own; ends in the inbox. Their backup codes. */
export async function accept({ page }: Visit, link: string): Promise<readonly string[]> {
  await page.goto(link);
  await page.getByRole("button", { name: "Accept the invitation" }).click();
  await page.getByRole("button", { name: "Create a passkey" }).click();
  const list = page.getByRole("list", { name: "Backup codes" });
  await list.waitFor();
  const codes = await list.getByRole("listitem").allInnerTexts();
  await page.getByRole("button", { name: "I have stored them" }).click();
  await page.getByRole("heading", { name: "Inbox" }).waitFor();
  return codes;
}

/** Adds an authenticator on the security page, the passkey proving it; gives its codes, each of which works once. */
export async function addAuthenticator({ page }: Visit, url: string): Promise<() => string> {
  await page.goto(`${url}/app/security`);
  await page.getByRole("button", { name: "Add authenticator" }).click();
  await page
    .getByRole("dialog", { name: "Confirm that it is you" })
    .getByRole("button", { name: "Use a passkey" })
    .click();
  const sheet = page.getByRole("dialog", { name: "Add authenticator" });
  await sheet.getByRole("img", { name: "QR code of the secret" }).waitFor();
  const secret = Secret.fromBase32((await sheet.locator("code").first().innerText()).replaceAll(" ", ""));
  const totp = new TOTP({ secret });
  // One step either side of now is taken, and none twice: begin with the oldest.
  let step = Math.floor(Date.now() / stepMilliseconds) - 1;
  const next = (): string => {
    const code = totp.generate({ timestamp: step * stepMilliseconds });
    step = Math.max(step + 1, Math.floor(Date.now() / stepMilliseconds) - 1);
    return code;
  };
  await sheet.getByLabel("Code that the app shows").fill(next());
  await sheet.getByRole("button", { name: "Confirm the authenticator" }).click();
  await sheet.waitFor({ state: "detached" });
  return next;
}

const stepMilliseconds = 30_000;

export interface Invited {
  readonly login: string;
  readonly name: string;
  readonly roles: readonly string[];
}

/** The link that an administrator would hand over. */
export async function inviteAs(admin: Visit, { login, name, roles }: Invited): Promise<string> {
  const email = `${login}@holzwerk.example`;
  const answer = await admin.api("POST /people", { email, login, name, roles }, "fresh");
  if (!isRecord(answer) || typeof answer["link"] !== "string") throw new Error("The invitation has no link");
  return answer["link"];
}
