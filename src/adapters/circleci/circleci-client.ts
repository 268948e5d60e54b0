/** CircleCI's API v2: one call, or all pages of a list. Implements the calls of docs/spec/deploy.md R-CI-4. */
import { z } from "zod";
import { readCall, type CallReading } from "../../gates/deploy/provider-answer.ts";
import type { ProviderExchange } from "../../ports/provider-exchange.ts";

export interface CircleciSettings {
  /** `CIRCLECI_API_URL`, default `https://circleci.com/api/v2`. */
  readonly apiUrl: string;
  /** `CIRCLECI_TOKEN`. */
  readonly token: string;
  /** 10 s; shorter in tests of what happens then. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
const BYTES_MAX = 1024 * 1024;
const PAGES_MAX = 20;

export class CircleciClient {
  readonly #settings: CircleciSettings;
  readonly #exchange: ProviderExchange;

  constructor(settings: CircleciSettings, exchange: ProviderExchange) {
    this.#settings = { ...settings, apiUrl: settings.apiUrl.replace(/\/+$/, "") };
    this.#exchange = exchange;
  }

  get<Value>(path: string, schema: z.ZodType<Value>): Promise<CallReading<Value>> {
    return this.#call("GET", path, schema);
  }

  post(path: string): Promise<CallReading<unknown>> {
    return this.#call("POST", path, z.unknown());
  }

  /** `item` reads one member of `items`. */
  async list<Item>(path: string, item: z.ZodType<Item>): Promise<CallReading<readonly Item[]>> {
    const page = z.object({ items: z.array(item), next_page_token: z.string().max(4_096).nullish() });
    const items: Item[] = [];
    let query = "";
    for (let pages = 0; pages < PAGES_MAX; pages += 1) {
      const answer = await this.get(`${path}${query}`, page);
      if ("failed" in answer) return answer;
      items.push(...answer.value.items);
      const token = answer.value.next_page_token ?? "";
      if (token === "") return { value: items };
      query = `?page-token=${encodeURIComponent(token)}`;
    }
    return { failed: { unreachable: `CircleCI has more than ${String(PAGES_MAX)} pages of this` } };
  }

  async #call<Value>(method: "GET" | "POST", path: string, schema: z.ZodType<Value>): Promise<CallReading<Value>> {
    const { apiUrl, token, timeoutMs = TIMEOUT_MS } = this.#settings;
    const headers = { accept: "application/json", "circle-token": token, "user-agent": "countersign" };
    const url = `${apiUrl}${path}`;
    const answer = await this.#exchange({ method, url, headers, body: null, timeoutMs, bytesMax: BYTES_MAX });
    return readCall("CircleCI", answer, (body) => schema.safeParse(body));
  }
}
