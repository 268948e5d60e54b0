/**
 * Backup codes: ten of 120 bits, shown once, each good for one act. A new set counts, and ends the old one, when the person
 * says that they have stored it (docs/spec/identity.md R-FACT-5).
 */
import type { PersonId } from "../core/ids.ts";
import type { Instant } from "../core/person.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { CeremonyRecord } from "../ports/ceremony-records.ts";
import type { BackupCodeRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { accountMail } from "./effects/account-mail.ts";
import { factorEntry } from "./factor-entry.ts";
import type { Prover } from "./factor-throttle.ts";
import { hex, utf8 } from "./ledger-names.ts";

const CODES = 10;
const LETTERS = 24;
const GROUP = 4;
/** Crockford's base 32: no I, L, O or U. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CODE = new RegExp(`^[${ALPHABET}]{${String(LETTERS)}}$`);
/** How its person confirms a set: by saying so, or, over a wire that has no word for it, by the first use of a code. */
const PURPOSES = { word: "backup_codes", use: "backup_codes_until_used" } as const;
/** To write them down, and to come to need them. */
const CONFIRM_MS = { word: 1_800_000, use: 10 * 365 * 86_400_000 } as const;

export interface OfferedCodes {
  readonly ceremony: string;
  /** In groups of four; kept nowhere. */
  readonly codes: readonly string[];
}

export async function offerBackupCodes(
  app: Application,
  { personId, sessionId }: Prover,
  confirmedBy: keyof typeof PURPOSES = "word",
): Promise<OfferedCodes> {
  const codes = Array.from({ length: CODES }, () => newCode(app.random));
  const now = app.clock();
  const ceremony: CeremonyRecord = {
    ...{ id: app.newId(), purpose: PURPOSES[confirmedBy], personId, sessionId, act: "", challenge: "" },
    data: { hashes: codes.map((code) => hashOf(app, code)) },
    ...{ createdAt: now, expiresAt: now + CONFIRM_MS[confirmedBy], usedAt: null },
  };
  await app.scratch.add("ceremony", ceremony);
  return { ceremony: ceremony.id, codes: codes.map(grouped) };
}

/** Null when the new codes count. */
export async function confirmBackupCodes(app: Application, who: Prover, ceremonyId: string): Promise<Refusal | null> {
  const ceremony = await app.scratch.consume("ceremony", ceremonyId, app.clock());
  const { personId, sessionId } = who;
  const isOwn =
    ceremony?.purpose === PURPOSES.word && ceremony.personId === personId && ceremony.sessionId === sessionId;
  if (!isOwn) return refuse("not_found", "These codes were confirmed before, or their time is over: make new ones");
  return replaceCodes(app, who, ceremony);
}

/**
 * A typed code of a set that waits for its first use makes the set count. One that is older than the set that counts, or whose person
 * has none any more since somebody reset the factors, never will.
 */
export async function confirmByUse(app: Application, who: Prover, codeHash: string): Promise<void> {
  const ceremonies = await app.reader.records(recordsBy("ceremony", "personId", [who.personId]));
  const meant = ceremonies.find(
    (ceremony) =>
      ceremony.purpose === PURPOSES.use && ceremony.usedAt === null && hashesOf(ceremony).includes(codeHash),
  );
  const current = meant === undefined ? null : await backupCodesLeft(app, who.personId);
  if (meant === undefined || current === null || current.createdAt >= meant.createdAt) return;
  const ceremony = await app.scratch.consume("ceremony", meant.id, app.clock());
  if (ceremony !== undefined) await replaceCodes(app, who, ceremony);
}

function replaceCodes(app: Application, { personId, sessionId }: Prover, ceremony: CeremonyRecord): Promise<null> {
  return app.store.submit<null>({
    name: "confirm_backup_codes",
    needs: { records: [recordsBy("backupCode", "personId", [personId])] },
    carryOut(world) {
      const ended = world
        .records("backupCode", "personId", personId)
        .filter(({ endedAt }) => endedAt === null)
        .map((code): BackupCodeRecord => ({ ...code, endedAt: world.now }));
      const made = hashesOf(ceremony).map((codeHash): BackupCodeRecord => ({
        ...{ id: app.newId(), personId, codeHash, createdAt: world.now, usedAt: null, endedAt: null },
      }));
      const id = ceremony.id;
      const about = { kind: "factor.backup_codes_created", id, type: "backup_codes", personId, sessionId } as const;
      const told = accountMail(app, world, { message: "backup_codes_made", personId });
      const changes = { entries: [factorEntry(app, about)], records: { backupCode: [...ended, ...made], ...told } };
      return { answer: null, changes };
    },
  });
}

export interface BackupCodesLeft {
  readonly remaining: number;
  readonly createdAt: Instant;
}

/** Null when there is no set that counts. */
export async function backupCodesLeft(app: Application, personId: PersonId): Promise<BackupCodesLeft | null> {
  const codes = await app.reader.records(recordsBy("backupCode", "personId", [personId]));
  const current = codes.filter(({ endedAt }) => endedAt === null);
  if (current.length === 0) return null;
  const createdAt = Math.max(...current.map((code) => code.createdAt));
  return { remaining: current.filter(isLive).length, createdAt };
}

/** The hash under which a typed code would be kept; null when it cannot be one. Case and dashes are ignored. */
export function typedCodeHash(app: Pick<Application, "sha256">, typed: string): string | null {
  const letters = typed.toUpperCase().replaceAll(/[\s-]/g, "").replaceAll("O", "0").replaceAll(/[IL]/g, "1");
  return CODE.test(letters) ? hashOf(app, letters) : null;
}

/** Spends the code in a transaction of its own: it is gone even when the act is refused (R-STEP-3). */
export async function spendBackupCode(
  app: Application,
  who: Prover,
  { codeHash, act }: { readonly codeHash: string; readonly act: string | null },
): Promise<BackupCodeRecord | Refusal> {
  const { personId, sessionId } = who;
  return app.store.submit<BackupCodeRecord | Refusal>({
    name: "spend_backup_code",
    needs: { records: [recordsBy("backupCode", "codeHash", [codeHash])] },
    carryOut(world) {
      const [code] = world.records("backupCode", "codeHash", codeHash);
      if (code?.personId !== personId || !isLive(code)) {
        return { answer: refuse("mfa_verification_failed", "This backup code is not right"), changes: { entries: [] } };
      }
      const used: BackupCodeRecord = { ...code, usedAt: world.now };
      const about = { kind: "factor.used", id: code.id, type: "backup_code", personId, sessionId } as const;
      const entries = [factorEntry(app, { ...about, data: { act } })];
      return { answer: used, changes: { entries, records: { backupCode: [used] } } };
    },
  });
}

function isLive({ usedAt, endedAt }: BackupCodeRecord): boolean {
  return usedAt === null && endedAt === null;
}

function newCode(random: Application["random"]): string {
  // 256 is a multiple of 32: every letter is as likely as any other.
  return Array.from(random(LETTERS), (byte) => ALPHABET.charAt(byte % ALPHABET.length)).join("");
}

function grouped(code: string): string {
  return (code.match(new RegExp(`.{${String(GROUP)}}`, "g")) ?? []).join("-");
}

function hashOf(app: Pick<Application, "sha256">, code: string): string {
  return hex(app.sha256(utf8(code)));
}

function hashesOf({ data }: CeremonyRecord): readonly string[] {
  const { hashes } = data;
  return Array.isArray(hashes) ? hashes.filter((hash) => typeof hash === "string") : [];
}
