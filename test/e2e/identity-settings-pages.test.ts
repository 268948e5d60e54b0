/** What administrators set: identity providers, the organization's own values, tokens in rotation; and a terminal of the older kind. */
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { ConsoleBrowser } from "./console-browser.ts";
import { launchBrowser } from "./console-browser.ts";
import type { IdentityServer } from "./console-server.ts";
import { isRecord, startIdentityServer } from "./console-server.ts";
import type { Visit } from "./identity-visit.ts";
import { accept, inviteAs, setUp, visit } from "./identity-visit.ts";

let server: IdentityServer;
let browser: ConsoleBrowser;
let ada: Visit;

beforeAll(async () => {
  const environment = { COUNTERSIGN_FACTOR_COOL_DOWN: "5" };
  [server, browser] = await Promise.all([startIdentityServer(environment), launchBrowser()]);
  ada = await visit(browser);
  await setUp(ada, server.setupLink);
  // Acts that need a fresh factor are refused once, and then asked about.
  ada.expectAnswer("401 /v1/");
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

async function confirm(page: Page): Promise<void> {
  await page
    .getByRole("dialog", { name: "Confirm that it is you" })
    .getByRole("button", { name: "Use a passkey" })
    .click();
}

async function openSettings(): Promise<Page> {
  await ada.page.goto(`${server.url}/app/settings`);
  await ada.page.getByText("Cool-down of new factors").waitFor();
  return ada.page;
}

function rowOf(page: Page, list: string, text: string): Locator {
  return page.getByRole("list", { name: list }).getByRole("listitem").filter({ hasText: text });
}

describe("identity providers", () => {
  it("console R-ADM-4, R-ADM-9: are added, tested, changed and removed; each wrong value says so at its field", async () => {
    const page = await openSettings();
    await page.getByText("None.", { exact: false }).first().waitFor();
    await page.getByRole("button", { name: "Add provider" }).click();
    const add = page.getByRole("dialog", { name: "Add identity provider" });
    await add.getByLabel("Issuer").fill("id.holzwerk.example");
    await add.getByLabel("Roles from claims").fill("groups means deployer");
    await add.getByRole("button", { name: "Save" }).click();
    await add.getByText("Give it a name: it is on the sign-in button.").waitFor();
    await add.getByText("Write the issuer’s address").waitFor();
    await add.getByText("Write the client id.").waitFor();
    await add.getByText("Write each rule as: claim = value -> role").waitFor();
    await ada.isSound();

    ada.expectAnswer("422 /v1/identity-providers");
    await add.getByLabel("Name").fill("Staff directory");
    await add.getByLabel("Client id").fill("countersign");
    await add.getByLabel("Client secret").fill("a secret of the test’s");
    await add.getByLabel("Roles from claims").fill("groups = release-managers -> deployer");
    // What only the server knows comes back as its sentence: addresses inside are not called (R-IDP-1).
    await add.getByLabel("Issuer").fill("http://127.0.0.1:9/realm");
    await add.getByRole("button", { name: "Save" }).click();
    await confirm(page);
    await add
      .getByText(/The issuer's address is not allowed/)
      .first()
      .waitFor();
    await ada.isSound();
    await add.getByLabel("Issuer").fill("https://id.holzwerk.invalid");
    await add.getByRole("button", { name: "Save" }).click();
    await confirm(page);
    await add.waitFor({ state: "detached" });
    const row = rowOf(page, "Identity providers", "Staff directory");
    await row.getByText("https://id.holzwerk.invalid").waitFor();

    // Nobody is there: the answer stands beside the button, with its code.
    await row.getByRole("button", { name: "Test" }).click();
    await confirm(page);
    await row.getByText(/^The test failed/).waitFor();
    await row.getByText("identity_provider_unreachable").waitFor();
    await ada.isSound();

    await row.getByRole("button", { name: "Change" }).click();
    const change = page.getByRole("dialog", { name: "Change identity provider" });
    await change.getByText(new RegExp(`^${server.url}/auth/oidc/[\\w-]+/callback$`)).waitFor();
    expect(await change.getByLabel("Roles from claims").inputValue()).toBe("groups = release-managers -> deployer");
    // The secret that is set is never shown; left empty it stays.
    expect(await change.getByLabel("Client secret").inputValue()).toBe("");
    await change.getByLabel("Name").fill("Company directory");
    await change.getByLabel("Offered on the sign-in page").uncheck();
    await change.getByRole("button", { name: "Save" }).click();
    await confirm(page);
    await change.waitFor({ state: "detached" });
    const renamed = rowOf(page, "Identity providers", "Company directory");
    await renamed.getByText("switched off").waitFor();
    expect(await ada.api("GET /identity-providers")).toMatchObject([{ client_secret_set: true, enabled: false }]);

    await renamed.getByRole("button", { name: "Remove" }).click();
    const remove = page.getByRole("dialog", { name: "Remove identity provider" });
    await remove.getByRole("button", { name: "Remove" }).click();
    await remove.getByText("This is not the name.").waitFor();
    await remove.getByLabel("Name, to confirm").fill("Company directory");
    await remove.getByRole("button", { name: "Remove" }).click();
    await confirm(page);
    await renamed.waitFor({ state: "detached" });
    await ada.isSound();
  });
});

describe("settings of the organization", () => {
  it("console R-ADM-1: say where their value comes from and who changed it; null goes back to the installation's", async () => {
    const page = await openSettings();
    const row = rowOf(page, "Organization settings", "Cool-down of new factors");
    await row.getByText("from the environment").waitFor();
    await row.getByText("5 hours", { exact: true }).waitFor();
    await row.getByText("COUNTERSIGN_FACTOR_COOL_DOWN").waitFor();
    const sheet = page.getByRole("dialog", { name: "Cool-down of new factors" });
    const save = async (hours: string): Promise<void> => {
      await row.getByRole("button", { name: "Change" }).click();
      await sheet.getByLabel("hours").fill(hours);
      await sheet.getByRole("button", { name: "Save" }).click();
      await confirm(page);
    };
    await save("48");
    await sheet.waitFor({ state: "detached" });
    await row.getByText("set here").waitFor();
    await row.getByText("48 hours", { exact: true }).waitFor();
    await row.getByText(/changed by you/).waitFor();
    await ada.isSound();

    const bela = await visit(browser);
    await accept(bela, await inviteAs(ada, { login: "bela", name: "Bela Öz", roles: ["admin"] }));
    await bela.page.goto(`${server.url}/app/settings`);
    const theirs = rowOf(bela.page, "Organization settings", "Cool-down of new factors");
    await theirs.getByRole("link", { name: "Ada Ruiz" }).waitFor();
    await bela.isSound();
    await bela.context.close();

    await row.getByRole("button", { name: "Change" }).click();
    await sheet.getByRole("button", { name: "As the installation says" }).click();
    await confirm(page);
    await sheet.waitFor({ state: "detached" });
    await row.getByText("5 hours", { exact: true }).waitFor();
    await ada.isSound();
  });

  it.each([
    ["Cool-down of new factors", "hours", "169"],
    ["Cool-down of new factors", "hours", "two days"],
    ["Idle sessions end after", "minutes", "0"],
    ["Accepted models of passkeys", "Values", "not-an-aaguid"],
  ])(
    "console R-ADM-1: %s: in %s, %j is refused with a sentence, and what was typed stays",
    async (name, label, bad) => {
      const page = await openSettings();
      ada.expectAnswer("422 /v1/settings");
      await rowOf(page, "Organization settings", name).getByRole("button", { name: "Change" }).click();
      const sheet = page.getByRole("dialog", { name });
      await sheet.getByLabel(label).fill(bad);
      await sheet.getByRole("button", { name: "Save" }).click();
      await confirm(page);
      await sheet.getByText("invalid_input").waitFor();
      expect(await sheet.getByLabel(label).inputValue()).toBe(bad);
      await ada.isSound();
    },
  );

  it("console R-ADM-1: say so to somebody who may read none of them", async () => {
    const vida = await visit(browser);
    await accept(vida, await inviteAs(ada, { login: "vida", name: "Vida Holm", roles: ["viewer"] }));
    await vida.page.goto(`${server.url}/app/settings`);
    await vida.page.getByText("No settings for you").waitFor();
    await vida.isSound();
    await vida.context.close();
  });

  it("identity R-LOCAL-1: nobody shuts everybody out: without a provider local sign-in cannot be switched off", async () => {
    const page = await openSettings();
    ada.expectAnswer("409 /v1/settings");
    const row = rowOf(page, "Organization settings", "Sign in by identity provider only");
    await row.getByRole("button", { name: "Change" }).click();
    const sheet = page.getByRole("dialog", { name: "Sign in by identity provider only" });
    await sheet.getByLabel("On").check();
    await sheet.getByRole("button", { name: "Save" }).click();
    await confirm(page);
    await sheet.getByText(/nobody could sign in any more: add one first/).waitFor();
    await ada.isSound();
    await sheet.getByRole("button", { name: "Leave as it is" }).click();
    await row.getByText("off", { exact: true }).waitFor();
  });
});

it("identity R-TOK-6: a token is rotated: the new secret is shown once and works, the former one only as long as was said", async () => {
  const { page } = ada;
  const me = await ada.api("GET /me");
  const owner = isRecord(me) ? me["person_id"] : null;
  const machine = await ada.api("POST /machines", { kind: "ci", name: "release-pipeline", owners: [owner] }, "fresh");
  const machineId = isRecord(machine) ? machine["id"] : null;
  const draft = {
    machine_id: machineId,
    name: "Ask for releases",
    family: "generic",
    scopes: ["approval:request:create"],
  };
  const made = await ada.api("POST /tokens", draft, "fresh");
  const first = isRecord(made) ? String(made["secret"]) : "";
  const works = async (secret: string): Promise<number> =>
    (await fetch(`${server.url}/v1/me`, { headers: { Authorization: `Bearer ${secret}` } })).status;
  expect(await works(first)).toBe(200);

  await page.goto(`${server.url}/app/tokens`);
  const row = rowOf(page, "Tokens", "Ask for releases");
  const rotate = async (overlap: string): Promise<string> => {
    await row.getByRole("button", { name: "Rotate" }).click();
    const sheet = page.getByRole("dialog", { name: "Rotate token" });
    await sheet.getByLabel("The old secret").selectOption({ label: overlap });
    await ada.isSound();
    await sheet.getByRole("button", { name: "Rotate" }).click();
    await confirm(page);
    const secret = await sheet.getByLabel("token", { exact: true }).innerText();
    await ada.isSound();
    await sheet.getByRole("button", { name: "Done" }).click();
    await sheet.waitFor({ state: "detached" });
    expect(await page.content()).not.toContain(secret);
    return secret;
  };
  const second = await rotate("works for 1 more day");
  expect([await works(first), await works(second)]).toEqual([200, 200]);
  const third = await rotate("stops at once");
  await row.getByText(`cst_…${third.slice(-4)}`).waitFor();
  await expect.poll(() => works(second), { timeout: 5_000 }).toBe(401);
  expect(await works(third)).toBe(200);
});

describe("a terminal of the older kind", () => {
  interface Waiting {
    /** What the terminal opens in the browser. */
    readonly address: string;
    readonly code: string;
    readonly complete: () => ReturnType<typeof post>;
  }

  async function start(): Promise<Waiting> {
    const { auth_url: address, user_code: code, ...kept } = (await post("/auth/cli/start", {})).body;
    const { state, code_verifier } = kept;
    return {
      address: String(address),
      code: String(code),
      complete: () => post("/auth/cli/complete", { state, code_verifier }),
    };
  }

  async function post(
    path: string,
    body: unknown,
  ): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
    const response = await fetch(`${server.url}/v1${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "User-Agent": "rack-gateway/2.1" },
      body: JSON.stringify(body),
    });
    const answer: unknown = await response.json();
    return { status: response.status, body: isRecord(answer) ? answer : {} };
  }

  it("identity R-TERM-5: the page shows what waits and the terminal's own code, and lets it in after a press", async () => {
    const { page } = ada;
    const { address, code, complete } = await start();
    expect((await complete()).status).toBe(202);
    await page.goto(address);
    await page.getByRole("heading", { name: "A terminal wants to act as you" }).waitFor();
    await page.getByText("Does your terminal show this code?").waitFor();
    await page.getByText(code, { exact: true }).waitFor();
    await page.getByText("rack-gateway/2.1").waitFor();
    await page.getByText("127.0.0.1, as you").waitFor();
    await page.getByText("Ada Ruiz").waitFor();
    // A link that is passed on does not carry the code.
    expect(page.url()).not.toContain(code);
    await ada.isSound();
    // Looking at it lets nothing in.
    expect((await complete()).status).toBe(202);
    await page.getByRole("button", { name: "Authorize this terminal" }).click();
    await page.getByText("The terminal is signed in. You can close this page.").waitFor();
    await ada.isSound();
    const { status, body } = await complete();
    expect([status, body["email"], typeof body["token"]]).toEqual([200, "ada@holzwerk.example", "string"]);
    // One use.
    expect((await complete()).status).toBe(400);
  });

  it("identity R-TERM-5: “Not me” lets nothing in, and a state that nobody made says so", async () => {
    const { page } = ada;
    const { address, complete } = await start();
    await page.goto(address);
    await page.getByRole("button", { name: "Not me" }).click();
    await page.getByRole("heading", { name: "Nothing was let in" }).waitFor();
    expect((await complete()).status).toBe(202);
    ada.expectAnswer("400 /v1/auth/cli/waiting/");
    await page.goto(address.replace(/waiting=.*$/, "waiting=00000000-0000-4000-8000-000000000000"));
    await page.getByText("login_state_invalid").waitFor();
    await ada.isSound();
  });
});
