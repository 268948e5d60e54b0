/**
 * What is kept about somebody goes away for good: attributes and credentials, the openings of every entry that names them, so
 * that what the ledger committed to can never be read again, and their names in the audit list, which is a view of the ledger
 * (docs/spec/identity.md section 1, ledger R-PRIV-2). Whoever was merged into them goes with them (R-ID-7).
 */
import type { ClientBase, QueryResultRow } from "pg";
import type { PersonId } from "../../core/ids.ts";
import { sql } from "./named-sql.ts";

const PERSON = /"(usr_[0-9a-f]{32})"/g;

/** The people that the text of an entry names, each once. */
export function peopleNamedIn(text: string): readonly string[] {
  return [...new Set(Array.from(text.matchAll(PERSON), (found) => found[1] ?? ""))];
}

/**
 * The person and all who were merged into them, also by way of others; `usr` is the ledger's name. A merge is the last that
 * was written of the record that goes, and its entry stands among the few that were appended with it: found from there
 * backwards, however long the ledger is, and also when the openings of the merge itself are gone.
 */
const SAME = `merges as materialized (
  select p.id as gone, entry.text::json -> 'data' ->> 'into' as into_usr
  from people p, lateral (
    select e.text from ledger_entries e
    where e.seq <= p.entry_seq and e.kind = 'person.merged'
    order by e.seq desc limit 1
  ) entry
  where p.status = 'erased' and p.assignee = 'merged-' || left(p.id::text, 8)
    and entry.text::json -> 'data' ->> 'person' = 'usr_' || replace(p.id::text, '-', '')
), same (id, usr) as (
  select $1::uuid, 'usr_' || replace($1::text, '-', '')
  union
  select merges.gone, 'usr_' || replace(merges.gone::text, '-', '')
  from merges join same on merges.into_usr = same.usr
)`;

const NAMED = "people && (select array_agg(usr) from same)";

const COUNT = sql<{ count: number } & QueryResultRow>(
  "count_openings_of_person",
  `with recursive ${SAME} select count(*)::integer as count from ledger_openings where ${NAMED}`,
);

export async function countOpenings(
  client: ClientBase,
  people: readonly PersonId[],
): Promise<ReadonlyMap<PersonId, number>> {
  const counts = new Map<PersonId, number>();
  for (const id of people) counts.set(id, (await COUNT.run(client, [id])).rows[0]?.count ?? 0);
  return counts;
}

const OWN_TABLES = [
  ...["aliases", "identities", "sessions", "passwords", "factors", "backup_codes", "trusted_devices"],
  "factor_preferences",
];

/** Every name and address as a pattern, also as JSON writes it; whole words alone, so that `ann` leaves `annex` as it is. */
const NAMES = String.raw`known as (
  select name from aliases join same on same.id = aliases.person_id
  union
  select unnest(array[p.assignee, p.display_name, p.email]) from people p join same using (id)
), spelled as (
  select name from known where name <> ''
  union
  select substr(to_json(name)::text, 2, length(to_json(name)::text) - 2) from known where name <> ''
), pattern as (
  select '(?<![[:alnum:]_@+-])(?:'
    || string_agg(regexp_replace(name, '([][\\.*+?^$(){}|])', '\\\1', 'g'), '|')
    || ')(?![[:alnum:]_@+-]|[.][[:alnum:]])' as text
  from spelled
)`;

function scrubbed(column: string): string {
  return `regexp_replace(${column}, pattern.text, $1::text, 'gi')`;
}

/** These lines hold the names of roles, which a person may have as well. */
const OF_ROLES = "a.action in ('person.roles_changed', 'person.created')";

/** Why something was done to the person goes with them, as it does from the ledger's openings. */
const METADATA = "case when concerned.about then (a.metadata::jsonb - 'reason')::text else a.metadata::text end";

/**
 * The lines that the person wrote, and those whose entry names them. Who acted is told by the entry, since a name may have
 * been somebody else's before; where the entry names nobody a name is replaced by a word.
 */
const AUDIT = `concerned as (
  select a.id, e.actor as usr, e.actor in (select usr from same) as own,
    a.resource_type = 'person' and a.resource_id in (select id::text from same) as about
  from audit_records a join ledger_entries e on e.seq = a.entry_seq
  where exists (select from same where strpos(e.text, same.usr) > 0 or a.resource_id = same.id::text)
    or (e.actor not like 'usr\\_%' and a.org_id in (select org_id from people join same using (id))
      and (a.actor in (select name from known) or a.actor_email in (select name from known)))
), audit as (
  update audit_records a set
    actor = case
      when concerned.own then substr(concerned.usr, 5)::uuid::text
      when concerned.usr not like 'usr\\_%' and a.actor in (select name from known) then 'erased'
      else a.actor end,
    actor_email = case
      when concerned.own or (concerned.usr not like 'usr\\_%' and a.actor_email in (select name from known)) then null
      else a.actor_email end,
    resource_id = case when a.resource_id in (select name from known) then $1::text else a.resource_id end,
    summary = ${scrubbed("a.summary")},
    before = case when ${OF_ROLES} then a.before else ${scrubbed("a.before::text")}::json end,
    after = case when ${OF_ROLES} then a.after else ${scrubbed("a.after::text")}::json end,
    metadata = ${scrubbed(METADATA)}::json
  from concerned, pattern where a.id = concerned.id
)`;

const ERASE = sql(
  "erase_person",
  `with recursive ${SAME},
  ${NAMES},
  ${AUDIT},
  openings as (delete from ledger_openings where ${NAMED}),
  ${OWN_TABLES.map((table) => `gone_${table} as (delete from ${table} where person_id in (select id from same))`).join(",\n  ")}
  select 1 as done`,
);

/** Runs before the transaction's own rows are written: what is told about the erasure stays. */
export async function erasePerson(client: ClientBase, id: PersonId): Promise<void> {
  await ERASE.run(client, [id]);
}
