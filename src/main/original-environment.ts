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
  return said;
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
