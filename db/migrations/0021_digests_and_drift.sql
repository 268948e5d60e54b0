-- What images led to, what ran when it was approved, and what had changed when it was deployed (docs/spec/deploy.md R-IMAGE-8,
-- R-BIND-11, R-BIND-12).
alter table deploy_approvals
  -- Per position of the manifest what its reference led to; grows, and is never changed.
  add column image_digests json not null default '[]',
  -- The first digest that was found changed: nothing is deployed under the approval any more.
  add column image_change json,
  -- Release and environment (keyed marks, no values) when it was approved.
  add column rack_state json,
  -- What differed from it at the latest promote.
  add column drift json;

create function deploy_approvals_keep_facts() returns trigger language plpgsql as $$
begin
  if (old.image_change is not null and new.image_change::jsonb is distinct from old.image_change::jsonb)
    or (old.rack_state is not null and new.rack_state::jsonb is distinct from old.rack_state::jsonb)
    or json_array_length(new.image_digests) < json_array_length(old.image_digests)
    or exists (
      select from json_array_elements(old.image_digests) with ordinality as before (image, position)
      where (new.image_digests -> (before.position - 1)::integer)::jsonb is distinct from before.image::jsonb) then
    raise exception 'what was recorded of a deploy approval cannot be changed';
  end if;
  return new;
end $$;
create trigger deploy_approvals_facts_kept before update on deploy_approvals
  for each row execute function deploy_approvals_keep_facts();

-- The files of a pinned archive, to tell how another one differs (R-BIND-6). The digest proves the list, so it needs no entry; it is
-- kept for as long as an approval can last.
create table deploy_archives (
  -- Organization and source digest.
  id text primary key,
  org_id uuid not null references organizations (id),
  paths text not null,
  -- False where the list was cut.
  whole boolean not null,
  expires_at timestamptz not null
);
create index deploy_archives_expires on deploy_archives (expires_at);
