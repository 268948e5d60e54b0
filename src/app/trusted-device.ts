/**
 * A browser that its person trusts: it stands in for the second factor at sign-in, for some days, and for nothing else
 * (docs/spec/identity.md R-FACT-6).
 */
import type { PersonId } from "../core/ids.ts";
import type { Instant } from "../core/person.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { DescribedEntry } from "../ports/change-set.ts";
import type { TrustedDeviceRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { describe, type EntryData } from "./entry-writer.ts";
import { base64url, ledgerId } from "./ledger-names.ts";
import { NO_CHANGE } from "./no-change.ts";
import { secretHash } from "./session-record.ts";

const SECRET_BYTES = 32;
const DAY = 86_400_000;

export interface NewDevice {
  /** The cookie's value; kept nowhere. */
  readonly token: string;
  readonly record: TrustedDeviceRecord;
  readonly entry: DescribedEntry;
}

/** `browser` is its family: the secret in another kind of browser was copied there. */
export function newDevice(
  app: Application,
  now: Instant,
  { personId, browser }: { readonly personId: PersonId; readonly browser: string },
): NewDevice {
  const token = base64url(app.random(SECRET_BYTES));
  const record: TrustedDeviceRecord = {
    ...{ id: app.newId(), personId, tokenHash: secretHash(app, token), browser, createdAt: now },
    ...{ expiresAt: now + app.identity.trustedDeviceDays * DAY, lastUsedAt: now, revokedAt: null },
  };
  return { token, record, entry: deviceEntry(app, record, { kind: "factor.enrolled", data: {} }) };
}

/** Undefined when the secret is unknown, over, revoked, somebody else's, or comes from another kind of browser. */
export async function trustedDevice(
  app: Application,
  { token, personId, browser }: { readonly token: string; readonly personId: PersonId; readonly browser: string },
): Promise<TrustedDeviceRecord | undefined> {
  const [device] = await app.reader.records(recordsBy("trustedDevice", "tokenHash", [secretHash(app, token)]));
  return device?.personId === personId && device.browser === browser && trusts(app, device) ? device : undefined;
}

function trusts(app: Pick<Application, "clock">, { expiresAt, revokedAt }: TrustedDeviceRecord): boolean {
  return revokedAt === null && expiresAt > app.clock();
}

/** What remembers that the device was used; written with the sign-in it served. */
export function usedDevice(
  app: Application,
  device: TrustedDeviceRecord,
  now: Instant,
): { readonly record: TrustedDeviceRecord; readonly entry: DescribedEntry } {
  const record = { ...device, lastUsedAt: now };
  return { record, entry: deviceEntry(app, record, { kind: "factor.used", data: { act: "sign_in" } }) };
}

export function revokedDevice(
  app: Application,
  device: TrustedDeviceRecord,
  now: Instant,
): { readonly record: TrustedDeviceRecord; readonly entry: DescribedEntry } {
  const record = { ...device, revokedAt: now };
  return { record, entry: deviceEntry(app, record, { kind: "factor.removed", data: {} }) };
}

/** The devices that still count, newest first. */
export async function ownDevices(app: Application, personId: PersonId): Promise<readonly TrustedDeviceRecord[]> {
  const devices = await app.reader.records(recordsBy("trustedDevice", "personId", [personId]));
  return devices.filter((device) => trusts(app, device)).sort((left, right) => right.createdAt - left.createdAt);
}

/** The secret that the browser keeps from here on. */
export async function trustDevice(app: Application, personId: PersonId, browser: string): Promise<string> {
  const { token, record, entry } = newDevice(app, app.clock(), { personId, browser });
  await app.store.submit<null>({
    name: "trust_device",
    needs: {},
    carryOut: () => ({ answer: null, changes: { entries: [entry], records: { trustedDevice: [record] } } }),
  });
  return token;
}

/** Null when it is done. */
export async function revokeOwnDevice(app: Application, personId: PersonId, id: string): Promise<Refusal | null> {
  return app.store.submit<Refusal | null>({
    name: "revoke_own_device",
    needs: { records: [recordsBy("trustedDevice", "id", [id])] },
    carryOut(world) {
      const [device] = world.records("trustedDevice", "id", id);
      if (device?.personId !== personId || device.revokedAt !== null) {
        return { answer: refuse("not_found", "You have no such device"), changes: NO_CHANGE };
      }
      const { record, entry } = revokedDevice(app, device, world.now);
      return { answer: null, changes: { entries: [entry], records: { trustedDevice: [record] } } };
    },
  });
}

function deviceEntry(
  app: Application,
  { id, personId }: TrustedDeviceRecord,
  about: { readonly kind: "factor.enrolled" | "factor.used" | "factor.removed"; readonly data: EntryData },
): DescribedEntry {
  return describe(
    {
      ...{ org: ledgerId("org", app.orgId), kind: about.kind, actor: ledgerId("usr", personId) },
      ...{ credential: null, resource: null, request: null },
      data: { factor: ledgerId("fac", id), person: ledgerId("usr", personId), type: "trusted_device", ...about.data },
    },
    app,
  );
}
