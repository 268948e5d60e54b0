-- What ran under a deploy approval is set once or only grows, element by element (docs/spec/deploy.md R-BIND-13); and what somebody
-- decided stays as it was decided.

-- An approval names no archive but one that was let through.
alter table deploy_approvals
  add constraint deploy_approvals_object_fkey foreign key (org_id, scope, app, object_key)
    references deploy_objects (org_id, scope, app, key) deferrable initially deferred,
  add constraint deploy_approvals_object_check check ((object_key is null) = (object_url is null));

-- Each element stays at its place, with these members for ever, and with those from the moment they have a value.
create function deploy_list_grows(before json, after json, fixed text[], once text[]) returns boolean language sql immutable as $$
  select not exists (
    select from json_array_elements(before) with ordinality as was (item, place)
    where json_array_length(after) < was.place
      or exists (
        select from unnest(fixed || once) as member
        where (was.item ->> member is not null or member = any (fixed))
          and (after -> (was.place - 1)::integer) ->> member is distinct from was.item ->> member))
$$;

create function deploy_approvals_keep_runs() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    raise exception 'a deploy approval stays';
  end if;
  if not deploy_list_grows(old.builds, new.builds, array['attempt', 'objectKey', 'manifest', 'startedAt'], array['id', 'releaseId'])
    or not deploy_list_grows(old.promotes, new.promotes, array['attempt', 'releaseId', 'startedAt'], '{}')
    or not deploy_list_grows(old.commands, new.commands, array['kind', 'command', 'at'], array['pid'])
    -- A build that the rack has named is never unsent again, and the outcome of a promote is found out once.
    or exists (
      select from json_array_elements(old.builds) with ordinality as was (item, place)
      where was.item ->> 'status' <> 'creating' and (new.builds -> (was.place - 1)::integer) ->> 'status' = 'creating')
    or exists (
      select from json_array_elements(old.promotes) with ordinality as was (item, place)
      where was.item ->> 'outcome' <> 'pending'
        and (new.promotes -> (was.place - 1)::integer) ->> 'outcome' is distinct from was.item ->> 'outcome')
    or new.process_ids[1:cardinality(old.process_ids)] is distinct from old.process_ids
    or exists (
      select from json_object_keys(old.exec_commands) as ran (pid) where (new.exec_commands ->> ran.pid) is null)
    -- A later archive or release may take the place of the latest one; nothing takes it away.
    or (old.object_key is not null and (new.object_key is null or new.object_url is null))
    or (new.release_id is distinct from old.release_id
      and not exists (select from json_array_elements(new.builds) as build where build ->> 'releaseId' = new.release_id))
    or (old.deployed_at is not null
      and (old.deployed_by_token_id, old.deployed_by_person_id) is distinct from (new.deployed_by_token_id, new.deployed_by_person_id))
  then
    raise exception 'what ran under a deploy approval cannot be changed';
  end if;
  return new;
end $$;
create trigger deploy_approvals_runs_kept before update or delete on deploy_approvals
  for each row execute function deploy_approvals_keep_runs();

-- A person who was merged decides under another id, and a decision that was voided holds no seat; nothing else of it changes.
create function decisions_keep() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    raise exception 'a decision stays';
  end if;
  if (old.id, old.org_id, old.request_id, old.stage_run_id, old.stage_order, old.task_id, old.action, old.override, old.assurance,
      old.method, old.factor_id, old.digest, old.revision, old.created_at)
    is distinct from (new.id, new.org_id, new.request_id, new.stage_run_id, new.stage_order, new.task_id, new.action, new.override,
      new.assurance, new.method, new.factor_id, new.digest, new.revision, new.created_at)
    or (old.voided_at is not null and new.voided_at is distinct from old.voided_at) then
    raise exception 'a decision cannot become another one';
  end if;
  return new;
end $$;
create trigger decisions_kept before update or delete on decisions for each row execute function decisions_keep();

-- The same view as before, except that a promote which was admitted in time deploys although the approval has ended meanwhile
-- (docs/spec/deploy.md R-STATE-5, R-EXPIRY-3).
create or replace view deploy_approval_requests with (security_invoker = true) as
select a.id as public_id, a.org_id, a.scope, a.app, a.commit as git_commit_hash, a.branch as git_branch,
  a.facts ->> 'prUrl' as pr_url, a.ci_metadata::jsonb as ci_metadata, a.message,
  case
    when r.status in ('pending', 'in_review') then case when r.expires_at > now() then 'pending' else 'expired' end
    when r.status = 'cancelled' and r.outcome ->> 'cause' in ('rejected', 'superseded') then r.outcome ->> 'cause'
    when r.status <> 'approved' then r.status
    when g.state = 'used' then 'deployed'
    when g.state = 'revoked' then case g.revoked_reason when 'rejected' then 'rejected' else 'cancelled' end
    when g.state in ('active', 'expired') and a.deployed_at is not null then 'deployed'
    when g.state = 'active' and g.expires_at > now() then 'approved'
    else 'expired'
  end as status,
  token.number as target_api_token_id,
  (select person.number from decisions d join people person on person.id = d.person_id
    where d.request_id = r.id and d.action = 'approve' and d.seat_id is not null and d.voided_at is null and r.status = 'approved'
    order by d.created_at desc, d.entry_seq desc limit 1) as approved_by_user_id,
  g.expires_at as approval_expires_at, a.object_url, a.release_id, a.created_at, a.deployed_at
from deploy_approvals a
  join requests r on r.id = a.request_id
  left join grants g on g.request_id = r.id
  left join api_tokens token on token.id = a.target_token_id;

-- Each organization keeps the files of a commit for itself (docs/spec/deploy.md R-SOURCE-1).
update deploy_trees set id = org_id || '/' || id;
