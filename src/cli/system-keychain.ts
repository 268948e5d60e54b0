/**
 * The keychain of the operating system, where tokens may lie instead of in a file (docs/spec/deploy.md R-CLI-3): through the
 * program that each system brings along, the secret on its standard input, since arguments are there for everybody to read.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { platform } from "node:os";
import { CliConfigFault } from "./cli-config-fault.ts";

export interface SystemKeychain {
  /** Null where it holds none. */
  read(place: KeychainPlace): string | null;
  write(place: KeychainPlace, secret: string): void;
  /** Also where it holds none. */
  remove(place: KeychainPlace): void;
}

/** Whose secret it is: a file that would hold it otherwise, and its place in there. */
export interface KeychainPlace {
  readonly file: string;
  readonly name: string;
}

const SERVICE = "countersign";
const TIMEOUT_MS = 60_000;

export function systemKeychain(system: string = platform()): SystemKeychain {
  if (system === "darwin") return appleKeychain;
  if (system === "linux") return secretService;
  throw new CliConfigFault(`There is no system keychain for ${system}: tokens stay in the file.`);
}

/** The Secret Service of the desktop, through `secret-tool` of libsecret. */
const secretService: SystemKeychain = {
  read(place) {
    const { status, out, err } = run("secret-tool", ["lookup", ...attributes(place)]);
    if (status === 0 && out !== "") return out;
    // Nothing found is said by the status alone.
    if (err === "") return null;
    throw refused(err);
  },
  write(place, secret) {
    const { status, err } = run("secret-tool", ["store", `--label=${labelOf(place)}`, ...attributes(place)], secret);
    if (status !== 0) throw refused(err);
  },
  remove(place) {
    const { status, err } = run("secret-tool", ["clear", ...attributes(place)]);
    if (status !== 0 && err !== "") throw refused(err);
  },
};

function attributes(place: KeychainPlace): readonly string[] {
  return ["service", SERVICE, "account", accountOf(place)];
}

/** Of `security`: the item could not be found. */
const NOT_FOUND = 44;

const appleKeychain: SystemKeychain = {
  read(place) {
    const { status, out, err } = run("security", ["find-generic-password", ...item(place), "-w"]);
    if (status === NOT_FOUND) return null;
    if (status !== 0) throw refused(err);
    return out.replace(/\n$/, "");
  },
  write(place, secret) {
    // It reads commands from its input, and splits them as a shell does.
    if (!/^[A-Za-z0-9._~+/=-]+$/.test(secret)) throw refused("the token has characters that it cannot take");
    const { status, err } = run(
      "security",
      ["-i"],
      `add-generic-password -U ${item(place).join(" ")} -l "${labelOf(place)}" -w "${secret}"\n`,
    );
    if (status !== 0 || err !== "") throw refused(err);
  },
  remove(place) {
    const { status, err } = run("security", ["delete-generic-password", ...item(place)]);
    if (status !== 0 && status !== NOT_FOUND) throw refused(err);
  },
};

function item(place: KeychainPlace): readonly string[] {
  return ["-s", SERVICE, "-a", accountOf(place)];
}

/** Two files may name the same rack. */
function accountOf({ file, name }: KeychainPlace): string {
  return createHash("sha256").update(`${file}\n${name}`).digest("hex").slice(0, 32);
}

/** For people who look into their keychain. */
function labelOf({ name }: KeychainPlace): string {
  return `Countersign ${name.replaceAll(/[^A-Za-z0-9.:/@_-]/g, "_")}`;
}

interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

function run(program: string, args: readonly string[], input = ""): Ran {
  const { status, stdout, stderr, error } = spawnSync(program, args, { input, encoding: "utf8", timeout: TIMEOUT_MS });
  // Whoever refuses at once does not wait for the secret, and says why.
  const hasRefused = status !== null && status !== 0;
  if (error !== undefined && !hasRefused) {
    const isMissing = "code" in error && error.code === "ENOENT";
    throw new CliConfigFault(
      isMissing
        ? `There is no system keychain here: the program ${program} is missing. Tokens can stay in the file.`
        : `The system keychain does not answer: ${error.message}.`,
    );
  }
  return { status, out: stdout, err: stderr.trim() };
}

function refused(reason: string): CliConfigFault {
  const [first = ""] = reason.split("\n");
  return new CliConfigFault(`The system keychain refused: ${first === "" ? "no reason given" : first}`);
}
