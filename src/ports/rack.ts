/**
 * What the deploy gate asks of a rack: one call forwarded, one question asked, one WebSocket carried. Implements
 * docs/spec/deploy.md R-PROXY-5 to R-PROXY-10, R-WS-1 to R-WS-5 and R-RACK-1 to R-RACK-4. What may be forwarded is decided before
 * (src/gates/deploy); credential, host and actor are set behind this port, so that no caller can forget or forge them.
 */
import type { RackFaultCode } from "../gates/deploy/rack-fault.ts";
import type { HeaderPair } from "../gates/deploy/rack-headers.ts";
import type { RackTimeouts } from "../gates/deploy/rack-timeouts.ts";
import type { SocketClose } from "../gates/deploy/socket-close.ts";

export interface RackInfo {
  /** The scope of requests, settings and entries. */
  readonly name: string;
  /** Another name for it in older clients; the name itself where none is configured. */
  readonly alias: string;
  readonly displayName: string;
  /** As configured, with its scheme: `https://rack.example.com`. */
  readonly host: string;
  readonly tls: "system" | "pin" | "insecure";
  readonly enabled: boolean;
}

export interface Racks {
  /** In the order of the configuration; disabled ones too. */
  readonly all: () => readonly Rack[];
  /** By name; null is the default rack, the first configured. */
  readonly find: (name: string | null) => Rack | undefined;
}

export interface Rack {
  readonly info: RackInfo;
  /** Resolves with the rack's answer whatever its status; throws a `RackFault` (src/gates/deploy/rack-fault.ts) where there is none. */
  readonly call: (call: RackCall) => Promise<RackAnswer>;
  /** A GET of the gate's own; throws a `RackFault`, also for an answer that is larger than 16 MiB. */
  readonly ask: (question: RackQuestion) => Promise<RackJson>;
  /** An open socket, or the answer in place of a 101, its body cut at 64 KiB. */
  readonly dial: (dial: RackDial) => Promise<RackSocket | RackAnswer>;
  /** The certificate that the rack presents now, asked for on a connection of its own and verified by nobody (R-RACK-3). */
  readonly presentedCertificate: () => Promise<RackCertificate>;
  /** How connections fare; a rack is never polled (R-RACK-4). */
  readonly health: () => RackHealth;
}

/** Who acts: the address of a person or `token:<name>`, and the address of the person behind either. */
export interface RackActor {
  readonly name: string;
  readonly email: string;
}

interface RackApproach {
  /** Encoded, as it goes on the wire: `/apps/myapp/builds`. */
  readonly path: string;
  /** Encoded, without the question mark; empty sends none. */
  readonly query: string;
  /** Allow-listed by the caller (R-PROXY-5); values one character per byte. */
  readonly headers: readonly HeaderPair[];
  readonly actor: RackActor;
  /** `X-Request-Id` on the rack's side. */
  readonly requestId: string;
  /** Aborted: the client is gone, the call is given up and throws the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface RackCall extends RackApproach {
  readonly method: string;
  /**
   * A body that throws is held back: the connection breaks before its end, so the rack never sees it complete, and the call throws
   * what the body threw (R-BIND-4). A rack may answer before it has read all: the rest is not read then, and the iterator is returned.
   */
  readonly body: AsyncIterable<Uint8Array> | null;
  /** Bytes of the body; null where they are not known, and it goes in chunks. */
  readonly contentLength: number | null;
  /** `quickCall` or `slowCall` (R-PROXY-8). */
  readonly timeouts: RackTimeouts;
}

export interface RackAnswer {
  readonly kind: "answer";
  readonly status: number;
  readonly statusText: string;
  /** As the rack spelled them, without hop-by-hop headers and `Set-Cookie` (R-PROXY-6). */
  readonly headers: readonly HeaderPair[];
  /** A Node `Readable`: HTTP may pipe it. It ends with a `RackFault` when the rack's answer does not come to its end. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Gives up what was not read of the body. */
  readonly discard: () => void;
}

export interface RackQuestion {
  /** Encoded: `/apps/myapp`. */
  readonly path: string;
  readonly query?: string;
  readonly actor: RackActor;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface RackJson {
  readonly status: number;
  /** Undefined when the answer was no JSON, as most refusals are. */
  readonly json: unknown;
}

export interface RackDial extends RackApproach {
  /** `Sec-WebSocket-Protocol` of the client, in order. */
  readonly protocols: readonly string[];
}

/** It stands still until it is joined with a client, or closed. */
export interface RackSocket {
  readonly kind: "socket";
  /** The rack's choice of the subprotocols; empty where it chose none. */
  readonly protocol: string;
  /** Sends the client its 101 and carries messages both ways until both ends are closed; never throws (R-WS-2 to R-WS-5). */
  readonly join: (client: ClientUpgrade, options: JoinOptions) => Promise<SocketEnd>;
  /** For a client that did not wait. */
  readonly abandon: () => void;
}

/** What the `upgrade` event of Node's server brings: an `IncomingMessage`, a `Duplex`, and the first bytes behind the head. */
export interface ClientUpgrade {
  readonly request: object;
  readonly connection: object;
  readonly head: Uint8Array;
}

export interface JoinOptions {
  /** Sent with the 101, besides those of the handshake. */
  readonly headers?: readonly HeaderPair[];
  /** The longest that it may last: 12 h for logs, 8 h for exec. */
  readonly lastsMs: number;
  /** Aborted: both ends are closed as its reason says if that is a `SocketClose`, else 1008 `access was revoked`. */
  readonly signal: AbortSignal;
}

export interface SocketEnd {
  readonly by: "client" | "rack" | "gate";
  /** What the other end was told, or both where it was the gate. */
  readonly close: SocketClose;
  /** Of the command, from the trailer; null where there was none. */
  readonly exitCode: number | null;
  readonly bytesToRack: number;
  readonly bytesFromRack: number;
}

export interface RackCertificate {
  /** SHA-256 over the leaf's DER, in lower-case hex. */
  readonly fingerprint: string;
  readonly pem: string;
}

/** Where the certificate of a pinned rack is kept; read for every new connection. */
export interface PinStore {
  readonly read: (rack: string) => Promise<RackCertificate | null>;
  /** On first use; answers with what is kept then, which is another's where two were first at once. */
  readonly write: (rack: string, certificate: RackCertificate) => Promise<RackCertificate>;
}

export interface RackHealth {
  /** Consecutive connections that failed; from five on calls fail fast. */
  readonly failures: number;
  readonly lastFault: RackFaultCode | null;
}
