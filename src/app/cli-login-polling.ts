/**
 * The older pair of calls by which a terminal waits for its person (docs/spec/identity.md R-TERM-5). Nobody can be made to
 * sign in somebody else's terminal: browser and terminal must come from one address, the verifier is compared, and a code
 * that both show is confirmed by a click.
 */
import type { PersonId } from "../core/ids.ts";
import { isId } from "../core/ids.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { CeremonyRecord } from "../ports/ceremony-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { challengeOf, isSame, openTerminal } from "./cli-login.ts";
import { base64url } from "./ledger-names.ts";
import { secretHash } from "./session-record.ts";
import type { SignedIn } from "./sign-in.ts";

const PURPOSE = "cli_polling";
const VERIFIER_BYTES = 32;
export const POLLING_SECONDS = 600;
/** So many wrong verifiers end the state. */
const WRONG_MAX = 10;

export interface PollingStarted {
  readonly state: string;
  readonly verifier: string;
  readonly challenge: string;
}

export async function startPolling(
  app: Application,
  { address, client }: { readonly address: string; readonly client: string },
): Promise<PollingStarted> {
  const verifier = base64url(app.random(VERIFIER_BYTES));
  const challenge = challengeOf(app, verifier);
  const now = app.clock();
  const ceremony: CeremonyRecord = {
    ...{ id: app.newId(), purpose: PURPOSE, personId: null, sessionId: null, act: "", challenge },
    ...{ data: { address, client }, createdAt: now, expiresAt: now + POLLING_SECONDS * 1_000, usedAt: null },
  };
  await app.scratch.add("ceremony", ceremony);
  return { state: ceremony.id, verifier, challenge };
}

/** A terminal that waits, as the page shows it. */
export interface WaitingTerminal {
  readonly challenge: string;
  readonly address: string;
  readonly client: string;
  readonly startedAt: number;
  readonly expiresAt: number;
}

export async function waitingTerminal(app: Application, state: string): Promise<WaitingTerminal | Refusal> {
  const ceremony = await ceremonyOf(app, state);
  if (ceremony === undefined) return stateInvalid();
  const { challenge, data, createdAt, expiresAt } = ceremony;
  return {
    challenge,
    address: textOf(data["address"]),
    client: textOf(data["client"]),
    startedAt: createdAt,
    expiresAt,
  };
}

export interface WaitingAuthorization {
  readonly personId: PersonId;
  /** The id of the browser's session. */
  readonly authorizedBy: string;
  readonly state: string;
  readonly address: string;
}

/** Null when the terminal may go on. `address` is the browser's. */
export async function authorizeWaiting(
  app: Application,
  { personId, authorizedBy, state, address }: WaitingAuthorization,
): Promise<Refusal | null> {
  const terminal = await waitingTerminal(app, state);
  if ("refusal" in terminal) return terminal;
  if (terminal.address !== address) {
    return refuse(
      "permission_denied",
      "The terminal is somewhere else than this browser: sign in with its own command",
    );
  }
  const { challenge, client, expiresAt } = terminal;
  const isFirst = await app.scratch.add("cliLogin", {
    ...{ codeHash: loginKey(app, state), personId, authorizedBy, sessionId: app.newId(), challenge, client },
    ...{ createdAt: app.clock(), expiresAt, usedAt: null },
  });
  return isFirst ? null : stateInvalid();
}

export interface Completing {
  readonly state: string;
  readonly verifier: string;
  readonly address: string;
}

export type Completed = SignedIn | "pending" | Refusal;

export async function completePolling(app: Application, { state, verifier, address }: Completing): Promise<Completed> {
  const ceremony = await ceremonyOf(app, state);
  if (ceremony === undefined) return stateInvalid();
  if (!isSame(challengeOf(app, verifier), ceremony.challenge)) return await wrongVerifier(app, ceremony);
  const login = await app.scratch.consume("cliLogin", loginKey(app, state), app.clock());
  if (login === undefined) return await waitsStill(app, state);
  const consumed = await app.scratch.consume("ceremony", state, app.clock());
  return consumed === undefined ? stateInvalid() : openTerminal(app, login, address);
}

/** Nobody has clicked yet, or the state is used up. */
async function waitsStill(app: Application, state: string): Promise<"pending" | Refusal> {
  const logins = await app.reader.records(recordsBy("cliLogin", "codeHash", [loginKey(app, state)]));
  return logins.length === 0 ? "pending" : stateInvalid();
}

async function wrongVerifier(app: Application, { id }: CeremonyRecord): Promise<Refusal> {
  const rule = { limit: WRONG_MAX, windowSeconds: POLLING_SECONDS, blockSeconds: 1, blockSecondsMax: 1 };
  const { inARow } = await app.failures.fail(PURPOSE, id, rule, app.clock());
  if (inARow >= WRONG_MAX) await app.scratch.consume("ceremony", id, app.clock());
  return stateInvalid();
}

async function ceremonyOf(app: Application, state: string): Promise<CeremonyRecord | undefined> {
  const id = state.toLowerCase();
  if (!isId(id)) return undefined;
  const [ceremony] = await app.reader.records(recordsBy("ceremony", "id", [id]));
  if (ceremony?.purpose !== PURPOSE || ceremony.usedAt !== null || ceremony.expiresAt <= app.clock()) return undefined;
  return ceremony;
}

/** Beside the codes of the other flow, which are random: this one is never given out. */
function loginKey(app: Application, state: string): string {
  return secretHash(app, `${PURPOSE}|${state.toLowerCase()}`);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function stateInvalid(): Refusal {
  return refuse("login_state_invalid", "invalid or expired state");
}
