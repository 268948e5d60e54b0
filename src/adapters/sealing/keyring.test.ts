import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KeyringFault, readKeyring, sealingKeyFile } from "./keyring.ts";

const [ONE, TWO] = [randomBytes(32), randomBytes(32)];
const LIST = `new:${ONE.toString("base64")},old:${TWO.toString("base64")}`;

describe("the keyring", () => {
  let dataDir = "";
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "countersign-keys-"));
  });
  afterEach(async () => {
    await rm(dataDir, { recursive: true });
  });

  it("identity R-SEAL-2: comes from the environment; the first key seals", async () => {
    const keyring = await readKeyring({ COUNTERSIGN_SEALING_KEYS: LIST }, dataDir);
    expect(keyring.sealing).toBe("new");
    expect([...keyring.keys]).toEqual([
      ["new", new Uint8Array(ONE)],
      ["old", new Uint8Array(TWO)],
    ]);
    await expect(stat(sealingKeyFile(dataDir))).rejects.toThrow(/ENOENT/);
  });

  it("identity R-SEAL-2: is made on the first start, readable by its owner alone, and stays", async () => {
    const [first, meanwhile] = await Promise.all([readKeyring({}, dataDir), readKeyring({}, dataDir)]);
    expect(meanwhile).toEqual(first);
    expect(await readKeyring({}, dataDir)).toEqual(first);
    expect((await stat(sealingKeyFile(dataDir))).mode & 0o777).toBe(0o600);
    expect((await stat(join(dataDir, "keys"))).mode & 0o777).toBe(0o700);
    expect(first.keys.get(first.sealing)).toHaveLength(32);
  });

  it("identity R-SEAL-2: a key file that others can read is refused", async () => {
    const file = join(dataDir, "keyring");
    await writeFile(file, `# of 2026\n${LIST.replace(",", "\n")}\n`, { mode: 0o600 });
    const environment = { COUNTERSIGN_SEALING_KEYS_FILE: file };
    expect((await readKeyring(environment, dataDir)).sealing).toBe("new");
    await chmod(file, 0o640);
    await expect(readKeyring(environment, dataDir)).rejects.toThrow(/can be read by others/);
    await expect(readKeyring({ COUNTERSIGN_SEALING_KEYS_FILE: `${file}.gone` }, dataDir)).rejects.toThrow(KeyringFault);
  });

  it("identity R-SEAL-2: comes from a program that unwraps it; what that printed is never told", async () => {
    const file = join(dataDir, "wrapped");
    await writeFile(file, LIST);
    const keyring = await readKeyring({ COUNTERSIGN_SEALING_KEYS_COMMAND: `cat ${file}` }, dataDir);
    expect(keyring.sealing).toBe("new");
    const failing = readKeyring({ COUNTERSIGN_SEALING_KEYS_COMMAND: `cat ${file}; exit 3` }, dataDir);
    await expect(failing).rejects.toThrow(/did not give the sealing keys \(3\)/);
    await expect(failing).rejects.not.toThrow(ONE.toString("base64"));
  });

  it.each([
    ["nothing but commas", ","],
    ["a short key", "k1:AAAA"],
    ["a key without padding", `k1:${ONE.toString("base64").slice(0, -1)}`],
    ["no id", ONE.toString("base64")],
    ["an id with a dot", `k.1:${ONE.toString("base64")}`],
    ["one id twice", `k1:${ONE.toString("base64")},k1:${TWO.toString("base64")}`],
  ])("identity R-SEAL-2: %s is refused without telling the key", async (_what, text) => {
    const reading = readKeyring({ COUNTERSIGN_SEALING_KEYS: text }, dataDir);
    await expect(reading).rejects.toThrow(KeyringFault);
    await expect(reading).rejects.not.toThrow(ONE.toString("base64").slice(0, 20));
  });

  it("identity R-SEAL-2: two sources at once are refused", async () => {
    const both = { COUNTERSIGN_SEALING_KEYS: LIST, COUNTERSIGN_SEALING_KEYS_FILE: "/keys" };
    await expect(readKeyring(both, dataDir)).rejects.toThrow(/only one of/);
  });
});
