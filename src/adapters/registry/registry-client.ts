/**
 * One registry over the distribution specification's API: which digest does a tag lead to? `HEAD` of the manifest, its digest header, else
 * the hash of the manifest itself; a challenge is met once. Implements docs/spec/deploy.md R-IMAGE-8.
 */
import { createHash } from "node:crypto";
import type { DigestAnswer } from "../../ports/image-registries.ts";
import { registryChallenge, type RegistryChallenge } from "./bearer-challenge.ts";

/** The guarded fetch, with room for a manifest. */
export type RegistryFetch = (
  url: string,
  init: {
    readonly method: "GET" | "HEAD";
    readonly headers: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
  },
) => Promise<Response>;

export interface RegistrySettings {
  /** As images name it: `ghcr.io`, `docker.io`. */
  readonly name: string;
  /** Where its API is, without a slash at the end. */
  readonly url: string;
  /** The only host, besides its own, that may hand out its tokens and is given its password. */
  readonly tokenHost: string;
  /** Null asks as nobody. */
  readonly credential: { readonly username: string; readonly password: string } | null;
}

const ACCEPT = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");
const DIGEST = /^sha256:[0-9a-f]{64}$/;
/** What a header may carry. */
const TOKEN = /^[\u0021-\u007e]{1,16384}$/;

export interface Tagged {
  /** Below the registry: `library/nginx`. */
  readonly path: string;
  readonly tag: string;
}

/** Where the authority to pull comes from, once it was asked for. */
type Authorization = { readonly value: string | null } | { readonly why: string };

export async function taggedDigest(
  registry: RegistrySettings,
  fetch: RegistryFetch,
  { path, tag }: Tagged,
  signal: AbortSignal,
): Promise<DigestAnswer> {
  const url = `${registry.url}/v2/${path}/manifests/${tag}`;
  const send = (method: "GET" | "HEAD", authorization: string | null): Promise<Response> =>
    fetch(url, { method, signal, headers: headersOf(authorization) });
  let head = await send("HEAD", null);
  let authorization: string | null = null;
  if (head.status === 401) {
    const given = await answerToChallenge(
      registry,
      fetch,
      { path, challenge: head.headers.get("www-authenticate") },
      signal,
    );
    if ("why" in given) return given;
    authorization = given.value;
    head = await send("HEAD", authorization);
  }
  const refused = refusal(registry, head.status);
  if (refused !== null) return refused;
  const told = head.headers.get("docker-content-digest")?.trim() ?? "";
  if (DIGEST.test(told)) return { digest: told };
  const whole = await send("GET", authorization);
  const failed = refusal(registry, whole.status);
  if (failed !== null) return failed;
  const bytes = Buffer.from(await whole.arrayBuffer());
  return { digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}` };
}

function headersOf(authorization: string | null): Readonly<Record<string, string>> {
  return { accept: ACCEPT, "user-agent": "countersign", ...(authorization === null ? {} : { authorization }) };
}

function refusal({ name }: RegistrySettings, status: number): { readonly why: string } | null {
  if (status === 200) return null;
  if (status === 404) return { why: `${name} has no such image` };
  if (status === 401 || status === 403) return { why: `${name} does not let this server see the image` };
  return { why: `${name} answered ${String(status)}` };
}

async function answerToChallenge(
  registry: RegistrySettings,
  fetch: RegistryFetch,
  { path, challenge: header }: { readonly path: string; readonly challenge: string | null },
  signal: AbortSignal,
): Promise<Authorization> {
  const challenge = registryChallenge(header);
  if (challenge === null) return { why: `${registry.name} asks for credentials in a way that is not known here` };
  if (challenge.kind === "bearer") return bearer(registry, fetch, { path, challenge }, signal);
  const own = basic(registry);
  return own === null ? { why: `${registry.name} asks for credentials, and none are configured` } : { value: own };
}

function basic({ credential }: RegistrySettings): string | null {
  if (credential === null) return null;
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`, "utf8").toString("base64")}`;
}

/** The right to pull this one repository, whatever the challenge asks for. */
async function bearer(
  registry: RegistrySettings,
  fetch: RegistryFetch,
  about: { readonly path: string; readonly challenge: Extract<RegistryChallenge, { readonly kind: "bearer" }> },
  signal: AbortSignal,
): Promise<Authorization> {
  const { name } = registry;
  const realm = realmOf(registry, about.challenge.realm);
  if (realm === null) return { why: `${name} sends its callers to another host for tokens than the configured one` };
  const { service } = about.challenge;
  if (service !== null) realm.searchParams.set("service", service);
  realm.searchParams.set("scope", `repository:${about.path}:pull`);
  const own = basic(registry);
  const headers = { accept: "application/json", "user-agent": "countersign", ...(own && { authorization: own }) };
  const answer = await fetch(realm.href, { method: "GET", headers, signal });
  if (answer.status !== 200)
    return { why: `${name} gave no token: its token service answered ${String(answer.status)}` };
  const token = tokenIn(await answer.text());
  return token === null ? { why: `${name} gave no token that can be read` } : { value: `Bearer ${token}` };
}

/** Credentials go to the registry's own hosts alone. */
function realmOf({ url, tokenHost }: RegistrySettings, realm: string): URL | null {
  if (!URL.canParse(realm)) return null;
  const [asked, own] = [new URL(realm), new URL(url)];
  return asked.origin === own.origin || asked.origin === `${own.protocol}//${tokenHost}` ? asked : null;
}

function tokenIn(text: string): string | null {
  const members = membersOf(text);
  const token = members.get("token") ?? members.get("access_token");
  return typeof token === "string" && TOKEN.test(token) ? token : null;
}

function membersOf(text: string): ReadonlyMap<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return new Map(typeof value === "object" && value !== null ? Object.entries(value) : []);
  } catch {
    return new Map();
  }
}
