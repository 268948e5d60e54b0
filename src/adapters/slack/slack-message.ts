/**
 * A card as Slack's blocks. What people wrote stands in plain text elements, which no markup, mention or emoji gets out of, and is
 * escaped besides; only links of our own making are markup. Implements docs/spec/deploy.md R-SLACK-2.
 */
import type { JsonObject } from "../../core/json.ts";
import type { ChatCard, ChatFact } from "../../ports/chat.ts";

/** What Slack takes: of a section, a header, a field and the number of fields. */
const BLOCK_MAX = 3_000;
const HEADER_MAX = 150;
const FIELD_MAX = 2_000;
const FIELDS_MAX = 10;
const LABEL_MAX = 75;

export interface SlackMessage extends JsonObject {
  /** Shown where blocks are not: notifications. */
  readonly text: string;
  readonly blocks: readonly JsonObject[];
}

export function slackMessage({ title, facts, message, link }: ChatCard): SlackMessage {
  const fields = facts.slice(0, FIELDS_MAX).map(field);
  return {
    text: slackText(title, HEADER_MAX),
    blocks: [
      { type: "header", text: plain(title, HEADER_MAX) },
      ...(fields.length === 0 ? [] : [{ type: "section", fields }]),
      ...(message.trim() === "" ? [] : [{ type: "section", text: plain(message, BLOCK_MAX) }]),
      { type: "actions", elements: [{ type: "button", text: plain(link.label, LABEL_MAX), url: link.url }] },
    ],
  };
}

/** The three characters that Slack reads as markup; what cannot be seen, or turns the order of letters, as its number. */
export function slackText(text: string, lengthMax: number): string {
  const seen = text
    .replace(/\r\n?/g, "\n")
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu, (character) =>
      character === "\n" || character === "\t" ? character : `\\u{${Number(character.codePointAt(0)).toString(16)}}`,
    );
  let escaped = "";
  for (const character of seen) {
    const next = ESCAPES[character] ?? character;
    // Neither an escape nor a character is ever cut in two.
    if (escaped.length + next.length >= lengthMax) return `${escaped}…`;
    escaped += next;
  }
  return escaped;
}

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

function plain(text: string, lengthMax: number): JsonObject {
  const shown = slackText(text, lengthMax);
  return { type: "plain_text", text: shown.trim() === "" ? "(empty)" : shown, emoji: false };
}

function field({ name, value, url }: ChatFact): JsonObject {
  if (url === null || !/^https?:\/\/[^\s<>|]+$/.test(url)) return plain(`${name}\n${value}`, FIELD_MAX);
  // The label is ours to show, so it must not be markup either.
  const label = slackText(value, LABEL_MAX).replace(/[|*_~`]/g, "");
  return { type: "mrkdwn", text: `${name}\n<${url}|${label === "" ? "open" : label}>`, verbatim: true };
}
