/**
 * People who signed in as a browser does: through the real routes, with a passkey made of node:crypto, a cookie, the token
 * against forged calls, and a factor proven in each call that asks for one.
 *
 *     const admin = await signedIn(at);
 *     const ben = await signedInAs(at, admin, { roles: ["deployer"] });
 *     const answer = await admin.post(`/people/${ben.personId}/lock`, { reason: "left" }, { fresh: true });
 */
import { randomUUID } from "node:crypto";
import { makeSetupLink } from "../../src/app/setup-link.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/core/json.ts";
import { bodyOf, objectIn, textAt } from "./json-answer.ts";
import { SoftwareAuthenticator } from "./software-authenticator.ts";
import type { TestServer } from "./test-server.ts";

export interface BrowserAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  json(): unknown;
}

export interface CallOptions {
  /** Proves the passkey for this very call. */
  readonly fresh?: true;
  /** Added to what a browser sends, or instead of it; undefined leaves one out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

type Method = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS";

/** Every browser has a network of its own, so that nobody uses up somebody else's attempts. */
let networks = 0;

function nextAddress(): string {
  networks += 1;
  return `10.${String((networks >> 8) & 255)}.${String(networks & 255)}.7`;
}

/** A browser before and after signing in: keeps its cookies, and the token of its session. */
export class TestBrowser {
  readonly at: TestServer;
  readonly address: string;
  readonly key: SoftwareAuthenticator;
  /** Sent as it is with every call. */
  csrf: string | null = null;
  me: JsonObject = {};
  readonly #cookies = new Map<string, string>();

  constructor(at: TestServer, { address = nextAddress(), key = authenticatorFor(at) } = {}) {
    this.at = at;
    this.address = address;
    this.key = key;
  }

  get cookie(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  get personId(): string {
    return textAt(this.me, "person_id");
  }

  /** The cookie of this name, without its value's attributes; undefined when there is none. */
  cookieNamed(name: string): string | undefined {
    return this.#cookies.get(name);
  }

  setCookie(name: string, value: string): void {
    this.#cookies.set(name, value);
  }

  forgetCookies(): void {
    this.#cookies.clear();
    this.csrf = null;
  }

  get(path: string, options: CallOptions = {}): Promise<BrowserAnswer> {
    return this.call("GET", path, undefined, options);
  }

  post(path: string, body: unknown = {}, options: CallOptions = {}): Promise<BrowserAnswer> {
    return this.call("POST", path, body, options);
  }

  put(path: string, body: unknown, options: CallOptions = {}): Promise<BrowserAnswer> {
    return this.call("PUT", path, body, options);
  }

  patch(path: string, body: unknown, options: CallOptions = {}): Promise<BrowserAnswer> {
    return this.call("PATCH", path, body, options);
  }

  delete(path: string, options: CallOptions = {}): Promise<BrowserAnswer> {
    return this.call("DELETE", path, undefined, options);
  }

  /** `path` is relative to `/v1`, unless it begins with `root:`. */
  async call(method: Method, path: string, body: unknown, options: CallOptions = {}): Promise<BrowserAnswer> {
    const url = path.startsWith("root:") ? path.slice("root:".length) : `/v1${path}`;
    const proof = options.fresh === true ? await this.proofFor(`${method} ${path.split("?")[0] ?? ""}`) : {};
    const headers = { ...this.#headers(method), ...proof, ...options.headers };
    const answer = await this.at.server.inject({
      ...{ method, url, remoteAddress: this.address, headers: defined(headers) },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    });
    this.#keep(answer.headers["set-cookie"]);
    this.#learn(answer.body);
    return answer;
  }

  /** The header that proves the passkey for this act. */
  async proofFor(act: string, more: JsonObject = {}): Promise<{ readonly "x-mfa-webauthn": string }> {
    const challenge = must(await this.post("/me/challenges", { act, ...more }), 201);
    const response = this.key.assert(challenge["options"] ?? null);
    const proof = JSON.stringify({ challenge: textAt(challenge, "id"), response });
    return { "x-mfa-webauthn": Buffer.from(proof).toString("base64") };
  }

  /** Enrols this browser's passkey; an enrolment session becomes a full one. */
  async enrolPasskey(name = "Test key"): Promise<JsonObject> {
    const { ceremony, options } = must(await this.post("/me/factors/passkey/options"), 201);
    const response = this.key.register(options ?? null);
    return must(await this.post("/me/factors/passkey", { ceremony, response, name }), 201);
  }

  /** Signs in with this browser's passkey. */
  async signIn(): Promise<BrowserAnswer> {
    const { ceremony, options } = must(await this.post("/auth/passkey/options"), 201);
    return this.post("/auth/passkey", { ceremony, response: this.key.assert(options ?? null) });
  }

  #headers(method: Method): Readonly<Record<string, string | undefined>> {
    return {
      cookie: this.cookie === "" ? undefined : this.cookie,
      "sec-fetch-site": "same-origin",
      ...(method === "GET" ? {} : { origin: this.at.options.browser.origin, "content-type": "application/json" }),
      ...(method === "GET" || this.csrf === null ? {} : { "x-csrf-token": this.csrf }),
    };
  }

  #keep(given: string | string[] | undefined): void {
    for (const line of [given ?? []].flat()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === "") this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
  }

