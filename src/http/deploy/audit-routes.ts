/** The audit list and its export, read from the ledger (docs/spec/deploy.md 11.3, R-AUDIT-3). */
import { Readable } from "node:stream";
import type { z } from "zod";
import { auditEvents, type AuditRange, type NamedAuditEvent } from "../../app/deploy/audit-events.ts";
import { auditLogsSchema, auditQuerySchema, type AuditLogOut } from "../../contract/deploy-audit.ts";
import { isRefusal, type Refusal } from "../../core/refusal.ts";
import { ok } from "../answers.ts";
import { endpoint, type Endpoint, type PageEndpoint, type RawExchange } from "../endpoint.ts";
import { readInput } from "../input.ts";
import { tooManyExports } from "../outbound-tests.ts";
import { isProblem, problem, problemOfRefusal, type Problem } from "../problem.ts";
import type { ServerOptions } from "../server-options.ts";
import { actionTypeOf, folded } from "./audit-fold.ts";
import { rackOf } from "./rack-scope.ts";

const tag = "deploy";
const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 200;
/** Beyond, a cursor leads on. */
const LOOKED_AT_MAX = 20_000;

type Query = z.output<typeof auditQuerySchema>;

export function deployAuditRoutes(parts: Pick<ServerOptions, "ledger">): readonly (Endpoint | PageEndpoint)[] {
  return [list(), csv(parts)];
}

function list(): Endpoint {
  return endpoint({
    ...{ method: "GET", url: "/audit-logs", summary: "What was done, newest first", tag },
    query: auditQuerySchema,
    answers: { 200: auditLogsSchema },
    async handle(exchange) {
      const { caller, query } = exchange;
      const { app } = caller;
      const range = rangeOf(query, app.clock());
      if (isProblem(range)) return range;
      const place = placeOf(exchange);
      if (isRefusal(place)) return place;
      const [page, limit] = [
        wholeNumber(query.page, 1, 10_000, 1),
        wholeNumber(query.limit, 1, LIMIT_MAX, LIMIT_DEFAULT),
      ];
      const looked = { count: 0, last: null };
      const all = await collected(folded(matching(bounded(auditEvents(app, range), looked), { query, ...place })));
      const first = query.cursor === undefined ? (page - 1) * limit : 0;
      const logs = all.slice(first, first + limit);
      const more = all.length > first + limit || looked.count >= LOOKED_AT_MAX;
      const last = logs.at(-1)?.first_event_id ?? looked.last;
      return ok({
        ...{ logs, total: all.length, page, limit },
        ...(more && last !== null ? { next_cursor: String(last) } : {}),
      });
    },
  });
}

interface Looked {
  count: number;
  /** Position of the last event. */
  last: number | null;
}

async function* bounded(events: AsyncIterable<NamedAuditEvent>, looked: Looked): AsyncGenerator<NamedAuditEvent> {
  for await (const event of events) {
    yield event;
    looked.count += 1;
    looked.last = event.seq;
    if (looked.count >= LOOKED_AT_MAX) return;
  }
}

