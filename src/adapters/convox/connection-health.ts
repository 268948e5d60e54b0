/**
 * Is it worth trying to connect? After five failures in a row calls fail at once for two seconds, then one connection is tried.
 * Implements docs/spec/deploy.md R-RACK-4.
 */
import { RackFault } from "../../gates/deploy/rack-fault.ts";
import type { RackHealth } from "../../ports/rack.ts";

const FAILURES_MAX = 5;
const REST_MS = 2_000;

export class ConnectionHealth {
  readonly #now: () => number;
  #failures = 0;
  #last: RackFault | null = null;
  #restsUntil = 0;
  #isProbing = false;

  constructor(now: () => number) {
    this.#now = now;
  }

  report(): RackHealth {
    return { failures: this.#failures, lastFault: this.#last?.code ?? null };
  }

  /** Throws what went wrong before; whoever is let in says afterwards how it went. */
  letIn(): void {
    if (this.#failures < FAILURES_MAX || this.#last === null) return;
    if (this.#isProbing || this.#now() < this.#restsUntil) {
      throw new RackFault(this.#last.code, false, `not tried: ${this.#last.message}`);
    }
    this.#isProbing = true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#last = null;
    this.#isProbing = false;
  }

  failed(fault: RackFault): void {
    this.#isProbing = false;
    this.#failures += 1;
    this.#last = fault;
    this.#restsUntil = this.#now() + REST_MS;
  }
}
