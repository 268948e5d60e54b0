/**
 * A person with everything that belongs to them and to this organization. Of somebody whose home is another organization that is
 * what they have here: neither where they sign in from nor with what is this one's to know (docs/spec/identity.md section 6,
 * R-ORG-2).
 */
import type { PersonId } from "../core/ids.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type {
  AliasRecord,
  FactorRecord,
  IdentityRecord,
  MachineRecord,
  SessionRecord,
} from "../ports/identity-records.ts";
import type { MemberSummary, OpenTask } from "../ports/member-reader.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";

export interface PersonPage extends MemberSummary {
  readonly identities: readonly IdentityRecord[];
  readonly factors: readonly FactorRecord[];
  readonly sessions: readonly SessionRecord[];
  readonly machines: readonly MachineRecord[];
  readonly openTasks: readonly OpenTask[];
  readonly aliases: readonly AliasRecord[];
}

/** Of another organization and of none is the same answer (R-ORG-2). */
export function personUnknown(): Refusal {
  return refuse("not_found", "There is no such person in this organization");
}

export async function personPage(app: Application, id: PersonId): Promise<PersonPage | Refusal> {
  const member = await app.reader.member(id);
  if (member === undefined) return personUnknown();
  const now = app.clock();
  const [identities, factors, sessions, machines, openTasks, aliases] = await Promise.all([
    app.reader.records(recordsBy("identity", "personId", [id])),
    app.reader.records(recordsBy("factor", "personId", [id])),
    app.reader.records(recordsBy("session", "personId", [id])),
    app.reader.records(recordsBy("machine", "owners", [id])),
    app.reader.openTasks(id),
    app.reader.records(recordsBy("alias", "personId", [id])),
  ]);
  const isHome = member.record.orgId === app.orgId;
  const linked = identities.filter(({ unlinkedAt }) => unlinkedAt === null);
  const own = await ownProviders(app, linked);
  return {
    ...member,
    openTasks,
    identities: linked.filter(({ providerId }) => (providerId === null ? isHome : own.has(providerId))),
    factors: isHome ? factors.filter(({ removedAt }) => removedAt === null) : [],
    sessions: sessions.filter(
      ({ orgId, endedAt, expiresAt }) => orgId === app.orgId && endedAt === null && expiresAt > now,
    ),
    machines: machines.filter(({ orgId, disabledAt }) => orgId === app.orgId && disabledAt === null),
    aliases: aliases.filter(({ orgId }) => orgId === app.orgId),
  };
}

/** Which of the identities' providers this organization set up. */
async function ownProviders(app: Application, identities: readonly IdentityRecord[]): Promise<ReadonlySet<string>> {
  const ids = identities.flatMap(({ providerId }) => providerId ?? []);
  const providers = await app.reader.records(recordsBy("identityProvider", "id", [...new Set(ids)]));
  return new Set(providers.filter(({ orgId }) => orgId === app.orgId).map(({ id }) => id));
}
