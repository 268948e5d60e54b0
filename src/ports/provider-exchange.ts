/**
 * One HTTP call to a provider that the server is configured for, bounded in time and size, and what came back as a value: an adapter
 * never sees a thrown network error. Implements docs/spec/deploy.md R-CI-8 and the bounds of R-GITHUB-1.
 */

export interface ProviderCall {
  readonly method: "GET" | "POST" | "PUT" | "PATCH";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text; null sends none. */
  readonly body: string | null;
  readonly timeoutMs: number;
  readonly bytesMax: number;
  /** Ends the call before its own time is over. */
  readonly signal?: AbortSignal;
}

export interface ProviderAnswer {
  readonly status: number;
  readonly header: (name: string) => string | null;
  /** The parsed JSON; undefined when the answer had none. */
  readonly body: unknown;
}

/** There was no answer, or none that could be read to its end. */
export interface ProviderUnreachable {
  /** For a person: says nothing secret. */
  readonly unreachable: string;
  /** The answer was larger than the call allows. */
  readonly tooLarge: boolean;
}

export type ProviderExchange = (call: ProviderCall) => Promise<ProviderAnswer | ProviderUnreachable>;
