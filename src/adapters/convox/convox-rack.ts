/** A Convox rack over the network. Implements src/ports/rack.ts: docs/spec/deploy.md R-PROXY-5 to R-PROXY-9 and R-RACK-3 to R-RACK-4. */
import { randomUUID } from "node:crypto";
import { RackFault } from "../../gates/deploy/rack-fault.ts";
import { quickCall } from "../../gates/deploy/rack-timeouts.ts";
import type {
  Rack,
  RackAnswer,
  RackCall,
  RackCertificate,
  RackDial,
  RackHealth,
  RackInfo,
  RackJson,
  RackQuestion,
  RackSocket,
} from "../../ports/rack.ts";
import { approachHeaders } from "./approach-headers.ts";
import { ClientPool } from "./client-pool.ts";
import { ConnectionHealth } from "./connection-health.ts";
import { dialRack } from "./dial-rack.ts";
import { RackConnector } from "./rack-connector.ts";
import { RackExchange, type RackRequest } from "./rack-exchange.ts";
import { socketTimes, type RackSettings, type RackSurroundings } from "./rack-settings.ts";

const QUESTION_MS = 10_000;
const JSON_BYTES_MAX = 16_777_216;

export class ConvoxRack implements Rack {
  readonly info: RackInfo;
  readonly #settings: RackSettings;
  readonly #around: RackSurroundings;
  readonly #health: ConnectionHealth;
  readonly #connector: RackConnector;
  readonly #pool: ClientPool;

  constructor(settings: RackSettings, around: RackSurroundings) {
    this.info = settings.info;
    this.#settings = settings;
    this.#around = around;
    this.#health = new ConnectionHealth(around.now ?? ((): number => performance.now()));
    this.#connector = new RackConnector(settings, around, this.#health);
    this.#pool = new ClientPool(settings.info.host, this.#connector);
  }

  async call(call: RackCall): Promise<RackAnswer> {
    const { path, query, method, timeouts, signal } = call;
    const length = call.body === null ? null : call.contentLength;
    const headers = approachHeaders(this.#settings, call).flat();
    if (length !== null) headers.push("Content-Length", String(length));
    const body = length === 0 ? null : call.body;
    return this.#exchange({ method, target: targetOf(path, query), headers, body, timeouts, signal });
  }

  async ask({ path, query = "", actor, timeoutMs = QUESTION_MS, signal }: RackQuestion): Promise<RackJson> {
    const ends = AbortSignal.timeout(timeoutMs);
    const approach = { actor, requestId: randomUUID(), headers: [["Accept", "application/json"] as const] };
    try {
      const answer = await this.#exchange({
        ...{ method: "GET", target: targetOf(path, query), headers: approachHeaders(this.#settings, approach).flat() },
        ...{ body: null, timeouts: quickCall },
        signal: signal === undefined ? ends : AbortSignal.any([ends, signal]),
      });
      return { status: answer.status, json: jsonIn(await wholeOf(answer)) };
    } catch (error) {
      if (error instanceof RackFault || !ends.aborted || signal?.aborted === true) throw error;
      throw new RackFault("rack_timeout", true, "no answer in time");
    }
  }

  dial(dial: RackDial): Promise<RackSocket | RackAnswer> {
    return dialRack(dial, {
      ...{ settings: this.#settings, connector: this.#connector, times: this.#around.socketTimes ?? socketTimes },
      target: targetOf(dial.path, dial.query),
    });
  }

  presentedCertificate(): Promise<RackCertificate> {
    return this.#connector.presented();
  }

  health(): RackHealth {
    return this.#health.report();
  }

  /** Calls that are under way fail. */
  close(): Promise<void> {
    return this.#pool.close();
  }

  /** A read that met a connection which was just being closed is repeated once, on a new one (R-PROXY-9). */
  async #exchange(request: RackRequest): Promise<RackAnswer> {
    const first = await this.#send(request, false);
    try {
      return await first.answer;
    } catch (error) {
      const isRead = ["GET", "HEAD"].includes(request.method) && request.body === null;
      const isLost = error instanceof RackFault && error.code === "rack_unreachable";
      if (!isRead || !isLost || !first.wasReused || request.signal?.aborted === true) throw error;
      return (await this.#send(request, true)).answer;
    }
  }

  async #send(request: RackRequest, fresh: boolean): Promise<RackExchange> {
    const pooled = await this.#pool.take(fresh);
    const exchange = new RackExchange(pooled, request, () => {
      this.#pool.giveBack(pooled);
    });
    exchange.start();
    return exchange;
  }
}

function targetOf(path: string, query: string): string {
  return query === "" ? path : `${path}?${query}`;
}

async function wholeOf({ body, discard }: RackAnswer): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > JSON_BYTES_MAX) {
      discard();
      throw new RackFault("rack_answer_too_large", true, "the answer is larger than 16 MiB");
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function jsonIn(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}
