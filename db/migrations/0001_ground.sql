-- The ledger: canonical entry text, hash-chained; columns besides the text are derived from it and checked against it.
create table ledger_entries (
  seq bigint primary key check (seq >= 0),
  text text not null,
  at text not null,
  org text,
  kind text not null,
  actor text,
  credential text,
  request text,
  resource_digest text,
  chain text not null,
  leaf text not null
);
create index ledger_entries_request on ledger_entries (request) where request is not null;

-- One row: where the ledger stands. Locked first by every transaction that writes, so that writers take turns.
create table ledger_head (
  id boolean primary key default true check (id),
  origin text not null,
  size bigint not null,
  root text not null,
  chain text not null,
  ranges text[] not null,
  last_at text
);

create table ledger_openings (
  seq bigint not null references ledger_entries (seq) deferrable initially deferred,
  path text not null,
  salt text not null,
  value json not null,
  primary key (seq, path)
);

create table ledger_checkpoints (
  size bigint primary key,
  root text not null,
  note text not null,
  created_at timestamptz not null
);

create function refuse_ledger_change() returns trigger language plpgsql as $$
begin
  raise exception 'ledger entries are never changed or removed' using errcode = 'integrity_constraint_violation';
end $$;
create trigger ledger_entries_append_only before update or delete on ledger_entries
  for each row execute function refuse_ledger_change();
create trigger ledger_entries_no_truncate before truncate on ledger_entries
  for each statement execute function refuse_ledger_change();

-- Every state row names the entry that describes it; a later state needs a later entry.
create function entry_seq_grows() returns trigger language plpgsql as $$
begin
  if new.entry_seq <= old.entry_seq then
    raise exception '% row changed without a ledger entry', tg_table_name using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;

create table organizations (
  id uuid primary key,
  name text not null,
  created_at timestamptz not null
);

create table people (
  id uuid primary key,
  org_id uuid not null references organizations (id),
  assignee text not null,
  display_name text,
  email text,
  status text not null check (status in ('placeholder', 'active', 'disabled')),
  created_at timestamptz not null,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred
);

create table identities (
  issuer text not null,
  subject text not null,
  person_id uuid not null references people (id) deferrable initially deferred,
  created_at timestamptz not null,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred,
  primary key (issuer, subject)
);
create index identities_person on identities (person_id);

create table aliases (
  org_id uuid not null references organizations (id),
  name text not null,
  folded text not null,
  person_id uuid not null references people (id) deferrable initially deferred,
  proof text not null check (proof in ('asserted', 'verified')),
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred,
  primary key (org_id, name)
);
create index aliases_person on aliases (person_id);

create table directory_entries (
  org_id uuid not null references organizations (id),
  kind text not null check (kind in ('role', 'group')),
  client text not null,
  name text not null,
  members uuid[] not null,
  created_at timestamptz not null,
  deleted boolean not null,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred,
  primary key (org_id, kind, client, name)
);

create table policies (
  id uuid primary key,
  org_id uuid not null references organizations (id),
  policy_key text not null,
  version integer not null check (version >= 1),
  status text not null check (status in ('draft', 'active', 'archived')),
  name text not null,
  artifact_type text not null,
  -- Canonical JSON (RFC 8785), kept as text so that its digest can be recomputed from the very bytes.
  document text not null,
  digest text not null,
  problems json not null,
  created_by text not null,
  created_at timestamptz not null,
  updated_by text,
  updated_at timestamptz not null,
  activated_at timestamptz,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred,
  unique (org_id, policy_key, version)
);
create unique index policies_one_active on policies (org_id, policy_key) where status = 'active';

create table requests (
  id uuid primary key,
  org_id uuid not null references organizations (id),
  policy_id uuid not null references policies (id),
  policy_key text not null,
  policy_version integer not null,
  policy_digest text not null,
  artifact_type text not null,
  artifact_id text not null,
  requester text not null,
  creator_issuer text not null,
  creator_subject text not null,
  creator_client_id text,
  creator_assignee text not null,
  creator_person_id uuid references people (id) deferrable initially deferred,
  creator_machine boolean not null,
  context json not null,
  search_text text,
  revision integer not null,
  salt text not null,
  digest text not null,
  status text not null check (status in ('pending', 'in_review', 'approved', 'rejected', 'cancelled', 'expired')),
  current_stage_order integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  expires_at timestamptz not null,
  completed_at timestamptz,
  outcome json,
  event_count integer not null,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred,
  check ((completed_at is null) = (status in ('pending', 'in_review')))
);
create index requests_newest on requests (org_id, created_at desc, id desc);
create index requests_artifact on requests (org_id, artifact_type, artifact_id);
create index requests_requester on requests (org_id, requester, created_at desc);
create index requests_creator on requests (creator_issuer, creator_subject, created_at desc);

-- When the clock must look at a request again. Bookkeeping, not state: what it leads to is recorded when it happens.
create table request_timers (
  request_id uuid primary key references requests (id) deferrable initially deferred,
  next_timer_at timestamptz not null,
  resolution json,
  escalations json not null
);
create index request_timers_due on request_timers (next_timer_at);

