/**
 * A CI job's own identity, exchanged for a short credential that is kept in memory alone and renewed before it ends
 * (docs/spec/deploy.md R-OIDC-2, R-CLI-12; RFC 8693).
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { memberOf, textIn } from "../../client/api-client.ts";
import { Unreachable } from "../../client/api-refusal.ts";
import { refusalOf } from "../../client/deploy-refusal.ts";
import { numberIn } from "../../client/deploy-client.ts";
import { userAgent } from "../signed-in-client.ts";
import { CliFault } from "./cli-outcome.ts";

const RENEW_BEFORE_MS = 60_000;
const TIMEOUT_MS = 30_000;

interface Held {
  readonly credential: string;
  readonly endsAt: number;
}

/** Answers the credential of the moment each time it is called. */
export function oidcCredential(url: string): () => Promise<string> {
  let held: Held | null = null;
  return async () => {
    if (held === null || Date.now() > held.endsAt - RENEW_BEFORE_MS)
      held = await exchanged(url, await identityToken(url));
    return held.credential;
  };
}

async function exchanged(url: string, subjectToken: string): Promise<Held> {
  const askedAt = Date.now();
  const [response, text] = await ask(`${url}/api/v1/auth/oidc/token`, {
    method: "POST",
    headers: { Accept: "application/json", "User-Agent": userAgent() },
    body: new URLSearchParams({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      subject_token: subjectToken,
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    }),
  });
  if (!response.ok) {
    const { status, statusText } = response;
    throw refusalOf({ status, statusText, text, header: (name) => response.headers.get(name) });
  }
  const answer = jsonOf(text);
  const credential = textIn(answer, "access_token");
  if (credential === null) throw new CliFault(`${url} answered something else than a credential.`);
  return { credential, endsAt: askedAt + (numberIn(answer, "expires_in") ?? 0) * 1_000 };
}

/** GitHub is asked, CircleCI and GitLab have put it in the environment. */
async function identityToken(audience: string): Promise<string> {
  const { env } = process;
  const [address, secret] = [env["ACTIONS_ID_TOKEN_REQUEST_URL"], env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]];
  if (address !== undefined && secret !== undefined) return githubToken(address, secret, audience);
  const given = env["COUNTERSIGN_ID_TOKEN"] ?? "";
  if (given !== "") return given;
  if (env["CIRCLECI"] === "true" || env["CIRCLE_OIDC_TOKEN_V2"] !== undefined) {
    return (await circleToken(audience)) ?? env["CIRCLE_OIDC_TOKEN_V2"] ?? notHere();
  }
  return notHere();
}

function notHere(): never {
  throw new CliFault(
    "no identity of a CI job is here: GitHub needs `permissions: id-token: write`, GitLab `id_tokens: COUNTERSIGN_ID_TOKEN`",
  );
}

async function githubToken(address: string, secret: string, audience: string): Promise<string> {
  const target = new URL(address);
  target.searchParams.set("audience", audience);
  const [response, text] = await ask(target.href, { headers: { Authorization: `Bearer ${secret}` } });
  const token = response.ok ? memberOf(jsonOf(text), "value") : null;
  if (typeof token !== "string") throw new CliFault(`GitHub gave this job no identity (${String(response.status)})`);
  return token;
}

/** Null where the program is missing: then the token of the environment, whose audience is the organization, has to do. */
async function circleToken(audience: string): Promise<string | null> {
  try {
    const claims = JSON.stringify({ aud: audience });
    const { stdout } = await promisify(execFile)("circleci", ["run", "oidc", "get", "--claims", claims]);
    return stdout.trim() === "" ? null : stdout.trim();
  } catch {
    return null;
  }
}

async function ask(address: string, init: RequestInit): Promise<readonly [Response, string]> {
  try {
    const response = await fetch(address, { ...init, redirect: "error", signal: AbortSignal.timeout(TIMEOUT_MS) });
    return [response, await response.text()];
  } catch (cause) {
    throw new Unreachable(`${new URL(address).origin} does not answer.`, { cause });
  }
}

function jsonOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return null;
  }
}
