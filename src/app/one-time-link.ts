/**
 * One-time links: a secret that somebody is handed, good for one use within its time. Only its hash is kept; it travels in
 * the fragment of an address, which browsers do not send, so that nothing that follows links can use it up
 * (docs/spec/identity.md R-LOCAL-4 to R-LOCAL-6).
 */
import type { PersonId } from "../core/ids.ts";
import type { Instant } from "../core/person.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { OneTimeLinkRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { base64url } from "./ledger-names.ts";
import { secretHash } from "./session-record.ts";

export type LinkKind = OneTimeLinkRecord["kind"];

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const LIFE: Readonly<Record<LinkKind, number>> = { setup: 60 * MINUTE, invitation: 72 * HOUR, recovery: 24 * HOUR };

/** The page of the console that takes the secret from the fragment. */
const PAGE: Readonly<Record<LinkKind, string>> = { setup: "setup", invitation: "invitation", recovery: "recover" };

const SECRET_BYTES = 32;

export interface NewLink {
  /** Shown once. */
  readonly url: string;
  readonly token: string;
  readonly record: OneTimeLinkRecord;
}

export interface LinkFor {
  readonly kind: LinkKind;
  readonly orgId: string | null;
  readonly personId: PersonId | null;
  readonly createdBy: string;
}

export function newLink(
  app: Pick<Application, "random" | "sha256" | "newId" | "identity">,
  now: Instant,
  { kind, orgId, personId, createdBy }: LinkFor,
): NewLink {
  const token = base64url(app.random(SECRET_BYTES));
  const record: OneTimeLinkRecord = {
    ...{ id: app.newId(), orgId, kind, tokenHash: secretHash(app, token), personId, createdBy },
    ...{ createdAt: now, expiresAt: now + LIFE[kind], usedAt: null, replacedAt: null },
  };
  return { token, record, url: `${app.identity.publicUrl}/app/${PAGE[kind]}#${token}` };
}

export function isLiveLink(link: OneTimeLinkRecord | undefined, kind: LinkKind, now: Instant): boolean {
  return link?.kind === kind && link.usedAt === null && link.replacedAt === null && link.expiresAt > now;
}

/** The link of this secret as it stands outside of a transaction: says whom it is for, not whether it still holds. */
export async function linkOf(app: Application, token: string): Promise<OneTimeLinkRecord | undefined> {
  const [link] = await app.reader.records(recordsBy("oneTimeLink", "tokenHash", [secretHash(app, token)]));
  return link;
}

/** One answer for whatever is wrong with a link. */
export function linkInvalid(): Refusal {
  return refuse("setup_link_invalid", "This link is unknown, was used before, or its time is over: ask for a new one");
}
