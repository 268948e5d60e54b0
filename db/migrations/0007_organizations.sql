-- Whatever belongs to an organization says so itself, and refers to nothing of another one (docs/spec/identity.md R-ORG-1).

alter table requests add constraint requests_of_organization unique (org_id, id);
alter table policies add constraint policies_of_organization unique (org_id, id);

alter table stage_runs add column org_id uuid;
alter table seats add column org_id uuid;
alter table tasks add column org_id uuid;
alter table decisions add column org_id uuid;
alter table events add column org_id uuid;
alter table audit_records add column org_id uuid;

do $$
declare
  part text;
begin
  foreach part in array array['stage_runs', 'seats', 'tasks', 'decisions', 'events'] loop
    execute format('alter table %I disable trigger user', part);
    execute format('update %I set org_id = r.org_id from requests r where r.id = %I.request_id', part, part);
    execute format('alter table %I enable trigger user', part);
    execute format('alter table %I alter column org_id set not null', part);
    execute format('alter table %I drop constraint %I', part, part || '_request_id_fkey');
    execute format('alter table %I add constraint %I foreign key (org_id, request_id) references requests (org_id, id)
      deferrable initially deferred', part, part || '_request_fkey');
  end loop;
end $$;

update audit_records set org_id = (select id from organizations order by created_at limit 1);
alter table audit_records alter column org_id set not null,
  add constraint audit_records_org_fkey foreign key (org_id) references organizations (id);
drop index audit_records_newest;
create index audit_records_newest on audit_records (org_id, occurred_at desc, id desc);

alter table requests drop constraint requests_policy_id_fkey;
alter table requests add constraint requests_policy_fkey foreign key (org_id, policy_id) references policies (org_id, id)
  deferrable initially deferred;

drop index tasks_inbox;
create index tasks_inbox on tasks (person_id, org_id, status, created_at desc, id desc);
