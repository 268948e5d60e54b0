/**
 * Owners or contact of a token hear 14, 7 and 1 days before its end that it ends, of each once: the token carries the last
 * warning, and mail, mark and entry are written together. Implements docs/spec/identity.md R-TOK-3.
 */
import type { Instant } from "../core/person.ts";
import type { DescribedEntry } from "../ports/change-set.ts";
import type { Carried, StoreCommand, World } from "../ports/command-store.ts";
import type { EffectRecord } from "../ports/effects.ts";
import type { ApiTokenRecord, MachineRecord } from "../ports/identity-records.ts";
import type { DueToken } from "../ports/reader.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { mailEffects } from "./effects/mail-effect.ts";
import { shownTime } from "./effects/mail-text.ts";
import { describe, ledgerTime } from "./entry-writer.ts";
import { ledgerId } from "./ledger-names.ts";
import { NO_CHANGE } from "./no-change.ts";
import { whoLooksAfter } from "./who-looks-after.ts";

const DAY = 24 * 3_600_000;
/** Days before the end, in which each warning is due; the least of those that are due is the one that is given. */
export const WARNING_DAYS = [1, 7, 14] as const;
const AT_ONCE = 200;

export type WarningDays = (typeof WARNING_DAYS)[number];

/** A moment before the token was made warns of nothing that its maker did not choose. */
export function warningDue(
  { createdAt, expiresAt, warnedDays }: Pick<ApiTokenRecord, "createdAt" | "expiresAt" | "warnedDays">,
  now: Instant,
): WarningDays | null {
  if (expiresAt === null || expiresAt <= now) return null;
  const days = WARNING_DAYS.find((before) => {
    const moment = expiresAt - before * DAY;
    return moment <= now && moment > createdAt;
  });
  return days === undefined || (warnedDays !== null && warnedDays <= days) ? null : days;
}

/** One round over every organization; says how many may be left. Nothing is due while no mail is sent. */
export async function warnOfExpiringTokens(app: Application): Promise<number> {
  if (app.settings.notifier === undefined) return 0;
  const due = await app.reader.tokensToWarnOf({ now: app.clock(), days: WARNING_DAYS, limit: AT_ONCE });
  // Together, so that the commands of many organizations share a transaction (docs/adr/0007-group-commit.md).
  await Promise.all(
    [...new Set(due.map(({ orgId }) => orgId))].map((orgId) => {
      const own = app.forOrganization(orgId);
      const tokens = due.filter((token) => token.orgId === orgId);
      return own.store.submit(warn(own, tokens));
    }),
  );
  return due.length < AT_ONCE ? 0 : due.length;
}

function warn(app: Application, tokens: readonly DueToken[]): StoreCommand<null> {
  const ids = tokens.map(({ id }) => id);
  return {
    name: "warn_of_expiring_tokens",
    needs: {
      records: [
        recordsBy("apiToken", "id", ids),
        recordsBy("machine", "id", [...new Set(tokens.map(({ machineId }) => machineId))]),
      ],
    },
    carryOut(world): Carried<null> {
      const warnings = ids.flatMap((id) => warningOf(app, world, id));
      if (warnings.length === 0) return { answer: null, changes: NO_CHANGE };
      return {
        answer: null,
        changes: {
          entries: warnings.map(({ entry }) => entry),
          records: {
            apiToken: warnings.map(({ token }) => token),
            effect: warnings.flatMap(({ effects }) => effects),
          },
        },
      };
    },
  };
}

interface Warning {
  readonly entry: DescribedEntry;
  readonly token: ApiTokenRecord;
  readonly effects: readonly EffectRecord[];
}

/** As the token is now: another process may have warned meanwhile, and somebody may have revoked it. */
function warningOf(app: Application, world: World, id: string): readonly Warning[] {
  const [token] = world.records("apiToken", "id", id);
  const [machine] = token === undefined ? [] : world.records("machine", "id", token.machineId);
  if (token?.revokedAt !== null || machine?.disabledAt !== null) return [];
  const days = warningDue(token, world.now);
  if (days === null) return [];
  const about = { token, machine, days };
  return [
    { entry: warningEntry(app, about), token: { ...token, warnedDays: days }, effects: mails(app, world, about) },
  ];
}

interface About {
  readonly token: ApiTokenRecord;
  readonly machine: MachineRecord;
  readonly days: WarningDays;
}

function mails(app: Application, world: World, { token, machine, days }: About): readonly EffectRecord[] {
  const until = token.expiresAt === null ? {} : { ends_at: shownTime(token.expiresAt) };
  const data = { name: `${token.name} of ${machine.name}`, days: String(days), ...until };
  const plan = { orgId: app.orgId, message: "token_expiring", eventId: world.newId<"event">(), data } as const;
  const plans = whoLooksAfter(machine).map((person) => ({ ...plan, to: { person } }));
  return mailEffects(plans, { newId: world.newId, at: world.now });
}

function warningEntry(app: Application, { token, machine, days }: About): DescribedEntry {
  const common = { org: ledgerId("org", app.orgId), credential: null, resource: null, request: null };
  return describe(
    {
      ...{ ...common, kind: "token.expiring", actor: "sys_server" },
      data: {
        ...{ token: ledgerId("tok", token.id), machine: ledgerId("mch", machine.id), days },
        owners: machine.owners.map((owner) => ledgerId("usr", owner)),
        ...{ scopes: token.scopes, expires_at: ledgerTime(token.expiresAt) },
      },
    },
    app,
  );
}
