/** Which image registries may be asked, and how? From the configuration alone (docs/spec/deploy.md R-IMAGE-8); what cannot be used stops the start. */
import { readFileSync } from "node:fs";
import type { RegistrySettings } from "../adapters/registry/registry-client.ts";
import type { Config } from "./config-schema.ts";
import { ConfigFault, type Environment } from "./config.ts";

type Given = Config["countersign"]["registries"][number];

/** As images name it; Docker Hub's API stands elsewhere than its name. */
const NAME = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?$/;
const HUB = { name: "docker.io", url: "https://registry-1.docker.io", tokenHost: "auth.docker.io" } as const;
const PASSWORD = /^[\u0020-\u007e]{1,16384}$/;

export function registrySettings({ countersign }: Config, environment: Environment): readonly RegistrySettings[] {
  const problems: string[] = [];
  const registries = countersign.registries.map((given) => settingsOf(given, environment, problems));
  const names = registries.map(({ name }) => name);
  for (const name of new Set(names.filter((each, at) => names.indexOf(each) !== at))) {
    problems.push(`Two registries of countersign.registries are called ${name}: name each once.`);
  }
  if (problems.length > 0) throw new ConfigFault(problems);
  return registries;
}

function settingsOf(given: Given, environment: Environment, problems: string[]): RegistrySettings {
  const say = (what: string): void => {
    problems.push(`The registry ${NAME.test(given.name) ? given.name : "without a name"} cannot be used: ${what}.`);
  };
  if (!NAME.test(given.name)) say("its name has to be the host that images name, such as ghcr.io");
  const isHub = given.name === HUB.name;
  const url = given.url === "" ? (isHub ? HUB.url : `https://${given.name}`) : given.url.replace(/\/+$/, "");
  const isUsable = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol) && new URL(url).origin === url;
  if (!isUsable) say("its url has to be an address such as https://registry.example.com, and nothing else");
  const host = isUsable ? new URL(url).host : "";
  const tokenHost = given.token_host === "" ? (isHub ? HUB.tokenHost : host) : given.token_host;
  return { name: given.name, url, tokenHost, credential: credentialOf(given, environment, say) };
}

function credentialOf(
  given: Given,
  environment: Environment,
  say: (what: string) => void,
): RegistrySettings["credential"] {
  const { username, password_env: variable, password_file: file } = given;
  if (username === "" && variable === "" && file === "") return null;
  if (username === "" || username.includes(":")) say("its username has to be set, without a colon");
  if ((variable === "") === (file === "")) say("it needs password_env or password_file, one of them");
  const password = (file === "" ? environment[variable] : fileText(file))?.trim() ?? "";
  if (!PASSWORD.test(password)) say(`${file === "" ? variable : file} holds no password`);
  return { username, password };
}

function fileText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
