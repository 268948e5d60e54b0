/** `countersign config set keychain`: tokens in the keychain of the system, with programs that speak its interface. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { forgetServer, knownServer, rememberServer } from "../../src/cli/cli-config.ts";
import { forgetGateway, openGatewayConfig, rememberGateway } from "../../src/cli/deploy/gateway-config.ts";
import { addApprovalCommands } from "../../src/cli/deploy/approval-commands.ts";
import { setConfig } from "../../src/cli/set-config.ts";
import { systemKeychain } from "../../src/cli/system-keychain.ts";
import { commandInProcess } from "../support/command-in-process.ts";
import { objectIn } from "../support/json-answer.ts";
import { keychainSimulator, type KeychainSimulator } from "../support/keychain-simulator.ts";
import { openScriptedGateway } from "../support/rack-gateway-process.ts";

const TOKEN = "cst_4f0c1a2b3d4e5f60718293a4b5c6d7e8f9";
const SERVER = { url: "https://approvals.example.com", name: "ana", email: null, expiresAt: "2026-11-20T09:00:00Z" };

const folders: string[] = [];
let home = "";
let keychain: KeychainSimulator;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "keychain-test-"));
  folders.push(home);
  mkdirSync(join(home, "keychain"));
  keychain = keychainSimulator(join(home, "keychain"));
  vi.stubEnv("XDG_CONFIG_HOME", home);
  vi.stubEnv("GATEWAY_CLI_CONFIG_DIR", join(home, "gateway"));
  vi.stubEnv("PATH", `${keychain.bin}:${process.env["PATH"] ?? ""}`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

async function set(name: string, value: string): Promise<readonly [number, string]> {
  let said = "";
  for (const method of ["log", "error"] as const) {
    vi.spyOn(console, method).mockImplementation((text: unknown) => {
      said += `${String(text)}\n`;
    });
  }
  const status = await setConfig(name, value, {});
  return [status, said];
}

const files = (): string =>
  ["countersign/config.json", "gateway/config.json"].map((file) => readFileSync(join(home, file), "utf8")).join("");

describe("tokens in the system keychain", () => {
  it("deploy R-CLI-3: on moves every token out of the files, and off brings them back", async () => {
    rememberServer({ ...SERVER, token: TOKEN });
    rememberGateway(join(home, "gateway"), "production", { url: "https://gw", token: "session-1", sound_volume: 7 });
    expect(await set("keychain", "on")).toEqual([0, "Tokens lie in the system keychain.\n"]);
    expect(files()).not.toMatch(/cst_|session-1/);
    expect([...keychain.secrets()].sort()).toEqual([TOKEN, "session-1"]);
    expect(knownServer()?.token()).toBe(TOKEN);
    const entry = openGatewayConfig(join(home, "gateway")).entry("production");
    expect([entry?.isSignedIn, entry?.token()]).toEqual([true, "session-1"]);
    expect(await set("keychain", "off")).toEqual([0, "Tokens lie in the configuration files.\n"]);
    expect(keychain.secrets()).toEqual([]);
    const { gateways } = objectIn(readFileSync(join(home, "gateway/config.json"), "utf8"));
    expect(gateways).toEqual({ production: { url: "https://gw", token: "session-1", sound_volume: 7 } });
    expect(knownServer()?.token()).toBe(TOKEN);
  });

  it("deploy R-CLI-3: whoever signs in later is kept there too, and forgotten there; no argument ever holds a token", async () => {
    await set("keychain", "on");
    rememberServer({ ...SERVER, token: TOKEN });
    const directory = join(home, "gateway");
    rememberGateway(directory, "production", { url: "https://gw", token: "session-1" });
    rememberGateway(directory, "production", { url: "https://gw", token: "session-2" });
    expect(files()).not.toMatch(/cst_|session-/);
    expect([...keychain.secrets()].sort()).toEqual([TOKEN, "session-2"]);
    forgetServer(SERVER.url);
    forgetGateway(directory, "production");
    expect(keychain.secrets()).toEqual([]);
    expect(keychain.seenArguments()).toContain("store");
    expect(keychain.seenArguments()).not.toMatch(/cst_|session-/);
  });

  it("deploy R-CLI-3: commands use it, and leave it alone when a token is given", async () => {
    const gateway = await openScriptedGateway();
    try {
      gateway.answers(() => ({ body: { deploy_approval_requests: [] } }));
      rememberGateway(join(home, "gateway"), "production", { url: gateway.url, token: "session-1" });
      await set("keychain", "on");
      vi.restoreAllMocks();
      const env = { GATEWAY_CLI_CONFIG_DIR: join(home, "gateway"), PATH: process.env["PATH"] ?? "" };
      const call = { add: addApprovalCommands, env, wrongUsage: 20 };
      expect((await commandInProcess(["list"], call)).status).toBe(0);
      expect(gateway.calls.at(-1)?.headers.authorization).toBe("Bearer session-1");
      keychain.lock(true);
      const locked = await commandInProcess(["list"], call);
      expect([locked.status, locked.err]).toEqual([
        20,
        expect.stringContaining("Error: The system keychain refused: "),
      ]);
      const given = await commandInProcess(["list"], { ...call, env: { ...env, RACK_GATEWAY_API_TOKEN: "rgw_x" } });
      expect(given.status).toBe(0);
      expect(gateway.calls.at(-1)?.headers.authorization).toBe("Bearer rgw_x");
    } finally {
      await gateway.close();
    }
  });

  it("deploy R-CLI-3: where there is no keychain it is refused with a sentence, and the tokens stay where they are", async () => {
    rememberServer({ ...SERVER, token: TOKEN });
    vi.stubEnv("PATH", join(home, "nothing"));
    const [status, said] = await set("keychain", "on");
    expect([status, said]).toEqual([
      20,
      expect.stringMatching(/^Error: There is no system keychain here: the program /),
    ]);
    vi.stubEnv("PATH", keychain.bin);
    expect(knownServer()?.token()).toBe(TOKEN);
    expect(readFileSync(join(home, "countersign/config.json"), "utf8")).toContain(TOKEN);
    expect(() => systemKeychain("win32")).toThrow("There is no system keychain for win32");
    expect((await set("sound", "on"))[0]).toBe(20);
    expect((await set("keychain", "maybe"))[0]).toBe(20);
  });

  it("deploy R-CLI-3: a token that the keychain has lost is told, and does not pass for being signed out", async () => {
    await set("keychain", "on");
    rememberServer({ ...SERVER, token: TOKEN });
    const file = join(home, "countersign/config.json");
    systemKeychain().remove({ file, name: SERVER.url });
    expect(() => knownServer()?.token()).toThrow("The system keychain has lost the token");
  });

  it.each(["linux", "darwin"])("deploy R-CLI-3: on %s a secret is written, replaced, read and removed", (system) => {
    const place = { file: join(home, "a file.json"), name: 'pro"duction; rm -rf' };
    const [chain, other] = [systemKeychain(system), { ...place, file: "another" }];
    expect(chain.read(place)).toBeNull();
    chain.write(place, "first");
    chain.write(place, TOKEN);
    expect([chain.read(place), chain.read(other)]).toEqual([TOKEN, null]);
    chain.remove(place);
    chain.remove(place);
    expect(chain.read(place)).toBeNull();
    expect(keychain.seenArguments()).not.toContain(TOKEN);
    keychain.lock(true);
    expect(() => chain.read(place)).toThrow("The system keychain refused: ");
    expect(() => {
      chain.write(place, TOKEN);
    }).toThrow("The system keychain refused: ");
  });

  it("deploy R-CLI-3: on darwin a secret that would end its quotation is refused", () => {
    const place = { file: "f", name: "n" };
    expect(() => {
      systemKeychain("darwin").write(place, 'a" -x');
    }).toThrow("characters that it cannot take");
    expect(keychain.seenArguments()).toBe("");
  });
});
