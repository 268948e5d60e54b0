/**
 * A client of the deploy gate for programs: its API under `/api/v1`, and the rack behind it under `/api/v1/rack-proxy`
 * (docs/spec/deploy.md sections 8, 11). It neither retries nor follows redirects; factors are sent as headers (R-CLI-11).
 */
import { memberOf } from "./api-client.ts";
import { Unreachable } from "./api-refusal.ts";
import { refusalOf } from "./deploy-refusal.ts";

export interface DeployClientOptions {
  /** Of the gateway; it may end in `/racks/NAME`. */
  readonly url: string;
  readonly credential: string | null;
  readonly userAgent: string;
}

export type DeployMethod = "GET" | "POST" | "PUT" | "DELETE";

export interface DeployCall {
  readonly method: DeployMethod;
  /** Below `/api/v1`, with its query. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as a form, as racks read it. */
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly factor?: Factor | null;
  /** Milliseconds until the answer is given up. */
  readonly timeoutMs?: number;
}

export interface Factor {
  readonly method: "totp" | "webauthn";
  readonly value: string;
}

export interface DeployClient {
  readonly url: string;
  readonly userAgent: string;
  readonly credential: string | null;
  /** JSON where the answer is JSON, else its text. Throws DeployRefusal or Unreachable. */
  call(call: DeployCall): Promise<unknown>;
}

/** A promote may take five minutes (R-PROXY-8). */
const TIMEOUT_MS = 310_000;

export function createDeployClient({ url: given, credential, userAgent }: DeployClientOptions): DeployClient {
  const url = given.replace(/\/+$/, "");
  return {
    ...{ url, userAgent, credential },
    async call(call) {
      const [response, text] = await exchange(url, call, deployHeaders({ credential, userAgent }, call));
      if (!response.ok) {
        const { status, statusText } = response;
        throw refusalOf({ status, statusText, text, header: (name) => response.headers.get(name) });
      }
      return valueOf(text);
    },
  };
}

async function exchange(url: string, call: DeployCall, headers: Headers): Promise<readonly [Response, string]> {
  const { method, path, body, form, timeoutMs = TIMEOUT_MS } = call;
  const sent = form === undefined ? (body === undefined ? null : JSON.stringify(body)) : formText(form);
  try {
    const response = await fetch(`${url}/api/v1${path}`, {
      ...{ method, headers, body: sent, redirect: "error", signal: AbortSignal.timeout(timeoutMs) },
    });
    return [response, await response.text()];
  } catch (cause) {
    throw new Unreachable(`${url} does not answer: is the address right, and does the server run?`, { cause });
  }
}

function formText(form: Readonly<Record<string, string>>): string {
  return new URLSearchParams(form).toString();
}

/** What every call carries, also one that becomes a WebSocket. */
export function deployHeaders(
  { credential, userAgent }: Pick<DeployClientOptions, "credential" | "userAgent">,
  { body, form, headers: own = {}, factor = null }: Omit<DeployCall, "method" | "path">,
): Headers {
  const headers = new Headers({ Accept: "application/json", "User-Agent": userAgent, ...own });
  if (credential !== null) headers.set("Authorization", `Bearer ${credential}`);
  if (form !== undefined) headers.set("Content-Type", "application/x-www-form-urlencoded");
  else if (body !== undefined) headers.set("Content-Type", "application/json");
  if (factor !== null) headers.set(factorHeader(factor), factor.value);
  return headers;
}

/** Six digits are the authenticator's, else it is a backup code (R-MFA-2). */
function factorHeader({ method, value }: Factor): string {
  if (method === "webauthn") return "X-MFA-WebAuthn";
  return /^\d{6}$/.test(value.replaceAll(" ", "")) ? "X-Mfa-Totp" : "X-Mfa-Backup-Code";
}

function valueOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return text;
  }
}

/** The items of a list, which stands alone or in a member. */
export function itemsIn(value: unknown, member: string): readonly unknown[] {
  const list = Array.isArray(value) ? value : memberOf(value, member);
  return Array.isArray(list) ? list : [];
}

/** Null where there is no number. */
export function numberIn(value: unknown, name: string): number | null {
  const member = memberOf(value, name);
  return typeof member === "number" ? member : null;
}
