/**
 * Signing in with login and password, and a second factor: a code of the authenticator, a backup code, or a browser that is
 * trusted. A password alone opens enrolling and nothing else. Unknown login, wrong password and wrong factor get one answer
 * after the same work (docs/spec/identity.md R-LOCAL-1 b, R-LOCAL-3, R-FACT-6, R-FACT-7).
 */
import type { PersonId } from "../core/ids.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { DescribedEntry } from "../ports/change-set.ts";
import type { World } from "../ports/command-store.ts";
import type { FactorRecord, PersonRecord, TrustedDeviceRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { withDeploySettings } from "./deploy/narrowed-identity.ts";
import { localSignInRefusal } from "./local-sign-in.ts";
import { loginSubject, personOfLogin } from "./local-login.ts";
import { SIGN_IN_ACT } from "./proof-act.ts";
import type { Proof } from "./proof.ts";
import { proveFactor } from "./prove-factor.ts";
import { noteRefusedSignIn } from "./refused-sign-ins.ts";
import { credentialsInvalid, signIn, type SignedIn, type SignInChanges } from "./sign-in.ts";
import { newDevice, trustedDevice, usedDevice, type NewDevice } from "./trusted-device.ts";

export interface PasswordSignIn {
  readonly login: string;
  readonly password: string;
  readonly code: string | null;
  readonly rememberDevice: boolean;
  /** What the browser holds of a device it was trusted as. */
  readonly device: string | null;
  /** The family of the browser. */
  readonly browser: string;
  readonly client: string | null;
  readonly address: string | null;
  /** The /24 or /64 of the address: failures slow down per login and network. */
  readonly network: string;
  readonly replaces: string | null;
}

export interface PasswordSignedIn extends SignedIn {
  /** The secret of the browser that is trusted from now on; null where it is not. */
  readonly deviceToken: string | null;
}

/** 5 in 5 minutes, then a wait that doubles up to an hour (docs/spec/identity.md section 10). */
const THROTTLE = { limit: 5, windowSeconds: 300, blockSeconds: 300, blockSecondsMax: 3_600 } as const;
const SCOPE = "password";

export async function signInWithPassword(app: Application, about: PasswordSignIn): Promise<PasswordSignedIn | Refusal> {
  const key = JSON.stringify([loginSubject(about.login), about.network]);
  const wait = await secondsToWait(app, key);
  if (wait !== null) return throttled(wait);
  const personId = await personOfLogin(app, about.login);
  const [kept] = personId === null ? [] : await app.reader.records(recordsBy("password", "personId", [personId]));
  // A hash is computed for a login that nobody has as well.
  const isRight = await app.passwords.matches(about.password, kept?.hash ?? null);
  const [person] = personId === null ? [] : await app.reader.records(recordsBy("person", "id", [personId]));
  if (person === undefined || !isRight) {
    return await failed(app, about, {
      key,
      personId,
      cause: person === undefined ? "unknown_login" : "wrong_password",
    });
  }
  const second = await secondFactor(app, about, person.id);
  if (second === null) return await failed(app, about, { key, personId, cause: "wrong_second_factor" });
  await app.failures.succeed(SCOPE, key);
  return letIn(app, about, { person, second });
}

async function secondsToWait(app: Application, key: string): Promise<number | null> {
  const now = app.clock();
  const { blockedUntil } = await app.failures.state(SCOPE, key, now);
  return blockedUntil === null || blockedUntil <= now ? null : Math.ceil((blockedUntil - now) / 1_000);
}

function throttled(seconds: number): Refusal {
  const minutes = Math.max(1, Math.ceil(seconds / 60));
  return refuse("factor_throttled", `Too many attempts: try again in ${String(minutes)} minutes`);
}

async function failed(
  app: Application,
  { address }: PasswordSignIn,
  { key, personId, cause }: { readonly key: string; readonly personId: PersonId | null; readonly cause: string },
): Promise<Refusal> {
  await app.failures.fail(SCOPE, key, THROTTLE, app.clock());
  noteRefusedSignIn(app, { personId, method: "password", channel: "web", cause, address });
  return credentialsInvalid();
}

/** What stands beside the password: null when nothing right does, `none` while the person has no factor to be asked for. */
type SecondFactor =
  | { readonly kind: "none" }
  | { readonly kind: "device"; readonly device: TrustedDeviceRecord }
  | { readonly kind: "code"; readonly factorId: string | null };

async function secondFactor(app: Application, about: PasswordSignIn, personId: PersonId): Promise<SecondFactor | null> {
  if (about.code !== null) {
    const proven = await proveFactor(app, { personId, sessionId: null }, SIGN_IN_ACT, proofOf(about.code));
    return isRefusal(proven) ? null : { kind: "code", factorId: proven.factorId };
  }
  const device =
    about.device === null
      ? undefined
      : await trustedDevice(app, { token: about.device, personId, browser: about.browser });
  const factors = await app.reader.records(recordsBy("factor", "personId", [personId]));
  if (!factors.some(counts)) return { kind: "none" };
  return device === undefined ? null : { kind: "device", device };
}

function counts({ removedAt }: FactorRecord): boolean {
  return removedAt === null;
}

function proofOf(code: string): Proof {
  const typed = code.replaceAll(/[\s-]/g, "");
  return /^\d{6}$/.test(typed) ? { type: "totp", code: typed } : { type: "backup_code", code };
}

interface Entering {
  readonly person: PersonRecord;
  readonly second: SecondFactor;
}

async function letIn(
  app: Application,
  about: PasswordSignIn,
  { person, second }: Entering,
): Promise<PasswordSignedIn | Refusal> {
  const home = await withDeploySettings(app.forOrganization(person.orgId));
  const closed = await localSignInRefusal(home, person);
  if (closed !== null) return closed;
  const { client, address, replaces } = about;
  const who = { personId: person.id, method: "password", client, address, replaces };
  if (second.kind === "none") {
    const enrolling = await signIn(home, { ...who, kind: "enrolment", aal: 1 });
    return isRefusal(enrolling) ? enrolling : { ...enrolling, deviceToken: null };
  }
  const made: { device: NewDevice | null } = { device: null };
  const signedIn = await signIn(home, {
    ...{ ...who, kind: "web", aal: 2, factorProven: second.kind === "code" },
    factorId: second.kind === "code" ? second.factorId : null,
    reads: second.kind === "device" ? [recordsBy("trustedDevice", "id", [second.device.id])] : [],
    also(world) {
      if (second.kind === "device") return usedAgain(home, world, second.device.id);
      if (!about.rememberDevice) return { records: {}, entries: [] };
      made.device = newDevice(home, world.now, { personId: person.id, browser: about.browser });
      return deviceChanges(made.device);
    },
  });
  return isRefusal(signedIn) ? signedIn : { ...signedIn, deviceToken: made.device?.token ?? null };
}

/** Revoked since it was looked up: then it serves no more. */
function usedAgain(app: Application, world: World, id: string): SignInChanges | Refusal {
  const [device] = world.records("trustedDevice", "id", id);
  if (device?.revokedAt !== null) return credentialsInvalid();
  return deviceChanges(usedDevice(app, device, world.now));
}

function deviceChanges({
  record,
  entry,
}: {
  readonly record: TrustedDeviceRecord;
  readonly entry: DescribedEntry;
}): SignInChanges {
  return { records: { trustedDevice: [record] }, entries: [entry] };
}
