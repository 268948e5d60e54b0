-- People who turn out to be one, and people who are erased (docs/spec/identity.md section 1, R-ID-7).

-- Where both had decided in one live stage, the later decision is void.
alter table decisions add column voided_at timestamptz;

-- Whom the entry of an opening names, so that erasing somebody finds theirs without reading the ledger.
alter table ledger_openings add column people text[] not null default '{}';
update ledger_openings opening set people = array(
  select distinct named[1] from ledger_entries entry, regexp_matches(entry.text, '"(usr_[0-9a-f]{32})"', 'g') named
  where entry.seq = opening.seq);
alter table ledger_openings alter column people drop default;
create index ledger_openings_people on ledger_openings using gin (people);
create index directory_entries_members on directory_entries using gin (members) where not deleted;
-- Names are looked for without regard to letter case (RFC 7643 section 4.1.1).
create index aliases_folded on aliases (folded);
create index scim_resources_group on scim_resources (group_path) where deleted_at is null;
-- Null: what the installation says applies again.
alter table settings alter column value drop not null;
