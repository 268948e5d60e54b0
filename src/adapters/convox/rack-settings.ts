/** What the connections to one rack are made of, and what all of them share. Implements docs/spec/deploy.md R-RACK-1 and R-RACK-3. */
import type { PinStore, RackCertificate, RackInfo } from "../../ports/rack.ts";

export interface RackSettings {
  readonly info: RackInfo;
  readonly username: string;
  /** Never logged and never shown. */
  readonly token: string;
  /** Authorities that are believed besides those of the system. */
  readonly authoritiesPem: string | null;
}

export interface RackSurroundings {
  readonly pins: PinStore;
  /** A pinned rack presented another certificate; the connection was not used. */
  readonly certificateChanged?: (info: RackInfo, presented: RackCertificate) => void;
  /** Milliseconds that only go forward. */
  readonly now?: () => number;
  readonly socketTimes?: SocketTimes;
}

/** In milliseconds (R-WS-4, R-WS-5). */
export interface SocketTimes {
  readonly pingEvery: number;
  /** Silence after a ping that means that nobody is there. */
  readonly pongWithin: number;
  /** From the loss of one end to the end of both. */
  readonly closeWithin: number;
}

export const socketTimes: SocketTimes = { pingEvery: 30_000, pongWithin: 90_000, closeWithin: 5_000 };

/**
 * The hops close one after the other, both within `closeWithin`. A client that is slow to read what is left has most of that time; a
 * rack hangs up at once.
 */
export function clientHandshakeWithin({ closeWithin }: SocketTimes): number {
  return (closeWithin * 4) / 5;
}

export function rackHandshakeWithin({ closeWithin }: SocketTimes): number {
  return closeWithin / 5;
}
