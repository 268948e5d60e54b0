/**
 * How often may one credential call, and how often may one address guess? In the memory of this process, before any work
 * for the database. Implements docs/spec/identity.md R-AUTHZ-2 (rate) and api.md R-API-7.
 */
import { createHash } from "node:crypto";
import { networkOf } from "./client-network.ts";

const WINDOW_MS = 60_000;

/** A window of one minute, begun anew at each full minute. */
class Windows {
  readonly #clock: () => number;
  #window = -1;
  readonly #counts = new Map<string, number>();

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  count(key: string): number {
    this.#turn();
    const count = this.at(key) + 1;
    this.#counts.set(key, count);
    return count;
  }

  at(key: string): number {
    this.#turn();
    return this.#counts.get(key) ?? 0;
  }

  secondsLeft(): number {
    const now = this.#clock();
    return Math.ceil(((Math.floor(now / WINDOW_MS) + 1) * WINDOW_MS - now) / 1_000);
  }

  #turn(): void {
    const window = Math.floor(this.#clock() / WINDOW_MS);
    if (window === this.#window) return;
    this.#window = window;
    this.#counts.clear();
  }
}

export interface RateState {
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until the window begins anew. */
  readonly resetSeconds: number;
  readonly exceeded: boolean;
}

/** The writes of each credential, in the generic API. */
export class ApiRate {
  readonly #perMinute: number;
  readonly #windows: Windows;

  /** `perMinute` 0 means without limit. */
  constructor(perMinute: number, clock: () => number) {
    this.#perMinute = perMinute;
    this.#windows = new Windows(clock);
  }

  /** Counts one call; null where nothing is limited. */
  count(credential: string): RateState | null {
    if (this.#perMinute === 0) return null;
    const calls = this.#windows.count(credential);
    return {
      limit: this.#perMinute,
      remaining: Math.max(0, this.#perMinute - calls),
      resetSeconds: this.#windows.secondsLeft(),
      exceeded: calls > this.#perMinute,
    };
  }
}

/**
 * So many calls at once, and so many a second in the long run: the deploy gate's API, where clients ask often and in bursts
 * (docs/spec/deploy.md R-WIRE-1). Whoever has been still for long enough is forgotten.
 */
export class BurstRate {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #clock: () => number;
  /** When each will have its whole burst again, in epoch milliseconds. */
  readonly #fullAt = new Map<string, number>();

  constructor({ perSecond, burst }: { readonly perSecond: number; readonly burst: number }, clock: () => number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#clock = clock;
  }

  count(credential: string): RateState {
    const now = this.#clock();
    const step = 1_000 / this.#perSecond;
    const longest = this.#burst * step;
    // A clock that was set back makes nobody wait longer than an empty burst takes.
    const fullAt = Math.min(Math.max(this.#fullAt.get(credential) ?? now, now), now + longest);
    const left = Math.floor((longest - (fullAt - now)) / step);
    const exceeded = left < 1;
    const next = exceeded ? fullAt : fullAt + step;
    this.#keep(credential, next, now);
    return {
      limit: this.#burst,
      remaining: Math.max(0, left - 1),
      resetSeconds: Math.max(1, Math.ceil((exceeded ? fullAt - now - longest + step : next - now) / 1_000)),
      exceeded,
    };
  }

  #keep(credential: string, fullAt: number, now: number): void {
    this.#fullAt.delete(credential);
    this.#fullAt.set(credential, fullAt);
    for (const [oldest, until] of this.#fullAt) {
      if (until > now && this.#fullAt.size <= KNOWN_GOOD_MAX) break;
      this.#fullAt.delete(oldest);
    }
  }
}

/** What every counted answer says; a refused one says how long to wait as well. */
export function rateHeaders(state: RateState): Readonly<Record<string, string>> {
  const { limit, remaining, resetSeconds, exceeded } = state;
  return {
    "X-RateLimit-Limit": String(limit),
    "X-RateLimit-Remaining": String(remaining),
    "X-RateLimit-Reset": String(resetSeconds),
    ...(exceeded ? { "Retry-After": String(resetSeconds) } : {}),
  };
}

const GUESSES_PER_MINUTE = 30;
/** Credentials that were good a short while ago are no guesses, whoever else guesses at the same address. */
const KNOWN_GOOD_MAX = 10_000;

/**
 * Credentials that were refused, per address. One that is sent again and again, as by a page that was left open, is stopped by
 * itself and uses up one guess of its address, so that it does not bar its neighbours.
 */
export class InvalidCredentials {
  readonly #windows: Windows;
  /** SHA-256 of credentials that were accepted, the oldest first. */
  readonly #good = new Set<string>();

  constructor(clock: () => number) {
    this.#windows = new Windows(clock);
  }

  /** Seconds to wait before a credential from this address is looked at; null when it is looked at now. */
  wait(address: string, credential: string): number | null {
    const from = source(address);
    const hash = digest(credential);
    const isBarred = this.#windows.at(from) >= GUESSES_PER_MINUTE && !this.#good.has(hash);
    const isRepeated = this.#windows.at(`${from} ${hash}`) >= GUESSES_PER_MINUTE;
    return isBarred || isRepeated ? this.#windows.secondsLeft() : null;
  }

  refused(address: string, credential: string): void {
    const from = source(address);
    const hash = digest(credential);
    this.#good.delete(hash);
    if (this.#windows.count(`${from} ${hash}`) === 1) this.#windows.count(from);
  }

  accepted(credential: string): void {
    const hash = digest(credential);
    this.#good.delete(hash);
    this.#good.add(hash);
    for (const oldest of this.#good) {
      if (this.#good.size <= KNOWN_GOOD_MAX) break;
      this.#good.delete(oldest);
    }
  }
}

function digest(credential: string): string {
  return createHash("sha256").update(credential).digest("base64url");
}

/** One subscriber has a whole /64 of IPv6; of IPv4 every address counts alone. */
function source(address: string): string {
  const network = networkOf(address);
  return network.endsWith("/64") ? network : address;
}
