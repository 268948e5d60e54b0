/** The live stream: what happens to the requests that the caller may read (docs/spec/api.md section 6.7). */
import { once } from "node:events";
import type { FastifyReply } from "fastify";
import { z } from "zod";
import { isSessionOpen } from "../../app/open-session.ts";
import { liveEventsQuerySchema } from "../../contract/live-events.ts";
import type { Reader, StoredEvent } from "../../ports/reader.ts";
import type { Authorized } from "../authorized.ts";
import { CommitWaiter } from "../commit-waiter.ts";
import type { RawExchange, PageEndpoint } from "../endpoint.ts";
import { faulty, readInput } from "../input.ts";
import { problem, type Problem } from "../problem.ts";
import type { ServerOptions } from "../server-options.ts";
import { seatOf, StreamSeats } from "../stream-seats.ts";
import { liveEvent } from "../wire/event-out.ts";

/** A comment line at least this often, so that both ends notice a dead connection. */
const COMMENT_MS = 15_000;
/** A session that ended is noticed with the next wake after this: within 5 s in all (identity R-SESS-3). */
const CHECK_MS = 2_000;
/** A stream ends with its credential, and after this long at the latest: the client comes back with Last-Event-ID. */
const LIFE_MAX_MS = 3_600_000;
const PAGE = 200;

export function liveEventsRoute(options: ServerOptions, closing: AbortSignal): PageEndpoint {
  const seats = new StreamSeats(options.limits.streamsPerPerson);
  return {
    method: "GET",
    url: "/events",
    described: {
      summary: "What happens, as Server-Sent Events",
      tag: "inbox",
      query: liveEventsQuerySchema,
      type: "text/event-stream",
    },
    async open(exchange, reply) {
      const { reader } = exchange.caller.app;
      const after = await startOf(exchange, reader);
      if (typeof after !== "number") return after;
      const free = seats.take(seatOf(exchange.caller));
      if (free === null) {
        return problem("rate_limited", `At most ${String(options.limits.streamsPerPerson)} event streams per person`, {
          headers: { "Retry-After": "15" },
        });
      }
      const life = AbortSignal.timeout(lifeOf(exchange.caller, options));
      try {
        const waiter = new CommitWaiter(options.events, exchange.gone(), closing, life);
        await follow({
          reader,
          after,
          exchange,
          reply,
          waiter,
          isSignedIn: () => isSignedIn(exchange.caller),
        });
      } finally {
        free();
        reply.raw.end();
      }
      return undefined;
    },
  };
}

function lifeOf({ expiresAt }: Authorized, { app }: ServerOptions): number {
  return expiresAt === null ? LIFE_MAX_MS : Math.max(0, Math.min(LIFE_MAX_MS, expiresAt - app.clock()));
}

/** A token holds until it expires; a session can be ended at any time. */
async function isSignedIn({ sessionToken, app }: Authorized): Promise<boolean> {
  return sessionToken === null || (await isSessionOpen(app, sessionToken));
}

const lastEventId = z.string().regex(/^(-1|0|[1-9][0-9]{0,14})$/);

/** Where to begin: after what the client has seen, else with what comes next. */
async function startOf({ query, header }: RawExchange, reader: Reader): Promise<number | Problem> {
  const asked = readInput(liveEventsQuerySchema, query, "query");
  if (!asked.ok) return asked.problem;
  const seen = header("last-event-id")?.trim() ?? "";
  if (seen !== "") {
    const read = lastEventId.safeParse(seen);
    const msg = "is not an event id of this server";
    return read.success ? Number(seen) : faulty([{ type: "value_error", loc: ["header", "Last-Event-ID"], msg }]);
  }
  return asked.value.after ?? (await reader.position()) - 1;
}

interface Stream {
  readonly reader: Reader;
  readonly after: number;
  readonly exchange: RawExchange;
  readonly reply: FastifyReply;
  readonly waiter: CommitWaiter;
  readonly isSignedIn: () => Promise<boolean>;
}

async function follow({ reader, after, exchange, reply, waiter, isSignedIn }: Stream): Promise<void> {
  const { viewer } = exchange.caller;
  begin(reply);
  let seen = after;
  let commentDue = Date.now() + COMMENT_MS;
  const isStillSignedIn = askedNowAndThen(isSignedIn);
  try {
    while (!waiter.over) {
      const end = (await reader.position()) - 1;
      const events = await reader.eventsAfter(seen, PAGE, viewer);
      const text = events.map(eventText).join("");
      const taken = text === "" || ((await isSignedIn()) && (await send(reply, text, waiter)));
      if (!taken) return;
      seen = events.at(-1)?.position ?? seen;
      if (events.length === PAGE) continue;
      // What stands before the end and was not found is not the listener's to read: nobody asks for it again.
      seen = Math.max(seen, end);
      await waiter.next();
      if (!(await isStillSignedIn())) return;
      if (Date.now() < commentDue) continue;
      if (!(await send(reply, ": still here\n\n", waiter))) return;
      commentDue = Date.now() + COMMENT_MS;
    }
  } finally {
    waiter.close();
  }
}

/** What was true the last time holds for a moment. */
function askedNowAndThen(ask: () => Promise<boolean>): () => Promise<boolean> {
  let due = Date.now() + CHECK_MS;
  return async () => {
    if (Date.now() < due) return true;
    due = Date.now() + CHECK_MS;
    return await ask();
  };
}

function begin(reply: FastifyReply): void {
  reply.hijack();
  reply.type("text/event-stream; charset=utf-8").header("X-Accel-Buffering", "no");
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) reply.raw.setHeader(name, value);
  }
  reply.raw.writeHead(200);
  reply.raw.write("retry: 2000\n: connected\n\n");
}

function eventText(event: StoredEvent): string {
  return `id: ${String(event.position)}\nevent: ${event.type}\ndata: ${JSON.stringify(liveEvent(event))}\n\n`;
}

/** False when the reader has gone, or takes nothing for so long that it must be dead. */
async function send(reply: FastifyReply, text: string, waiter: CommitWaiter): Promise<boolean> {
  if (reply.raw.destroyed) return false;
  if (reply.raw.write(text)) return true;
  try {
    await once(reply.raw, "drain", { signal: AbortSignal.any([waiter.signal, AbortSignal.timeout(COMMENT_MS)]) });
    return true;
  } catch {
    return false;
  }
}
