/**
 * A connection to a rack whose certificate is as configured: every one is made here, for calls, questions and WebSockets alike, and none
 * is handed out before it was verified. Implements docs/spec/deploy.md R-RACK-3 and the connecting of R-PROXY-8.
 */
import { createHash, type X509Certificate } from "node:crypto";
import { connect as connectPlain, isIP, type Socket } from "node:net";
import {
  connect as connectSecure,
  createSecureContext,
  rootCertificates,
  TLSSocket,
  type SecureContext,
} from "node:tls";
import { RackFault } from "../../gates/deploy/rack-fault.ts";
import type { RackCertificate } from "../../ports/rack.ts";
import type { ConnectionHealth } from "./connection-health.ts";
import type { RackSettings, RackSurroundings } from "./rack-settings.ts";

const CONNECT_MS = 5_000;
const TCP_PROBE_MS = 60_000;

export class RackConnector {
  readonly #settings: RackSettings;
  readonly #around: RackSurroundings;
  readonly #health: ConnectionHealth;
  readonly #url: URL;
  readonly #authorities: SecureContext | undefined;

  constructor(settings: RackSettings, around: RackSurroundings, health: ConnectionHealth) {
    this.#settings = settings;
    this.#around = around;
    this.#health = health;
    this.#url = new URL(settings.info.host);
    // Without further authorities Node takes the system's own.
    if (settings.authoritiesPem !== null) {
      this.#authorities = createSecureContext({ ca: [...rootCertificates, settings.authoritiesPem] });
    }
  }

  /** Verified, and not used for anything yet. */
  async open(): Promise<Socket> {
    this.#health.letIn();
    try {
      const socket = await this.#connected((opened) => this.#verify(opened));
      this.#health.succeeded();
      return socket;
    } catch (error) {
      const fault = connectionFault(error);
      // A rack that shows the wrong certificate is there: refusing it needs no rest.
      if (fault.code === "rack_certificate") this.#health.succeeded();
      else this.#health.failed(fault);
      throw fault;
    }
  }

  async presented(): Promise<RackCertificate> {
    const socket = await this.#connected(() => Promise.resolve(), false).catch((error: unknown) => {
      throw connectionFault(error);
    });
    const certificate = certificateOf(socket);
    socket.destroy();
    if (certificate !== null) return certificate;
    throw new RackFault("rack_certificate", false, "the rack has no certificate: its host is http://");
  }

  /** A `system` rack is verified by TLS itself, before this. */
  async #verify(socket: Socket): Promise<void> {
    const { info } = this.#settings;
    if (info.tls !== "pin") return;
    const presented = certificateOf(socket);
    if (presented === null) return;
    const kept = await this.#pinned(presented);
    if (kept.fingerprint === presented.fingerprint) return;
    this.#around.certificateChanged?.(info, presented);
    throw new RackFault("rack_certificate", false, `another certificate than the pinned one: ${presented.fingerprint}`);
  }

  /** Without its pin a certificate is not verified, whatever the reason. */
  async #pinned(presented: RackCertificate): Promise<RackCertificate> {
    const { pins } = this.#around;
    const { name } = this.#settings.info;
    try {
      return (await pins.read(name)) ?? (await pins.write(name, presented));
    } catch (error) {
      const why = error instanceof Error ? error.message : "unknown";
      throw new RackFault("rack_certificate", false, `the pinned certificate cannot be read: ${why}`);
    }
  }

  #connected(
    verify: (socket: Socket) => Promise<void>,
    isVerifiedByTls = this.#settings.info.tls === "system",
  ): Promise<Socket> {
    const socket = this.#start(isVerifiedByTls);
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        socket.off("error", fail).off("close", lose);
      };
      const fail = (error: unknown): void => {
        settle();
        // What else befalls a connection that is given up is nobody's news.
        socket.on("error", () => undefined).destroy();
        reject(isVerifiedByTls ? verificationFault(error, socket) : connectionFault(error));
      };
      const lose = (): void => {
        fail(new RackFault("rack_unreachable", false, "the connection was closed before it was ready"));
      };
      const timer = setTimeout(() => {
        fail(new RackFault("rack_timeout", false, "no connection in time"));
      }, CONNECT_MS);
      socket.on("error", fail).on("close", lose);
      socket.once(socket instanceof TLSSocket ? "secureConnect" : "connect", () => {
        verify(socket).then(() => {
          settle();
          resolve(socket);
        }, fail);
      });
    });
  }

  #start(isVerifiedByTls: boolean): Socket {
    const { hostname, port, protocol } = this.#url;
    const host = hostname.replace(/^\[(.*)\]$/, "$1");
    const socket =
      protocol === "http:"
        ? connectPlain({ host, port: port === "" ? 80 : Number(port) })
        : connectSecure({
            ...{ host, port: port === "" ? 443 : Number(port), ALPNProtocols: ["http/1.1"], minVersion: "TLSv1.2" },
            // No session is kept: a resumed one would present no certificate to compare.
            rejectUnauthorized: isVerifiedByTls,
            ...(isIP(host) === 0 && { servername: host }),
            ...(this.#authorities !== undefined && { secureContext: this.#authorities }),
          });
    return socket.setNoDelay(true).setKeepAlive(true, TCP_PROBE_MS);
  }
}

function certificateOf(socket: Socket): RackCertificate | null {
  if (!(socket instanceof TLSSocket)) return null;
  const leaf: X509Certificate | undefined = socket.getPeerX509Certificate();
  if (leaf === undefined) throw new RackFault("rack_certificate", false, "no certificate was presented");
  return { fingerprint: createHash("sha256").update(leaf.raw).digest("hex"), pem: leaf.toString() };
}

function verificationFault(error: unknown, socket: Socket): RackFault {
  const isUnverified = socket instanceof TLSSocket && isSet(socket.authorizationError);
  if (error instanceof RackFault || !isUnverified) return connectionFault(error);
  return new RackFault("rack_certificate", false, error instanceof Error ? error.message : "not verified");
}

/** Its declared type says that it always is; Node has null there until something was wrong. */
function isSet(error: unknown): boolean {
  return error !== null && error !== undefined;
}

function connectionFault(error: unknown): RackFault {
  if (error instanceof RackFault) return error;
  return new RackFault("rack_unreachable", false, error instanceof Error ? error.message : "no connection");
}
