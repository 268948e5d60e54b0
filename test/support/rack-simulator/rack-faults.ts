/**
 * What goes wrong, and on which calls: switched on per method and path, by number of calls or until switched off
 * (deploy R-RACKSIM-1).
 *
 *     const off = simulator.faults.add({ method: "POST", path: "/apps/{app}/releases/{id}/promote", kind: "reset", at: "before" });
 */

export type RackTrouble =
  /** The work is done at once, the answer (of a socket: the 101) comes this much later. */
  | { readonly kind: "delay"; readonly milliseconds: number }
  /**
   * The connection breaks: as soon as the `request` line and headers are there, and nothing is done; or the work is done and it
   * breaks `before` the answer's first byte, `during` its body, or `after` its last byte. A socket knows the first two.
   */
  | { readonly kind: "reset"; readonly at: "request" | "before" | "during" | "after" }
  /** Nothing is done, and this is answered; on a socket in place of the 101. */
  | { readonly kind: "status"; readonly status: number; readonly text?: string }
  | { readonly kind: "content_type"; readonly value: string }
  /** The request's body, or a socket's input, is taken in no faster. */
  | { readonly kind: "slow_reader"; readonly bytesPerSecond: number }
  | { readonly kind: "slow_writer"; readonly bytesPerSecond: number }
  /** A socket's TCP connection ends without a close frame and without the empty binary frame. */
  | { readonly kind: "drop"; readonly afterMessages: number }
  | { readonly kind: "close"; readonly afterMessages: number; readonly code: number; readonly reason?: string }
  /** A socket's pings are not answered. */
  | { readonly kind: "mute" };

export type RackFault = RackTrouble & {
  /** `GET`, `POST`, …; `SOCKET` for a WebSocket; `ANY`. */
  readonly method: string;
  /** Of the undecoded path: `{name}` stands for one segment, `*` for any rest. */
  readonly path: string | RegExp;
  /** How many calls it hits; all of them unless said. */
  readonly times?: number;
};

/** The troubles of one call, at most one of each kind: the one switched on last. */
export class CallTroubles {
  readonly #troubles: readonly RackTrouble[];

  constructor(troubles: readonly RackTrouble[]) {
    this.#troubles = troubles;
  }

  of<K extends RackTrouble["kind"]>(kind: K): Extract<RackTrouble, { kind: K }> | null {
    return (
      this.#troubles.findLast((trouble): trouble is Extract<RackTrouble, { kind: K }> => trouble.kind === kind) ?? null
    );
  }

  resets(at: Extract<RackTrouble, { kind: "reset" }>["at"]): boolean {
    return this.of("reset")?.at === at;
  }
}

interface Switched {
  readonly fault: RackFault;
  readonly pattern: RegExp;
  left: number;
}

export class RackFaults {
  #switched: Switched[] = [];

  /** Switches it on; what it returns switches it off. */
  add(fault: RackFault): () => void {
    const pattern = typeof fault.path === "string" ? patternOf(fault.path) : fault.path;
    const switched = { fault, pattern, left: fault.times ?? Infinity };
    this.#switched.push(switched);
    return () => {
      this.#switched = this.#switched.filter((other) => other !== switched);
    };
  }

  clear(): void {
    this.#switched = [];
  }

  /** What befalls this call; it counts as one of a fault's times. */
  take(method: string, path: string): CallTroubles {
    const hit = this.#switched.filter(
      ({ fault, pattern, left }) => left > 0 && ["ANY", method].includes(fault.method) && pattern.test(path),
    );
    for (const switched of hit) switched.left -= 1;
    return new CallTroubles(hit.map(({ fault }) => fault));
  }
}

function patternOf(path: string): RegExp {
  const parts = path.split(/(\{[a-z]+\}|\*)/).map((part) => {
    if (part === "*") return ".*";
    return /^\{[a-z]+\}$/.test(part) ? "[^/]+" : part.replaceAll(/[.+?^$()[\]|\\]/g, String.raw`\$&`);
  });
  return new RegExp(`^${parts.join("")}$`);
}
