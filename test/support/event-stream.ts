/** A reader of Server-Sent Events that waits for what it expects, with a bound. */
import type { JsonObject } from "../../src/core/json.ts";
import { objectIn } from "./json-answer.ts";
import { get, type ClientRequest, type IncomingMessage } from "node:http";

export interface StreamedEvent {
  readonly id: string;
  readonly event: string;
  readonly data: JsonObject;
}

const WAIT_MS = 8_000;

export class EventStream {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly events: StreamedEvent[] = [];
  ended = false;
  #text = "";
  readonly #request: ClientRequest;
  readonly #watchers = new Set<() => void>();

  private constructor(sent: ClientRequest, response: IncomingMessage) {
    this.#request = sent;
    this.status = response.statusCode ?? 0;
    this.headers = response.headers;
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      this.#read(chunk);
    });
    response.on("close", () => {
      this.ended = true;
      this.#changed();
    });
  }

  static open(url: string, headers: Readonly<Record<string, string>>): Promise<EventStream> {
    return new Promise((resolve, reject) => {
      const sent = get(url, { headers, agent: false }, (response) => {
        resolve(new EventStream(sent, response));
      });
      sent.on("error", reject);
    });
  }

  /** Resolves once `holds` does; rejects with what there is when it takes too long. */
  async until(holds: (stream: EventStream) => boolean): Promise<void> {
    if (holds(this)) return;
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => {
        this.#watchers.delete(watch);
        reject(new Error(`not in time: ${JSON.stringify(this.events)}`));
      }, WAIT_MS);
      const watch = (): void => {
        if (!holds(this)) return;
        clearTimeout(late);
        this.#watchers.delete(watch);
        resolve();
      };
      this.#watchers.add(watch);
    });
  }

  close(): void {
    this.#request.destroy();
  }

  #read(chunk: string): void {
    this.#text += chunk;
    for (let end = this.#text.indexOf("\n\n"); end >= 0; end = this.#text.indexOf("\n\n")) {
      const block = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 2);
      const field = (name: string): string =>
        block
          .split("\n")
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2) ?? "";
      if (field("data") !== "")
        this.events.push({ id: field("id"), event: field("event"), data: objectIn(field("data")) });
    }
    this.#changed();
  }

  #changed(): void {
    for (const watch of [...this.#watchers]) watch();
  }
}