async function collected(lines: AsyncIterable<AuditLogOut>): Promise<AuditLogOut[]> {
  const all: AuditLogOut[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

const RANGES = { "15m": 15, "1h": 60, "24h": 1_440, "7d": 10_080, "30d": 43_200 } as const;
const MINUTE_MS = 60_000;

function rangeOf({ start, end, range = "24h", cursor }: Query, now: number): AuditRange | Problem {
  const times = { since: timeOf(start), until: timeOf(end) };
  if (Number.isNaN(times.since) || Number.isNaN(times.until))
    return problem("invalid_input", "start or end is no time");
  if (times.since !== null && times.until !== null && times.until < times.since) {
    return problem("invalid_input", "end must not be before start");
  }
  const isOpen = start === undefined && end === undefined && range !== "all";
  const since = isOpen ? now - RANGES[range] * MINUTE_MS : times.since;
  return { since, until: times.until, before: cursor === undefined ? null : Number(cursor) };
}

/** NaN where it is none. */
function timeOf(text: string | undefined): number | null {
  return text === undefined || text === "" ? null : Date.parse(text);
}

function wholeNumber(text: string | undefined, least: number, most: number, otherwise: number): number {
  const number = /^[0-9]+$/.test(text ?? "") ? Number(text) : otherwise;
  return Math.min(most, Math.max(least, number));
}

interface Asked {
  readonly query: Query;
  /** Name of the rack; null asks for everything. */
  readonly scope: string | null;
}

/** Below a rack's name stands what happened there (R-RACK-2). */
function placeOf(addressed: Pick<RawExchange, "caller" | "params">): Pick<Asked, "scope"> | Refusal {
  if (addressed.params["rack"] === undefined) return { scope: null };
  const rack = rackOf(addressed);
  return isRefusal(rack) ? rack : { scope: rack.info.name };
}

async function* matching(
  events: AsyncIterable<NamedAuditEvent>,
  { query, scope }: Asked,
): AsyncGenerator<NamedAuditEvent> {
  for await (const event of events) {
    if ((scope === null || event.scope === scope) && matches(event, query)) yield event;
  }
}

function matches(event: NamedAuditEvent, query: Query): boolean {
  const { by, actor, action, resourceType, resource, status, details } = event;
  const is = (asked: string | undefined, value: string): boolean =>
    asked === undefined || asked === "" || asked === value;
  const holds = (asked: string | undefined, text: string): boolean =>
    asked === undefined || text.toLowerCase().includes(asked.toLowerCase());
  return (
    is(query.action_type, actionTypeOf(action)) &&
    is(query.resource_type, resourceType) &&
    is(query.status, status) &&
    holds(query.user, `${by.email} ${by.name}`) &&
    is(query.user_id, actor ?? "") &&
    holds(query.search, `${action} ${resource} ${by.email} ${by.name} ${JSON.stringify(details)}`)
  );
}

const COLUMNS = [
  ...(["first_seen", "last_seen", "user_email", "user_name", "api_token_name", "action_type", "action"] as const),
  ...(["resource_type", "resource", "status", "http_status", "event_count", "ip_address", "user_agent"] as const),
  ...([
    "deploy_approval_request_id",
    "first_event_id",
    "last_event_id",
    "first_hash",
    "last_hash",
    "details",
    "scope",
  ] as const),
] as const;

/** All of it, however much, as it is read. */
function csv({ ledger }: Pick<ServerOptions, "ledger">): PageEndpoint {
  return {
    ...{ method: "GET", url: "/audit-logs/export" },
    described: { summary: "The same as CSV, without an end", tag, query: auditQuerySchema, type: "text/csv" },
    async open(exchange, reply) {
      const { caller } = exchange;
      const { app } = caller;
      const asked = readInput(auditQuerySchema, exchange.query, "query");
      if (!asked.ok) return asked.problem;
      const range = rangeOf(asked.value, app.clock());
      if (isProblem(range)) return range;
      const place = placeOf(exchange);
      if (isRefusal(place)) return problemOfRefusal(place);
      const tooMany = await tooManyExports(caller, ledger);
      if (tooMany !== null) return tooMany;
      const lines = csvLines(folded(matching(auditEvents(app, range), { query: asked.value, ...place })));
      await reply
        .type("text/csv; charset=utf-8")
        .header("Content-Disposition", 'attachment; filename="audit-logs.csv"')
        .send(Readable.from(lines));
      return undefined;
    },
  };
}

async function* csvLines(lines: AsyncIterable<AuditLogOut>): AsyncGenerator<string> {
  yield `${COLUMNS.join(",")}\n`;
  for await (const line of lines) yield `${COLUMNS.map((column) => cell(line[column])).join(",")}\n`;
}

/** A spreadsheet would compute what begins like a formula. */
function cell(value: string | number | undefined): string {
  const text = String(value ?? "");
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
