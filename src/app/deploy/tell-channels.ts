/**
 * Tells channels of the chat of the events that they ask for, as the audit list names them. Which event belongs where is decided from
 * memory; the database is asked for the entries of a stretch of time and not for an event (docs/spec/deploy.md R-SLACK-4).
 */
import { actionMatch, type ActionMatch } from "../../gates/deploy/action-globs.ts";
import type { Chat, ChatCard } from "../../ports/chat.ts";
import type { ChatTold } from "../../ports/chat-told.ts";
import type { LedgerLine } from "../../ports/ledger-line-reader.ts";
import type { Application } from "../application.ts";
import { requestPage } from "../request-page.ts";
import { auditEvent, type AuditEvent } from "./audit-event.ts";
import { namedEvents, type NamedAuditEvent } from "./audit-events.ts";
import { chatIntegration, openedToken } from "./chat-integration.ts";

/** So long a change of a connection may take to be seen by another process. */
const KNOWN_MS = 5_000;
const LEASE_MS = 120_000;
const PAGE = 500;
/** After a longer silence only the newest are told. */
const PAGES_MAX = 10;

/** One round over all organizations. */
export type ChannelTelling = () => Promise<void>;

interface Connection {
  readonly app: Application;
  readonly token: string;
  readonly channels: readonly { readonly id: string; readonly asksFor: ActionMatch }[];
}

export function channelTelling(installation: Application, told: ChatTold): ChannelTelling {
  let known: readonly Connection[] = [];
  let readAt = -Infinity;
  return async () => {
    const { chat } = installation.deploy;
    if (chat === null) return;
    const now = installation.clock();
    if (now - readAt >= KNOWN_MS) {
      known = await connections(installation);
      readAt = now;
    }
    // One organization's fault is not the others'; it is told of once all were looked after.
    const done = await Promise.allSettled(known.map((connection) => tellOne(connection, chat, told)));
    const failed = done.find((each) => each.status === "rejected");
    if (failed !== undefined) throw new Error("a channel could not be told", { cause: failed.reason });
  };
}

async function connections(installation: Application): Promise<readonly Connection[]> {
  const found: Connection[] = [];
  for (const { id, status } of await installation.reader.organizations()) {
    if (status !== "active") continue;
    const app = installation.forOrganization(id);
    const record = await chatIntegration(app);
    const channels = Object.entries(record?.channelActions ?? {});
    const token = record === null || channels.length === 0 ? null : openedToken(app, record);
    if (token === null) continue;
    found.push({
      app,
      token,
      channels: channels.map(([channel, globs]) => ({ id: channel, asksFor: actionMatch(globs) })),
    });
  }
  return found;
}

async function tellOne(connection: Connection, chat: Chat, told: ChatTold): Promise<void> {
  const { app } = connection;
  const from = await told.claim(app.orgId, { now: app.clock(), ms: LEASE_MS });
  if (from === null) return;
  let position = from;
  try {
    const lines = await linesFrom(app, from);
    position = await tellLines(connection, chat, lines);
    position = Math.max(position, from);
  } finally {
    await told.tell(app.orgId, position);
  }
}

/** Oldest first. */
async function linesFrom(app: Application, from: number): Promise<readonly LedgerLine[]> {
  const found: LedgerLine[] = [];
  let before: number | null = null;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const lines: readonly LedgerLine[] = await app.reader.ledgerLines({ from, before, limit: PAGE });
    found.push(...lines);
    before = lines.at(-1)?.seq ?? null;
    if (lines.length < PAGE) break;
  }
  return found.toReversed();
}

/** The position up to which everything is told: the chat may have stopped answering on the way. */
async function tellLines(connection: Connection, chat: Chat, lines: readonly LedgerLine[]): Promise<number> {
  const { app, channels } = connection;
  const events = lines.flatMap((line) => auditEvent(line) ?? []);
  const wanted = events.filter(({ action }) => channels.some(({ asksFor }) => asksFor(action)));
  for (const event of await namedEvents(app, wanted)) {
    if (!(await tellEvent(connection, chat, event))) return event.seq;
  }
  return (lines.at(-1)?.seq ?? -1) + 1;
}

/** False when the chat does not answer now; what it refuses for good is passed over. */
async function tellEvent({ app, token, channels }: Connection, chat: Chat, event: NamedAuditEvent): Promise<boolean> {
  for (const { id: channel } of channels.filter(({ asksFor }) => asksFor(event.action))) {
    const answer = await chat.post({ token, channel }, eventCard(app, event));
    if (answer.kind === "unavailable") return false;
  }
  return true;
}

/** Names only: an address is nobody's business in a channel. */
function eventCard(app: Application, event: NamedAuditEvent): ChatCard {
  const { publicUrl } = app.identity;
  const by = [event.by.token, event.by.name].find((name) => name !== null && name !== "" && !name.includes("@"));
  const facts = [
    ["By", by ?? "somebody"],
    ["About", event.resource.includes("@") ? "a person" : event.resource],
    ["Outcome", event.status],
    ["When", `${event.at.slice(0, 16).replace("T", " ")} UTC`],
  ] as const;
  return {
    title: event.action,
    facts: facts.map(([name, value]) => ({ name, value, url: null })),
    ...{ message: "", link: { label: "Open in Countersign", url: pageOf(publicUrl, event) } },
  };
}

function pageOf(publicUrl: string, { approvalId }: AuditEvent): string {
  return approvalId === null ? `${publicUrl}/app/deploy` : requestPage(publicUrl, { gate: "deploy", id: approvalId });
}
