-- The second wall between organizations (docs/spec/identity.md R-ORG-3, docs/adr/0014-second-wall.md). A reading transaction names
-- its organization in the setting countersign.organization and sees the rows of that one alone, whatever the statement asks for.
-- Whoever names none sees everything as before, except for the role countersign_reader, which sees nothing.

-- The start calls this after the migrations; it changes nothing where nothing is missing. Says how reading is walled: 'role' when
-- reading transactions take the role on, 'user' when the database user is subject to the policies itself, 'none' when it cannot be.
create function raise_reading_wall() returns text language plpgsql as $$
declare
  own constant text := 'org_id = (select nullif(current_setting(''countersign.organization'', true), '''')::uuid)
    or (select current_user <> ''countersign_reader'' and coalesce(current_setting(''countersign.organization'', true), '''') = '''')';
  -- Found by secrets alone, before anybody's organization is known.
  unread constant text[] := array['sessions', 'one_time_links', 'ledger_entries'];
  part record;
  taken_on text := current_setting('role');
  by_role boolean := false;
begin
  -- Tables that a later migration made.
  for part in
    select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and a.attname = 'org_id'
      and not a.attisdropped and not c.relrowsecurity and pg_has_role(c.relowner, 'usage')
    order by c.relname
  loop
    execute format('alter table %I enable row level security', part.relname);
    execute format('create policy of_organization on %I using (%s)', part.relname, own);
  end loop;

  if not exists (select from pg_roles where rolname = 'countersign_reader') then
    begin
      create role countersign_reader nologin;
    exception when insufficient_privilege or duplicate_object or unique_violation then
      null;
    end;
  end if;
  for attempt in 1 .. 2 loop
    begin
      perform set_config('role', 'countersign_reader', true);
      perform set_config('role', taken_on, true);
      by_role := true;
    exception when insufficient_privilege or invalid_parameter_value then
      by_role := false;
    end;
    exit when by_role or not exists (select from pg_roles where rolname = 'countersign_reader');
    begin
      grant countersign_reader to session_user;
    exception when insufficient_privilege then
      null;
    end;
  end loop;

  -- Owners are above policies unless these are forced on them; pg_dump by the owner works only while they are not.
  for part in
    select c.relname, c.relforcerowsecurity as forced from pg_class c
    where c.relnamespace = current_schema()::regnamespace and c.relrowsecurity and pg_has_role(c.relowner, 'usage')
      and c.relforcerowsecurity = by_role
    order by c.relname
  loop
    execute format('alter table %I %s row level security', part.relname, case when by_role then 'no force' else 'force' end);
  end loop;

  if not by_role then
    return case when row_security_active('requests') then 'user' else 'none' end;
  end if;
  if not has_schema_privilege('countersign_reader', current_schema(), 'usage') then
    execute format('grant usage on schema %I to countersign_reader', current_schema());
  end if;
  for part in
    select c.relname from pg_class c
    where c.relnamespace = current_schema()::regnamespace and pg_has_role(c.relowner, 'usage')
      and (c.relrowsecurity and not c.relname = any(unread) or c.relname = 'organizations')
      and not has_table_privilege('countersign_reader', c.oid, 'select')
    order by c.relname
  loop
    execute format('grant select on %I to countersign_reader', part.relname);
  end loop;
  if not has_column_privilege('countersign_reader', 'factors', 'person_id', 'select') then
    grant select (person_id, disabled_at, removed_at) on factors to countersign_reader;
  end if;
  return 'role';
end $$;

-- People belong to where they come from, and are known where they hold or held a role or have a name.
alter table people enable row level security;
create policy of_organization on people using (
  org_id = (select nullif(current_setting('countersign.organization', true), '')::uuid)
  or (select current_user <> 'countersign_reader' and coalesce(current_setting('countersign.organization', true), '') = '')
  or exists (select from role_grants given where given.person_id = people.id)
  or exists (select from aliases alias where alias.person_id = people.id));

-- Those without an organization are of the whole installation: their holders act in every one.
alter table role_grants enable row level security;
create policy of_organization on role_grants using (
  (org_id is null and (select coalesce(current_setting('countersign.organization', true), '') <> ''))
  or org_id = (select nullif(current_setting('countersign.organization', true), '')::uuid)
  or (select current_user <> 'countersign_reader' and coalesce(current_setting('countersign.organization', true), '') = ''));

alter table ledger_entries enable row level security;
create policy of_organization on ledger_entries using (
  org = (select 'org_' || replace(nullif(current_setting('countersign.organization', true), ''), '-', ''))
  or (select current_user <> 'countersign_reader' and coalesce(current_setting('countersign.organization', true), '') = ''));

-- What has no organization of its own is seen with what it belongs to.
do $$
declare
  part record;
begin
  for part in
    select * from (values
      ('request_timers', 'requests', 'request_id'),
      ('displays', 'requests', 'request_id'),
      ('token_uses', 'api_tokens', 'token_id'),
      ('effect_attempts', 'effects', 'effect_id')
    ) as parts (name, whole, reference)
  loop
    execute format('alter table %I enable row level security', part.name);
    execute format('create policy of_organization on %1$I using (
      (select current_user <> ''countersign_reader'' and coalesce(current_setting(''countersign.organization'', true), '''') = '''')
      or exists (select from %2$I whole where whole.id = %1$I.%3$I))', part.name, part.whole, part.reference);
  end loop;
end $$;
