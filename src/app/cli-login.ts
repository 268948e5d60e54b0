/**
 * A terminal signs in: its person, signed in to the browser, authorizes it, and the terminal redeems a code that only the
 * holder of its verifier can redeem, once (docs/spec/identity.md R-TERM-1 to R-TERM-4).
 */
import type { PersonId } from "../core/ids.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { CliLoginRecord } from "../ports/ceremony-records.ts";
import type { World } from "../ports/command-store.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { base64url, utf8 } from "./ledger-names.ts";
import { NO_CHANGE } from "./no-change.ts";
import { endedSession, secretHash } from "./session-record.ts";
import { signIn, type SignedIn } from "./sign-in.ts";

const CODE_BYTES = 32;
const CODE_MS = 60_000;

export interface TerminalAuthorization {
  readonly personId: PersonId;
  /** The id of the browser's session. */
  readonly authorizedBy: string;
  /** SHA-256 of the terminal's verifier, base64url. */
  readonly challenge: string;
  /** What asks, as it says of itself. */
  readonly client: string;
}

/** The code for the terminal; it is kept as its hash only. */
export async function authorizeTerminal(
  app: Application,
  { personId, authorizedBy, challenge, client }: TerminalAuthorization,
): Promise<string> {
  const code = base64url(app.random(CODE_BYTES));
  const now = app.clock();
  await app.scratch.add("cliLogin", {
    ...{
      codeHash: secretHash(app, code),
      personId,
      authorizedBy,
      challenge,
      client,
      createdAt: now,
      expiresAt: now + CODE_MS,
    },
    // Chosen now, so that a second try can end the session whenever it comes.
    ...{ sessionId: app.newId(), usedAt: null },
  });
  return code;
}

export interface Redemption {
  readonly code: string;
  readonly verifier: string;
  readonly address: string | null;
}

/** A code that was used before, or comes with another verifier, is a thief's: what it opened ends. */
export async function redeemTerminalCode(app: Application, about: Redemption): Promise<SignedIn | Refusal> {
  const codeHash = secretHash(app, about.code);
  const login = await app.scratch.consume("cliLogin", codeHash, app.clock());
  if (login === undefined) {
    await endReused(app, codeHash);
    return codeInvalid();
  }
  if (!isSame(challengeOf(app, about.verifier), login.challenge)) return codeInvalid();
  const opened = await openTerminal(app, login, about.address);
  if (isRefusal(opened) || !(await wasReused(app, codeHash))) return opened;
  await endSession(app, opened.session.id, login.personId);
  return codeInvalid();
}

export async function openTerminal(
  app: Application,
  login: CliLoginRecord,
  address: string | null,
): Promise<SignedIn | Refusal> {
  const [person] = await app.reader.records(recordsBy("person", "id", [login.personId]));
  if (person === undefined) return codeInvalid();
  const home = app.forOrganization(person.orgId);
  return signIn(home, {
    ...{ personId: login.personId, kind: "cli", method: "cli", aal: 1, client: login.client, address },
    sessionId: login.sessionId,
    also: (world) => (isStillAuthorized(world, login) ? { records: {}, entries: [] } : codeInvalid()),
  });
}

/** A recovery, a lock or a sign-out meanwhile takes back what the browser allowed (R-LOCAL-4, R-SESS-3). */
function isStillAuthorized(world: World, { personId, authorizedBy }: CliLoginRecord): boolean {
  return world
    .records("session", "personId", personId)
    .some(({ id, endedAt, expiresAt }) => id === authorizedBy && endedAt === null && expiresAt > world.now);
}

/** The S256 code challenge of a verifier (RFC 7636). */
export function challengeOf(app: Pick<Application, "sha256">, verifier: string): string {
  return base64url(app.sha256(utf8(verifier)));
}

/** Takes the same time wherever the two differ. */
export function isSame(left: string, right: string): boolean {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let index = 0; index < left.length; index += 1) {
    difference |= left.charCodeAt(index) ^ right.charCodeAt(index);
  }
  return difference === 0;
}

const REUSED = "cli_code_reused";

/** The first redemption may still be under way: it finds the mark and ends its own session. */
async function endReused(app: Application, codeHash: string): Promise<void> {
  const [login] = await app.reader.records(recordsBy("cliLogin", "codeHash", [codeHash]));
  if (login === undefined || login.usedAt === null || login.sessionId === null) return;
  const now = app.clock();
  await app.scratch.add("spentProof", {
    ...{ scope: REUSED, value: codeHash, answer: null, spentAt: now, expiresAt: now + CODE_MS },
  });
  await endSession(app, login.sessionId, login.personId);
}

async function wasReused(app: Application, codeHash: string): Promise<boolean> {
  const marks = await app.reader.records(recordsBy("spentProof", "value", [codeHash]));
  return marks.some(({ scope }) => scope === REUSED);
}

async function endSession(app: Application, sessionId: string, personId: PersonId): Promise<void> {
  await app.store.submit({
    name: "end_terminal_session",
    needs: { records: [recordsBy("session", "personId", [personId])] },
    carryOut(world) {
      const ended = world
        .records("session", "personId", personId)
        .filter((session) => session.id === sessionId && session.endedAt === null)
        .map((session) => endedSession(app, session, world.now, "code_reused"));
      if (ended.length === 0) return { answer: null, changes: NO_CHANGE };
      const records = { session: ended.map(({ record }) => record) };
      return { answer: null, changes: { entries: ended.map(({ entry }) => entry), records } };
    },
  });
}

function codeInvalid(): Refusal {
  return refuse("login_state_invalid", "This code is unknown, was used before, or took too long: sign in again");
}