create table stage_runs (
  id uuid primary key,
  request_id uuid not null references requests (id) deferrable initially deferred,
  stage_order integer not null,
  name text not null,
  mode text not null,
  mode_value integer,
  state text not null check (state in ('waiting', 'resolving', 'open', 'approved', 'rejected', 'skipped', 'closed')),
  skip_reason text,
  started_at timestamptz,
  completed_at timestamptz,
  due_at timestamptz,
  escalation_round integer not null,
  excluded json not null,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred,
  unique (request_id, stage_order)
);

create table seats (
  id uuid primary key,
  request_id uuid not null references requests (id) deferrable initially deferred,
  stage_run_id uuid not null references stage_runs (id) deferrable initially deferred,
  position integer not null,
  origins uuid[] not null,
  holder_id uuid not null references people (id) deferrable initially deferred,
  required boolean not null,
  state text not null check (state in ('open', 'approved', 'rejected', 'abstained', 'removed', 'closed')),
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred,
  unique (stage_run_id, position)
);
create unique index seats_one_per_holder on seats (stage_run_id, holder_id);
create index seats_request on seats (request_id);

create table tasks (
  id uuid primary key,
  request_id uuid not null references requests (id) deferrable initially deferred,
  stage_run_id uuid not null references stage_runs (id) deferrable initially deferred,
  stage_order integer not null,
  position integer not null,
  seat_id uuid references seats (id) deferrable initially deferred,
  escalation boolean not null,
  person_id uuid not null references people (id) deferrable initially deferred,
  assignee text not null,
  assignee_name text,
  kind text not null check (kind in ('approver', 'observer')),
  required boolean not null,
  delegated_from text,
  delegator_id uuid references people (id) deferrable initially deferred,
  reassigned_from text,
  status text not null check (status in ('open', 'claimed', 'completed', 'skipped', 'expired', 'reassigned')),
  claimed_at timestamptz,
  completed_at timestamptz,
  due_at timestamptz,
  overdue_at timestamptz,
  decision_id uuid,
  created_at timestamptz not null,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred,
  unique (stage_run_id, position)
);
create unique index tasks_one_open_per_person on tasks (stage_run_id, person_id) where status in ('open', 'claimed');
create index tasks_request on tasks (request_id);
create index tasks_inbox on tasks (person_id, status, created_at desc, id desc);
create index tasks_delegator on tasks (delegator_id) where delegator_id is not null;

create table decisions (
  id uuid primary key,
  request_id uuid not null references requests (id) deferrable initially deferred,
  stage_run_id uuid not null references stage_runs (id) deferrable initially deferred,
  stage_order integer not null,
  task_id uuid not null references tasks (id) deferrable initially deferred,
  seat_id uuid references seats (id) deferrable initially deferred,
  -- Null only for the clock's own decisions: no machine ever decides.
  person_id uuid references people (id) deferrable initially deferred,
  actor text not null,
  actor_id text not null,
  action text not null check (action in ('approve', 'reject', 'abstain')),
  comment text,
  attachments_ref text,
  reason_code text,
  on_behalf_of text,
  override boolean not null,
  assurance text not null,
  digest text not null,
  revision integer not null,
  created_at timestamptz not null,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred,
  check (person_id is not null or actor_id = 'sla-monitor')
);
create unique index decisions_one_per_task on decisions (task_id);
create unique index decisions_one_per_seat on decisions (seat_id) where seat_id is not null;
create unique index decisions_one_per_person on decisions (stage_run_id, person_id) where seat_id is not null;
create index decisions_request on decisions (request_id);

create table events (
  id uuid primary key,
  request_id uuid not null references requests (id) deferrable initially deferred,
  sequence integer not null,
  event_type text not null,
  payload json not null,
  created_at timestamptz not null,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred,
  unique (request_id, sequence),
  unique (entry_seq)
);

create table delegations (
  id uuid primary key,
  org_id uuid not null references organizations (id),
  from_person_id uuid not null references people (id) deferrable initially deferred,
  from_name text not null,
  to_person_id uuid not null references people (id) deferrable initially deferred,
  to_name text not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  reason text,
  policy_keys text[] not null,
  artifact_types text[] not null,
  created_by text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred,
  check (ends_at > starts_at)
);
create index delegations_from on delegations (from_person_id) where deleted_at is null;
create index delegations_to on delegations (to_person_id) where deleted_at is null;

create table sessions (
  token_hash text primary key,
  org_id uuid not null references organizations (id),
  person_id uuid not null references people (id) deferrable initially deferred,
  claims json not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  ended_at timestamptz,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred
);

create table audit_records (
  id uuid primary key,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred,
  occurred_at timestamptz not null,
  actor text not null,
  actor_email text,
  action text not null,
  resource_type text not null,
  resource_id text not null,
  summary text not null,
  before json,
  after json,
  metadata json not null
);
create index audit_records_newest on audit_records (occurred_at desc, id desc);

create table idempotency_keys (
  scope text not null,
  key text not null,
  body_hash text not null,
  status integer not null,
  body json not null,
  request_id uuid,
  created_at timestamptz not null,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred,
  primary key (scope, key)
);
create index idempotency_keys_age on idempotency_keys (created_at);

do $$
declare
  state_table text;
begin
  foreach state_table in array array[
    'people', 'identities', 'aliases', 'directory_entries', 'policies', 'requests', 'stage_runs', 'seats', 'tasks',
    'decisions', 'delegations', 'sessions'
  ] loop
    execute format('create trigger %I before update on %I for each row execute function entry_seq_grows()',
      state_table || '_need_an_entry', state_table);
  end loop;
end $$;
