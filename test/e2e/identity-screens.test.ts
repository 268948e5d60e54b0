/** Every page of identity and assurance in light and dark, wide and narrow (console R-UIT-2, R-A11Y-1). */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { ConsoleBrowser } from "./console-browser.ts";
import { launchBrowser } from "./console-browser.ts";
import type { IdentityServer } from "./console-server.ts";
import { isRecord, startIdentityServer } from "./console-server.ts";
import { askRelease, seedPolicies } from "./identity-seed.ts";
import type { Visit } from "./identity-visit.ts";
import { accept, addAuthenticator, inviteAs, setUp, visit } from "./identity-visit.ts";

const pictures = join(import.meta.dirname, "out");

let server: IdentityServer;
let browser: ConsoleBrowser;
let ada: Visit;
let signedId: string;
let provenId: string;
let personId: string;

beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  [server, browser] = await Promise.all([startIdentityServer(), launchBrowser()]);
  ada = await visit(browser);
  await setUp(ada, server.setupLink);
  await addAuthenticator(ada, server.url);
  await seedPolicies(ada, [
    { key: "signed.v1", assurance: "signed", approver: "ada" },
    { key: "proven.v1", assurance: "mfa", approver: "ada" },
  ]);
  const bela = await visit(browser);
  await accept(bela, await inviteAs(ada, { login: "bela", name: "Bela Öz", roles: ["deployer"] }));
  await inviteAs(ada, { login: "cira", name: "Cira Nowak", roles: ["viewer"] });
  ({ id: signedId } = await askRelease(bela, "signed.v1"));
  ({ id: provenId } = await askRelease(bela, "proven.v1"));
  const me = await bela.api("GET /me");
  personId = String(isRecord(me) ? me["person_id"] : "");
  await bela.context.close();
  const own = await ada.api("GET /me");
  const owners = [String(isRecord(own) ? own["person_id"] : "")];
  const machine = await ada.api("POST /machines", { kind: "ci", name: "release-pipeline", owners }, "fresh");
  const machine_id = String(isRecord(machine) ? machine["id"] : "");
  const scopes = ["approval:request:create", "approval:request:read"];
  await ada.api("POST /tokens", { machine_id, name: "Ask for releases", family: "generic", scopes }, "fresh");
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

const screens = [
  { name: "wide", viewport: { width: 1440, height: 900 }, hasTouch: false },
  { name: "phone", viewport: { width: 390, height: 844 }, hasTouch: true },
] as const;

const themes = ["light", "dark"] as const;

describe.each(screens)("on a $name screen", ({ name, viewport, hasTouch }) => {
  it.each(themes)("console R-UIT-2, R-A11Y-1: the pages before the console in the %s theme", async (theme) => {
    const { page, isSound } = await browser.open({ viewport, hasTouch, colorScheme: theme });
    const picture = async (what: string): Promise<void> => {
      await isSound();
      await page.screenshot({ path: join(pictures, `identity-${what}-${name}-${theme}.png`) });
    };
    await page.goto(`${server.url}/app/sign-in?refused=not_invited`);
    await page.getByRole("button", { name: "Sign in with a passkey" }).waitFor();
    await picture("sign-in");
    await page.goto(`${server.url}/app/setup#${"a".repeat(43)}`);
    await page.getByLabel("Organization").waitFor();
    await picture("setup");
    await page.goto(`${server.url}/app/invitation#${"a".repeat(43)}`);
    await page.getByRole("button", { name: "Accept the invitation" }).waitFor();
    await picture("invitation");
    await page.goto(`${server.url}/app/recover#${"a".repeat(43)}`);
    await page.getByRole("button", { name: "Recover my account" }).waitFor();
    await picture("recover");
    expect(page.url()).not.toContain("#");
  });

  it.each(themes)("console R-UIT-2, R-A11Y-1: the pages of the console in the %s theme", async (theme) => {
    const storageState = await ada.context.storageState();
    const visitor = await browser.open({ viewport, hasTouch, colorScheme: theme, storageState });
    const { page, isSound } = visitor;
    const picture = async (what: string): Promise<void> => {
      await isSound();
      await page.screenshot({ path: join(pictures, `identity-${what}-${name}-${theme}.png`) });
    };
    const open = async (path: string, ready: string): Promise<void> => {
      await page.goto(`${server.url}/app/${path}`);
      await page.getByText(ready).first().waitFor();
    };
    await open("inbox", "Release managers");
    await page.getByRole("checkbox").first().check();
    await picture("inbox-selected");
    await open(`requests/${signedId}`, "Sign with passkey");
    await page.getByText("What your passkey signs").click();
    await picture("request-signed");
    await open(`requests/${provenId}`, "Claim");
    await page.getByRole("button", { name: "Approve" }).click();
    await page.getByRole("button", { name: "Use a passkey" }).waitFor();
    await picture("proof");
    await open("security", "Where you are signed in");
    await page.getByText("10 of 10 left").waitFor();
    await picture("security");
    await open("people", "Cira Nowak");
    await picture("people");
    await page.getByRole("button", { name: "Invite" }).click();
    await page.getByText("Deployer", { exact: false }).first().waitFor();
    await picture("invite");
    await open(`people/${personId}`, "Identities and names");
    await picture("person");
    await open("machines", "release-pipeline");
    await picture("machines");
    await open("tokens", "Ask for releases");
    await picture("tokens");
    await page.getByRole("button", { name: "Make token" }).click();
    await page.getByText("a token can never approve").waitFor();
    await picture("token");
    await open("settings", "Cool-down of new factors");
    await picture("settings");
    await page.getByRole("button", { name: "Add provider" }).click();
    await page.getByLabel("Issuer").waitFor();
    await picture("provider");
    await open("organizations", "you are here");
    await picture("organizations");
    const state = "s".repeat(32);
    await open(`cli?code_challenge=${"c".repeat(43)}&state=${state}&client=countersign&host=laptop-7&port=1`, "Not me");
    await picture("cli");
    await visitor.context.close();
  });
});
