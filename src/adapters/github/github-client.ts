/**
 * GitHub's REST API as its documentation asks callers to behave: versioned, conditional, patient with faults, silent while limited.
 * Implements the calls of docs/spec/deploy.md R-GITHUB-1; what an answer means is decided by whoever asked.
 */
import { encodedPath } from "../../gates/deploy/vcs-links.ts";
import type {
  ProviderAnswer,
  ProviderCall,
  ProviderExchange,
  ProviderUnreachable,
} from "../../ports/provider-exchange.ts";
import { EtagCache } from "./etag-cache.ts";
import { GithubAuthorization, type GithubCredential } from "./github-credential.ts";

export interface GithubSettings {
  /** `GITHUB_API_URL`, without a slash at the end. */
  readonly apiUrl: string;
  readonly credential: GithubCredential;
  /** 10 s; shorter in tests of what happens then. */
  readonly timeoutMs?: number;
}

export interface GithubWorld {
  readonly exchange: ProviderExchange;
  readonly clock: () => number;
  /** Waits between two tries; ends early when the signal does. */
  readonly pause: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

export interface GithubCall {
  readonly method: ProviderCall["method"];
  /** `owner/repo`, checked. */
  readonly repo: string;
  /** Below `/repos/owner/repo`, encoded; with its query. */
  readonly path: string;
  readonly body?: unknown;
  readonly bytesMax?: number;
  readonly signal?: AbortSignal;
}

export type GithubAnswer =
  | { readonly kind: "answer"; readonly status: number; readonly body: unknown; readonly hasNext: boolean }
  | {
      readonly kind: "unavailable";
      readonly detail: string;
      readonly retryAfterSeconds: number | null;
      readonly tooLarge: boolean;
    };

const TIMEOUT_MS = 10_000;
const BYTES_MAX = 1024 * 1024;
/** Pauses before the second and the third try of a GET (R-GITHUB-1: twice more). */
const PAUSES_MS = [250, 1_000] as const;
const API_VERSION = "2022-11-28";
/** How long GitHub asks callers to be silent when it limits them and says no time. */
const LIMITED_SECONDS = 60;

export class GithubClient {
  readonly authorization: GithubAuthorization;
  readonly apiUrl: string;
  readonly #timeoutMs: number;
  readonly #world: GithubWorld;
  readonly #cache = new EtagCache();
  /** Until when nothing may be asked, by whose rate it is. */
  readonly #limited = new Map<string, number>();

  constructor({ apiUrl, credential, timeoutMs }: GithubSettings, world: GithubWorld) {
    this.apiUrl = apiUrl.replace(/\/+$/, "");
    this.#timeoutMs = timeoutMs ?? TIMEOUT_MS;
    this.#world = world;
    this.authorization = new GithubAuthorization(credential, world.clock, (value, { method, path, body }) =>
      this.#send({ method, url: `${this.apiUrl}${path}`, body, bytesMax: BYTES_MAX, authorization: value, etag: null }),
    );
  }

  async call(call: GithubCall): Promise<GithubAnswer> {
    const limited = this.#limitedFor(call.repo);
    if (limited !== null) return limited;
    const triesMax = call.method === "GET" ? PAUSES_MS.length : 0;
    for (let tries = 0; ; tries += 1) {
      const answer = await this.#once(call);
      const pause = PAUSES_MS[tries];
      const isPassing = answer.kind === "unavailable" && answer.retryAfterSeconds === null && !answer.tooLarge;
      if (!isPassing || tries >= triesMax || pause === undefined || call.signal?.aborted === true) return answer;
      await this.#world.pause(pause, call.signal);
    }
  }

