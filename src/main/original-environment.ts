/**
 * Variables of rack-gateway that say what is said here in another form (docs/spec/deploy.md R-SETTINGS-4); those that only have
 * another name stand in `ENVIRONMENT_NAMES`.
 */
type Environment = Readonly<Record<string, string | undefined>>;

export interface SaidByOriginal {
  readonly key: string;
  readonly value: string;
  readonly source: string;
}

const GOOGLE = "https://accounts.google.com";
const LOOPBACK = /^(?:localhost|127\.[0-9.]+|\[::1\])(?::[0-9]+)?$/;

export function saidByOriginal(environment: Environment): readonly SaidByOriginal[] {
  const said: SaidByOriginal[] = [];
  const say = (key: string, source: string, value = textOf(environment, source)): void => {
    if (value !== "" && textOf(environment, source) !== "") said.push({ key: `countersign.${key}`, value, source });
  };
  const domain = textOf(environment, "DOMAIN");
  say("public_url", "DOMAIN", `${LOOPBACK.test(domain) ? "http" : "https"}://${domain}`);
  // Google is one provider among others here: its settings are the one provider's that the environment may name (R-LOGIN-1).
  const base = textOf(environment, "GOOGLE_OAUTH_BASE_URL");
  say("oidc_issuer", "GOOGLE_CLIENT_ID", base === "" ? GOOGLE : base);
  say("oidc_client_id", "GOOGLE_CLIENT_ID");
  say("oidc_client_secret", "GOOGLE_CLIENT_SECRET");
  say("oidc_domains", "GOOGLE_ALLOWED_DOMAIN");
  const database = databaseOfLibpq(environment);
  // Our own parts of an address come first.
  if (textOf(environment, "DB_HOST") === "") say("database_url", "PGHOST", database);
  return said;
}

/** What PG* variables say, as one address; `""` where they name no host. */
function databaseOfLibpq(environment: Environment): string {
  const text = (name: string): string => encodeURIComponent(textOf(environment, name));
  const host = textOf(environment, "PGHOST");
  if (host === "") return "";
  const user = text("PGUSER") === "" ? "postgres" : text("PGUSER");
  // Blanks at the ends of a password are part of it.
  const password = environment["PGPASSWORD"] ?? "";
  const login = password === "" ? user : `${user}:${encodeURIComponent(password)}`;
  const isSocket = host.startsWith("/");
  const port = text("PGPORT") === "" ? "5432" : text("PGPORT");
  const query = new URLSearchParams(isSocket ? { host, port } : {});
  if (textOf(environment, "PGSSLMODE") !== "") query.set("sslmode", textOf(environment, "PGSSLMODE"));
  const rest = query.size === 0 ? "" : `?${query.toString()}`;
  const database = text("PGDATABASE") === "" ? user : text("PGDATABASE");
  return `postgres://${login}@${isSocket ? "" : `${host}:${port}`}/${database}${rest}`;
}

/** Addresses that browsers are told of follow from the public one here: another one said besides cannot be meant. */
export function contradictedByOriginal(environment: Environment, publicUrl: string): readonly string[] {
  const address = new URL(URL.canParse(publicUrl) ? publicUrl : "http://localhost");
  const problems: string[] = [];
  const rpId = textOf(environment, "WEBAUTHN_RP_ID");
  if (rpId !== "" && rpId !== address.hostname) {
    problems.push(
      `WEBAUTHN_RP_ID is ${rpId}, but people reach this installation at ${address.hostname}: passkeys of the one do not work at the other. Change COUNTERSIGN_PUBLIC_URL, or remove the variable.`,
    );
  }
  const origins = ["WEBAUTHN_ORIGIN", "WEBAUTHN_ORIGINS"].flatMap((name) => listOf(environment, name));
  if (publicUrl !== "" && origins.length > 0 && !origins.includes(address.origin)) {
    problems.push(
      `WEBAUTHN_ORIGIN does not name ${address.origin}, where people reach this installation: change it, or remove it.`,
    );
  }
  if (
    textOf(environment, "COOKIE_SECURE").toLowerCase() === "true" &&
    address.protocol === "http:" &&
    publicUrl !== ""
  ) {
    problems.push(`COOKIE_SECURE is true, but ${publicUrl} is plain HTTP, where such cookies are never sent.`);
  }
  return problems;
}

/** What is set and changes nothing here, each a sentence. */
export function unusedOfOriginal(environment: Environment, publicUrl: string): readonly string[] {
  const unused: string[] = [];
  const anchors = Object.keys(environment).filter(
    (name) => name.startsWith("AUDIT_ANCHOR_") && textOf(environment, name) !== "",
  );
  if (anchors.length > 0) {
    unused.push(
      `${anchors.sort().join(", ")}: no bucket is written to here; the ledger is signed, and GET /v1/ledger/checkpoint gives what to keep elsewhere`,
    );
  }
  const isInsecure = textOf(environment, "COOKIE_SECURE").toLowerCase() === "false";
  if (isInsecure && publicUrl.startsWith("https:")) {
    unused.push("COOKIE_SECURE=false: over https every cookie is a secure one");
  }
  const named = Object.keys(environment).filter(
    (name) => /^WEBAUTHN_(?!RP_ID$|ORIGINS?$)/.test(name) && textOf(environment, name) !== "",
  );
  if (named.length > 0)
    unused.push(`${named.sort().join(", ")}: passkeys are asked for under the public address alone`);
  return unused.map((sentence) => `Warning: not used, ${sentence}.`);
}

function listOf(environment: Environment, name: string): readonly string[] {
  return textOf(environment, name)
    .split(/[\s,]+/)
    .filter((one) => one !== "");
}

/** They switched off what protects people, or threw away what is kept: with one of them nothing starts. */
const REFUSED = ["E2E_TEST_MODE", "RESET_RACK_GATEWAY_DATABASE"];

export function refusedByName(environment: Environment): readonly string[] {
  return REFUSED.filter((name) => textOf(environment, name) !== "").map(
    (name) => `${name} in the environment is not taken here: remove it.`,
  );
}

function textOf(environment: Environment, name: string): string {
  return environment[name]?.trim() ?? "";
}
