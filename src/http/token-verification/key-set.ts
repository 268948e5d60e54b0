/**
 * The keys of the issuer: fetched once, kept, refreshed in the background, and still used for a day while the issuer is
 * down. Implements docs/spec/api.md R-AUTH-22.
 */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import { isJsonObject } from "../../core/json.ts";
import { Unavailable } from "../../ports/unavailable.ts";

const FRESH_MS = 600_000;
const REFETCH_PAUSE_MS = 30_000;
const STALE_MAX_MS = 24 * 3_600_000;

export interface KeySource {
  readonly issuer: string;
  /** Null: named by the issuer's discovery document. */
  readonly jwksUrl: string | null;
}

export interface World {
  /** Answers the parsed JSON of a successful response; rejects for everything else, and after a while. */
  readonly fetchJson: (url: string) => Promise<unknown>;
  readonly clock: () => number;
  /** Told about every fetch that failed. */
  readonly warn: (cause: unknown) => void;
}

interface Kept {
  readonly find: JWTVerifyGetKey;
  readonly fetchedAt: number;
}

export class KeySet {
  readonly #source: KeySource;
  readonly #world: World;
  #kept: Kept | null = null;
  #fetching: Promise<Kept> | null = null;
  #attemptedAt = Number.NEGATIVE_INFINITY;

  constructor(source: KeySource, world: World) {
    this.#source = source;
    this.#world = world;
  }

  /** For jose: the key that a token's header names. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const kept = await this.#usable();
    try {
      return await kept.find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !this.#mayFetch()) throw error;
      return (await this.#fetchOr(kept)).find(header, token);
    }
  };

  async #usable(): Promise<Kept> {
    const kept = this.#kept;
    if (kept === null) return this.#fetch();
    const age = this.#world.clock() - kept.fetchedAt;
    if (age < FRESH_MS) return kept;
    if (age >= STALE_MAX_MS) return this.#fetch();
    if (this.#mayFetch()) void this.#fetchOr(kept);
    return kept;
  }

  #mayFetch(): boolean {
    return this.#fetching !== null || this.#world.clock() - this.#attemptedAt >= REFETCH_PAUSE_MS;
  }

  /** Never rejects: what is kept serves on. */
  async #fetchOr(kept: Kept): Promise<Kept> {
    try {
      return await this.#fetch();
    } catch {
      return kept;
    }
  }

  /** Everybody who needs the keys now waits for one and the same fetch. */
  #fetch(): Promise<Kept> {
    this.#fetching ??= this.#load().finally(() => {
      this.#fetching = null;
    });
    return this.#fetching;
  }

  async #load(): Promise<Kept> {
    this.#attemptedAt = this.#world.clock();
    try {
      const keys = await this.#world.fetchJson(await this.#address());
      if (!isKeySet(keys)) throw new Error("the answer is not a JWKS");
      this.#kept = { find: createLocalJWKSet(keys), fetchedAt: this.#attemptedAt };
      return this.#kept;
    } catch (cause) {
      this.#world.warn(cause);
      throw new Unavailable("idp_unavailable", "Could not reach the identity provider's keys", cause);
    }
  }

  async #address(): Promise<string> {
    const { issuer, jwksUrl } = this.#source;
    if (jwksUrl !== null) return jwksUrl;
    const found = await this.#world.fetchJson(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
    if (!isJsonObject(found) || found["issuer"] !== issuer || typeof found["jwks_uri"] !== "string") {
      throw new Error("the discovery document is not this issuer's");
    }
    return found["jwks_uri"];
  }
}

function isKeySet(value: unknown): value is JSONWebKeySet {
  return isJsonObject(value) && Array.isArray(value["keys"]) && value["keys"].every(isJsonObject);
}
