/**
 * A chat in which people hear of deploy approvals. It tells, and never decides: nothing that comes back from it changes a request.
 * Implements docs/spec/deploy.md R-SLACK-1 to R-SLACK-3.
 */
import type { Instant } from "../core/person.ts";

/** What one message shows, in plain text: the adapter makes it harmless. */
export interface ChatCard {
  readonly title: string;
  readonly facts: readonly ChatFact[];
  /** As the requester wrote it. */
  readonly message: string;
  /** The one button: a page that changes nothing when it is opened. */
  readonly link: { readonly label: string; readonly url: string };
}

export interface ChatFact {
  readonly name: string;
  readonly value: string;
  /** Where the value leads, of our own making; null for plain text. */
  readonly url: string | null;
}

export interface ChatPlace {
  readonly token: string;
  readonly channel: string;
}

export type ChatAnswer<Value> =
  | { readonly kind: "done"; readonly value: Value }
  /** Stays so until somebody changes something; `code` is the chat's own word. */
  | { readonly kind: "refused"; readonly code: string }
  | { readonly kind: "unavailable"; readonly why: string; readonly afterSeconds: number | null };

export interface ChatWorkspace {
  readonly teamId: string;
  readonly teamName: string;
  readonly botUserId: string;
  /** A secret: sealed before it is kept. */
  readonly botToken: string;
}

export interface ChatChannel {
  readonly id: string;
  readonly name: string;
  readonly isPrivate: boolean;
}

export interface Chat {
  /** Where a person allows the connection. */
  authorizationUrl(ask: { readonly state: string; readonly redirectUri: string }): string;
  connect(ask: { readonly code: string; readonly redirectUri: string }): Promise<ChatAnswer<ChatWorkspace>>;
  disconnect(token: string): Promise<ChatAnswer<null>>;
  channels(token: string): Promise<ChatAnswer<readonly ChatChannel[]>>;
  /** Answers the message's name, by which it is edited. */
  post(place: ChatPlace, card: ChatCard): Promise<ChatAnswer<string>>;
  /** `gone` is the code of a message that is not there any more. */
  edit(place: ChatPlace, message: string, card: ChatCard): Promise<ChatAnswer<null>>;
  reply(place: ChatPlace, message: string, text: string): Promise<ChatAnswer<null>>;
}

/** One per organization. */
export interface ChatIntegrationRecord {
  readonly orgId: string;
  readonly teamId: string;
  readonly teamName: string;
  readonly botUserId: string;
  /** Sealed; null once the connection was ended. */
  readonly botToken: string | null;
  readonly alertsEnabled: boolean;
  readonly alertsChannelId: string | null;
  /** Channel → globs over the audit list's names: what it is told of (R-SLACK-4). */
  readonly channelActions: Readonly<Record<string, readonly string[]>>;
  readonly connectedBy: string;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  readonly removedAt: Instant | null;
}
