/** API tokens as the deploy gate's clients read them (docs/spec/deploy.md 11.3). */
import type { Application } from "../../app/application.ts";
import { emailOf } from "../../app/deploy/member-of-email.ts";
import { readTokenLimits } from "../../app/token-limits.ts";
import { standsForProvider } from "../../app/workload-caller.ts";
import type { DeployTokenOut } from "../../contract/deploy-tokens.ts";
import { wireTime } from "../../contract/wire-time.ts";
import type { PersonRecord } from "../../ports/identity-records.ts";
import type { TokenView } from "../../ports/reader.ts";
import { recordsBy } from "../../ports/records.ts";

export async function deployTokensOut(
  app: Application,
  views: readonly TokenView[],
): Promise<readonly DeployTokenOut[]> {
  const makers = [...new Set(views.map(({ record }) => record.createdBy))];
  const aliases = (await app.reader.records(recordsBy("alias", "name", makers))).filter(
    ({ orgId }) => orgId === app.orgId,
  );
  const makerOf = new Map(aliases.map(({ name, personId }) => [name, personId]));
  const ids = [...new Set([...makerOf.values(), ...views.flatMap(({ machine }) => machine.owners)])];
  const [people, personNumbers, tokenNumbers] = await Promise.all([
    app.reader.records(recordsBy("person", "id", ids)),
    app.reader.numbersOf("person", ids),
    app.reader.numbersOf(
      "token",
      views.map(({ record }) => record.id),
    ),
  ]);
  const known: Known = { people: new Map(people.map((person) => [person.id, person])), personNumbers, tokenNumbers };
  return views.map((view) => tokenOut(view, makerOf.get(view.record.createdBy) ?? null, known));
}

interface Known {
  readonly people: ReadonlyMap<string, PersonRecord>;
  readonly personNumbers: ReadonlyMap<string, number>;
  readonly tokenNumbers: ReadonlyMap<string, number>;
}

function tokenOut({ record, machine, lastUsedAt }: TokenView, makerId: string | null, known: Known): DeployTokenOut {
  const [ownerId = null] = machine.owners;
  const owner = ownerId === null ? undefined : known.people.get(ownerId);
  const { apps, racks } = readTokenLimits(record.limits);
  return {
    ...{ id: known.tokenNumbers.get(record.id) ?? 0, public_id: record.id, name: record.name },
    user_id: ownerId === null ? 0 : (known.personNumbers.get(ownerId) ?? 0),
    ...makerOut(makerId, known),
    ...{ permissions: [...record.scopes], created_at: wireTime(record.createdAt) },
    ...(record.expiresAt === null ? {} : { expires_at: wireTime(record.expiresAt) }),
    ...(lastUsedAt === null ? {} : { last_used_at: wireTime(lastUsedAt) }),
    ...(racks === null ? {} : { racks: [...racks] }),
    ...(apps === null ? {} : { apps: [...apps] }),
    kind: kindOf(record, ownerId),
    ...(owner === undefined ? {} : { owner_email: emailOf(owner) }),
  };
}

function kindOf(record: TokenView["record"], ownerId: string | null): DeployTokenOut["kind"] {
  if (standsForProvider(record)) return "workload";
  return ownerId === null ? "service_account" : "user";
}

function makerOut(
  makerId: string | null,
  { people, personNumbers }: Known,
): Pick<DeployTokenOut, "created_by_user_id" | "created_by_email" | "created_by_name"> {
  const maker = makerId === null ? undefined : people.get(makerId);
  if (maker === undefined) return {};
  const number = personNumbers.get(maker.id);
  return {
    ...(number === undefined ? {} : { created_by_user_id: number }),
    ...{ created_by_email: emailOf(maker), created_by_name: maker.displayName ?? maker.assignee },
  };
}