  /** Who the token is; null for an App, and when GitHub does not say. */
  async login(repo: string, signal: AbortSignal | undefined): Promise<string | null> {
    const authorization = await this.authorization.forRepository(repo);
    if (this.authorization.appId !== null || !("value" in authorization)) return null;
    const found = await this.#send({
      method: "GET",
      url: `${this.apiUrl}/user`,
      body: null,
      bytesMax: BYTES_MAX,
      authorization: authorization.value,
      etag: null,
      ...(signal === undefined ? {} : { signal }),
    });
    return "status" in found && found.status === 200 ? loginOf(found.body) : null;
  }

  async #once(call: GithubCall): Promise<GithubAnswer> {
    const authorization = await until(this.authorization.forRepository(call.repo), call.signal);
    if (authorization === null) return unavailable("the time for this was over", null, false);
    if ("answer" in authorization) return this.#read(call, authorization.answer);
    const answer = await this.#sendTo(call, authorization.value);
    if (!("status" in answer) || answer.status !== 401 || !this.authorization.forget(call.repo)) {
      return this.#read(call, answer);
    }
    const renewed = await this.authorization.forRepository(call.repo);
    return this.#read(call, "value" in renewed ? await this.#sendTo(call, renewed.value) : renewed.answer);
  }

  #sendTo(call: GithubCall, authorization: string): Promise<ProviderAnswer | ProviderUnreachable> {
    const { method, body, bytesMax = BYTES_MAX, signal } = call;
    const url = this.#urlOf(call);
    return this.#send({
      ...{ method, url, bytesMax, authorization, ...(signal === undefined ? {} : { signal }) },
      body: body === undefined ? null : JSON.stringify(body),
      etag: method === "GET" ? (this.#cache.get(url)?.etag ?? null) : null,
    });
  }

  #send({
    authorization,
    etag,
    ...call
  }: Omit<ProviderCall, "headers" | "timeoutMs"> & {
    readonly authorization: string;
    readonly etag: string | null;
  }): Promise<ProviderAnswer | ProviderUnreachable> {
    const headers = {
      accept: "application/vnd.github+json",
      "x-github-api-version": API_VERSION,
      "user-agent": "countersign",
      authorization,
      ...(call.body === null ? {} : { "content-type": "application/json" }),
      ...(etag === null ? {} : { "if-none-match": etag }),
    };
    return this.#world.exchange({ ...call, headers, timeoutMs: this.#timeoutMs });
  }

  #read(call: GithubCall, answer: ProviderAnswer | ProviderUnreachable): GithubAnswer {
    if ("unreachable" in answer) return unavailable(answer.unreachable, null, answer.tooLarge);
    const limitedSeconds = limitOf(answer, this.#world.clock());
    if (limitedSeconds !== null) {
      this.#limited.set(this.#limitKey(call.repo), this.#world.clock() + limitedSeconds * 1_000);
      return limited(limitedSeconds);
    }
    if (answer.status >= 500) return unavailable(`GitHub answered ${String(answer.status)}`, null, false);
    if (call.method !== "GET") return taken(answer, answer.body, null);
    const url = this.#urlOf(call);
    const kept = answer.status === 304 ? this.#cache.get(url) : null;
    if (kept !== null) return taken({ ...answer, status: 200 }, kept.body, kept.link);
    const etag = answer.header("etag");
    const link = answer.header("link");
    if (answer.status === 200 && etag !== null && answer.body !== undefined) {
      this.#cache.put(url, { etag, body: answer.body, link });
    }
    return taken(answer, answer.body, link);
  }

  #urlOf({ repo, path }: GithubCall): string {
    return `${this.apiUrl}/repos/${encodedPath(repo)}${path}`;
  }

  /** Installations have rates of their own; a token has one. */
  #limitKey(repo: string): string {
    return this.authorization.appId === null ? "" : repo;
  }

  #limitedFor(repo: string): GithubAnswer | null {
    const until = this.#limited.get(this.#limitKey(repo));
    if (until === undefined) return null;
    const seconds = Math.ceil((until - this.#world.clock()) / 1_000);
    if (seconds > 0) return limited(seconds);
    this.#limited.delete(this.#limitKey(repo));
    return null;
  }
}

/** A token that others wait for too is not given up; null when this caller's time is over. */
async function until<Value>(work: Promise<Value>, signal: AbortSignal | undefined): Promise<Value | null> {
  if (signal === undefined) return work;
  if (signal.aborted) return null;
  let stop = (): void => undefined;
  const over = new Promise<null>((resolve) => {
    stop = () => {
      resolve(null);
    };
  });
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([work, over]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Seconds to be silent when this answer is a limit: `Retry-After`, else until the reset, else a minute. */
function limitOf({ status, header, body }: ProviderAnswer, now: number): number | null {
  if (status !== 403 && status !== 429) return null;
  const after = header("retry-after");
  if (after !== null && /^[0-9]{1,6}$/.test(after)) return Math.max(1, Number(after));
  const reset = header("x-ratelimit-reset");
  if (header("x-ratelimit-remaining") === "0" && reset !== null && /^[0-9]{1,12}$/.test(reset)) {
    return Math.max(1, Math.ceil(Number(reset) - now / 1_000));
  }
  return status === 429 || /rate limit/i.test(messageOf(body)) ? LIMITED_SECONDS : null;
}

/** What GitHub says of an error. */
export function messageOf(body: unknown): string {
  const message = memberOf(body, "message");
  return typeof message === "string" ? message.slice(0, 500) : "";
}

function loginOf(body: unknown): string | null {
  const login = memberOf(body, "login");
  return typeof login === "string" ? login : null;
}

function memberOf(body: unknown, name: "message" | "login"): unknown {
  return typeof body === "object" && body !== null && name in body ? Reflect.get(body, name) : undefined;
}

function taken({ status }: Pick<ProviderAnswer, "status">, body: unknown, link: string | null): GithubAnswer {
  return { kind: "answer", status, body, hasNext: link?.includes('rel="next"') ?? false };
}

function limited(seconds: number): GithubAnswer {
  return unavailable(`GitHub limits the rate of calls for another ${String(seconds)} s`, seconds, false);
}

function unavailable(detail: string, retryAfterSeconds: number | null, tooLarge: boolean): GithubAnswer {
  return { kind: "unavailable", detail, retryAfterSeconds, tooLarge };
}
