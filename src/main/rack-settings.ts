/**
 * Which racks are there, and how are they reached? One from the environment, several from the configuration. Implements
 * docs/spec/deploy.md R-RACK-1 and R-RACK-3. What cannot be used stops the start with a sentence; tokens are named nowhere.
 */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { RackSettings } from "../adapters/convox/rack-settings.ts";
import type { Config } from "./config-schema.ts";
import { ConfigFault, type Environment } from "./config.ts";

type Own = Config["countersign"];
type Given = Own["racks"][number];
type Tls = RackSettings["info"]["tls"];

/** One rack as it was given, and what its sentences call it. */
interface Named {
  readonly given: Given;
  readonly token: string | null;
  readonly called: string;
}

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** A colon would end the user name in a Basic credential. */
const USERNAME = /^[\u0021-\u0039\u003b-\u007e]{1,255}$/;
const TOKEN = /^[\u0021-\u007e]{1,4096}$/;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
const SWITCH = "COUNTERSIGN_ALLOW_INSECURE_RACK=true";

/** The first is the default rack; none at all is fine: there is no deploy gate then. */
export function rackSettings({ countersign: own }: Config, environment: Environment): readonly RackSettings[] {
  const problems: string[] = [];
  const named = [
    ...rackOfEnvironment(own, problems),
    ...own.racks.map((given, at) => rackOfFile(given, at, environment)),
  ];
  const racks = named.flatMap((each) => settingsOf(each, own, problems));
  const names = named.flatMap(({ given }) => [...new Set([given.name, given.alias])]).filter((name) => name !== "");
  for (const name of new Set(names.filter((each, at) => names.indexOf(each) !== at))) {
    problems.push(`Two racks are called ${name}: give each its own name and alias.`);
  }
  if (problems.length > 0) throw new ConfigFault(problems);
  return racks;
}

function rackOfEnvironment(own: Own, problems: string[]): readonly Named[] {
  if (own.rack_host === "") {
    if (own.rack_token !== "") problems.push("RACK_TOKEN is set, and RACK_HOST is not: say where the rack is.");
    return [];
  }
  const given: Given = {
    ...{ name: own.rack_name, host: own.rack_host, username: own.rack_username, alias: own.rack_alias },
    ...{ display_name: own.rack_display_name, token_env: "RACK_TOKEN", token_file: "", tls_ca_file: "", enabled: true },
  };
  return [{ given, token: own.rack_token, called: "The rack of RACK_HOST" }];
}

function rackOfFile(given: Given, at: number, environment: Environment): Named {
  const called = `The rack ${NAME.test(given.name) ? given.name : `number ${String(at + 1)} of countersign.racks`}`;
  const token = given.token_env === "" ? null : (environment[given.token_env] ?? "");
  return { given, token, called };
}

function settingsOf(named: Named, own: Own, problems: string[]): readonly RackSettings[] {
  const { given, called } = named;
  const before = problems.length;
  const say = (what: string): void => {
    problems.push(`${called} cannot be used: ${what}.`);
  };
  const tls = given.tls ?? (own.enable_rack_tls_pinning ? "pin" : "system");
  checkNames(given, say);
  const host = hostOf(given.host, tls, { isInsecureAllowed: own.allow_insecure_rack, say });
  const token = tokenOf(named, say);
  const authoritiesPem = authoritiesOf(given.tls_ca_file, say);
  if (problems.length > before) return [];
  const info = {
    ...{ name: given.name, host, tls, enabled: given.enabled },
    alias: given.alias === "" ? given.name : given.alias,
    displayName: given.display_name === "" ? given.name : given.display_name,
  };
  return [{ info, username: given.username, token, authoritiesPem }];
}

type Say = (what: string) => void;

function checkNames({ name, alias, display_name: displayName, username }: Given, say: Say): void {
  const rule = "lower-case letters, digits and hyphens, at most 63, and no hyphen first";
  if (!NAME.test(name)) say(`its name has to be ${rule}`);
  if (alias !== "" && !NAME.test(alias)) say(`its alias has to be ${rule}`);
  if (displayName.length > 128 || /\p{C}/u.test(displayName)) {
    say("its display name has to be one line of at most 128 characters");
  }
  if (!USERNAME.test(username)) say("its user name has to be visible characters without a colon");
}

interface HostRule {
  readonly isInsecureAllowed: boolean;
  readonly say: Say;
}

/** Without a scheme it is https. */
function hostOf(host: string, tls: Tls, { isInsecureAllowed, say }: HostRule): string {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(host) ? host : `https://${host}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !["http:", "https:"].includes(url.protocol) || !isBare(url)) {
    say("its host has to be an address such as https://rack.example.com, with a port if need be and nothing else");
    return "";
  }
  const open = url.protocol === "http:" ? openPlain(url) : openSecure(tls);
  if (open !== null && !isInsecureAllowed) say(`${open}; ${SWITCH} allows it`);
  if (url.protocol === "http:" && tls === "pin") say("its host is http://, which has no certificate to pin");
  return url.origin;
}

/** What is open about it, or null. */
function openPlain({ hostname }: URL): string | null {
  return LOOPBACK.test(hostname) ? null : "its host is http:// on another machine, where anyone can read along";
}

function openSecure(tls: Tls): string | null {
  return tls === "insecure" ? "tls: insecure verifies nothing; use system with tls_ca_file, or pin" : null;
}

function isBare({ username, password, pathname, search, hash, hostname }: URL): boolean {
  return hostname !== "" && [username, password, search, hash].every((part) => part === "") && pathname === "/";
}

function tokenOf({ given, token }: Named, say: Say): string {
  if (given.token_env !== "" && given.token_file !== "") say("it has both token_env and token_file: use one");
  const where = given.token_file === "" ? given.token_env : given.token_file;
  const text = token ?? fileText(given.token_file)?.trim() ?? "";
  if (where === "") say("it has neither token_env nor token_file");
  else if (text === "") say(`${where} holds no token`);
  else if (!TOKEN.test(text)) say(`what ${where} holds is no token: it has to be visible characters of ASCII`);
  return text;
}

function authoritiesOf(path: string, say: Say): string | null {
  if (path === "") return null;
  const pem = fileText(path);
  if (pem === null) say(`${path} cannot be read`);
  else if (!isCertificate(pem)) say(`${path} holds no certificate in PEM`);
  return pem;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

function fileText(path: string): string | null {
  try {
    return path === "" ? null : readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