  /** Answers that hold `Me`, bare or as a member, tell the token of the session. */
  #learn(body: string): void {
    const value = parsed(body);
    const me = isJsonObject(value) ? (isJsonObject(value["me"]) ? value["me"] : value) : null;
    if (me === null || !("csrf_token" in me)) return;
    this.me = me;
    this.csrf = typeof me["csrf_token"] === "string" ? me["csrf_token"] : null;
  }
}

export function authenticatorFor(at: TestServer): SoftwareAuthenticator {
  return new SoftwareAuthenticator({ origin: at.options.browser.origin });
}

export interface FirstAdministrator {
  readonly login?: string;
  readonly name?: string;
  readonly organization?: string;
}

/** The server's first administrator, by the setup link, with a passkey. */
export async function signedIn(at: TestServer, options: FirstAdministrator = {}): Promise<TestBrowser> {
  const browser = new TestBrowser(at);
  const { login = "root", name = "Rosa Root", organization = "Example" } = options;
  const link = await makeSetupLink(at.app);
  if (link === null) throw new Error("This server has its administrator already");
  const about = { organization, name, email: `${login}@example.com`, login };
  must(await browser.post("/setup", { token: link.token, ...about }), 201);
  await browser.enrolPasskey();
  return browser;
}

export interface InvitedPerson {
  readonly roles?: readonly string[];
  readonly login?: string;
  readonly name?: string;
  /** Id or slug of an organization other than the administrator's. */
  readonly organization?: string;
}

/** Somebody the administrator invites, who accepts and enrols a passkey. */
export async function signedInAs(at: TestServer, admin: TestBrowser, person: InvitedPerson = {}): Promise<TestBrowser> {
  const { roles = ["viewer"], login = `person-${randomUUID().slice(0, 8)}`, organization } = person;
  const about = { email: `${login}@example.com`, name: person.name ?? `Person ${login}`, login, roles };
  const headers = organization === undefined ? {} : { headers: { "x-countersign-org": organization } };
  const invited = must(await admin.post("/people", about, { fresh: true, ...headers }), 201);
  const [, token = ""] = textAt(invited, "link").split("#");
  const browser = new TestBrowser(at);
  must(await browser.post("/auth/invitations/accept", { token }), 201);
  await browser.enrolPasskey();
  return browser;
}

/** The body of an answer that must have this status. */
export function must(answer: BrowserAnswer, status: number): JsonObject {
  if (answer.statusCode !== status) {
    throw new Error(`expected ${String(status)}, got ${String(answer.statusCode)}: ${answer.body.slice(0, 500)}`);
  }
  return answer.body === "" ? {} : bodyOf(answer);
}

/** `201`, or `403 csrf_invalid`. */
export function outcomeOf(answer: BrowserAnswer): string {
  const code = answer.statusCode < 400 ? "" : ` ${textAt(bodyOf(answer), "code")}`;
  return `${String(answer.statusCode)}${code}`;
}

function parsed(body: string): JsonValue {
  try {
    return objectIn(body);
  } catch {
    return null;
  }
}

function defined(headers: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
