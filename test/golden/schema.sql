-- The schema after all migrations. Written by `npm run golden`; do not edit.

create table aliases (
  org_id uuid not null,
  name text not null,
  folded text not null,
  person_id uuid not null,
  proof text not null,
  entry_seq bigint not null,
  constraint aliases_pkey PRIMARY KEY (org_id, name),
  constraint aliases_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint aliases_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(id),
  constraint aliases_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id) DEFERRABLE INITIALLY DEFERRED,
  constraint aliases_proof_check CHECK ((proof = ANY (ARRAY['asserted'::text, 'verified'::text])))
);

create table audit_records (
  id uuid not null,
  entry_seq bigint not null,
  occurred_at timestamp with time zone not null,
  actor text not null,
  actor_email text,
  action text not null,
  resource_type text not null,
  resource_id text not null,
  summary text not null,
  before json,
  after json,
  metadata json not null,
  constraint audit_records_pkey PRIMARY KEY (id),
  constraint audit_records_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED
);

create table decisions (
  id uuid not null,
  request_id uuid not null,
  stage_run_id uuid not null,
  stage_order integer not null,
  task_id uuid not null,
  seat_id uuid,
  person_id uuid,
  actor text not null,
  actor_id text not null,
  action text not null,
  comment text,
  attachments_ref text,
  reason_code text,
  on_behalf_of text,
  override boolean not null,
  assurance text not null,
  digest text not null,
  revision integer not null,
  created_at timestamp with time zone not null,
  entry_seq bigint not null,
  constraint decisions_pkey PRIMARY KEY (id),
  constraint decisions_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint decisions_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id) DEFERRABLE INITIALLY DEFERRED,
  constraint decisions_request_id_fkey FOREIGN KEY (request_id) REFERENCES requests(id) DEFERRABLE INITIALLY DEFERRED,
  constraint decisions_seat_id_fkey FOREIGN KEY (seat_id) REFERENCES seats(id) DEFERRABLE INITIALLY DEFERRED,
  constraint decisions_stage_run_id_fkey FOREIGN KEY (stage_run_id) REFERENCES stage_runs(id) DEFERRABLE INITIALLY DEFERRED,
  constraint decisions_task_id_fkey FOREIGN KEY (task_id) REFERENCES tasks(id) DEFERRABLE INITIALLY DEFERRED,
  constraint decisions_action_check CHECK ((action = ANY (ARRAY['approve'::text, 'reject'::text, 'abstain'::text]))),
  constraint decisions_check CHECK (((person_id IS NOT NULL) OR (actor_id = 'sla-monitor'::text)))
);

create table delegations (
  id uuid not null,
  org_id uuid not null,
  from_person_id uuid not null,
  from_name text not null,
  to_person_id uuid not null,
  to_name text not null,
  starts_at timestamp with time zone not null,
  ends_at timestamp with time zone not null,
  reason text,
  policy_keys text[] not null,
  artifact_types text[] not null,
  created_by text not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  deleted_at timestamp with time zone,
  entry_seq bigint not null,
  constraint delegations_pkey PRIMARY KEY (id),
  constraint delegations_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint delegations_from_person_id_fkey FOREIGN KEY (from_person_id) REFERENCES people(id) DEFERRABLE INITIALLY DEFERRED,
  constraint delegations_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(id),
  constraint delegations_to_person_id_fkey FOREIGN KEY (to_person_id) REFERENCES people(id) DEFERRABLE INITIALLY DEFERRED,
  constraint delegations_check CHECK ((ends_at > starts_at))
);

create table directory_entries (
  org_id uuid not null,
  kind text not null,
  client text not null,
  name text not null,
  members uuid[] not null,
  created_at timestamp with time zone not null,
  deleted boolean not null,
  entry_seq bigint not null,
  constraint directory_entries_pkey PRIMARY KEY (org_id, kind, client, name),
  constraint directory_entries_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint directory_entries_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(id),
  constraint directory_entries_kind_check CHECK ((kind = ANY (ARRAY['role'::text, 'group'::text])))
);

create table events (
  id uuid not null,
  request_id uuid not null,
  sequence integer not null,
  event_type text not null,
  payload json not null,
  created_at timestamp with time zone not null,
  entry_seq bigint not null,
  constraint events_pkey PRIMARY KEY (id),
  constraint events_entry_seq_key UNIQUE (entry_seq),
  constraint events_request_id_sequence_key UNIQUE (request_id, sequence),
  constraint events_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint events_request_id_fkey FOREIGN KEY (request_id) REFERENCES requests(id) DEFERRABLE INITIALLY DEFERRED
);

create table idempotency_keys (
  scope text not null,
  key text not null,
  body_hash text not null,
  status integer not null,
  body json not null,
  request_id uuid,
  created_at timestamp with time zone not null,
  entry_seq bigint not null,
  constraint idempotency_keys_pkey PRIMARY KEY (scope, key),
  constraint idempotency_keys_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED
);

create table identities (
  issuer text not null,
  subject text not null,
  person_id uuid not null,
  created_at timestamp with time zone not null,
  entry_seq bigint not null,
  constraint identities_pkey PRIMARY KEY (issuer, subject),
  constraint identities_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint identities_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id) DEFERRABLE INITIALLY DEFERRED
);

create table ledger_checkpoints (
  size bigint not null,
  root text not null,
  note text not null,
  created_at timestamp with time zone not null,
  chain text not null,
  ranges text[] not null,
  last_at text,
  constraint ledger_checkpoints_pkey PRIMARY KEY (size)
);

create table ledger_entries (
  seq bigint not null,
  text text not null,
  at text not null,
  org text,
  kind text not null,
  actor text,
  credential text,
  request text,
  resource_digest text,
  chain text not null,
  leaf text not null,
  constraint ledger_entries_pkey PRIMARY KEY (seq),
  constraint ledger_entries_seq_check CHECK ((seq >= 0))
);

create table ledger_head (
  id boolean not null default true,
  origin text not null,
  size bigint not null,
  root text not null,
  chain text not null,
  ranges text[] not null,
  last_at text,
  constraint ledger_head_pkey PRIMARY KEY (id),
  constraint ledger_head_id_check CHECK (id)
);

create table ledger_openings (
  seq bigint not null,
  path text not null,
  salt text not null,
  value json not null,
  constraint ledger_openings_pkey PRIMARY KEY (seq, path),
  constraint ledger_openings_seq_fkey FOREIGN KEY (seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED
);

create table organizations (
  id uuid not null,
  name text not null,
  created_at timestamp with time zone not null,
  constraint organizations_pkey PRIMARY KEY (id)
);

create table people (
  id uuid not null,
  org_id uuid not null,
  assignee text not null,
  display_name text,
  email text,
  status text not null,
  created_at timestamp with time zone not null,
  entry_seq bigint not null,
  constraint people_pkey PRIMARY KEY (id),
  constraint people_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint people_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(id),
  constraint people_status_check CHECK ((status = ANY (ARRAY['placeholder'::text, 'active'::text, 'disabled'::text])))
);

create table policies (
  id uuid not null,
  org_id uuid not null,
  policy_key text not null,
  version integer not null,
  status text not null,
  name text not null,
  artifact_type text not null,
  document text not null,
  digest text not null,
  problems json not null,
  created_by text not null,
  created_at timestamp with time zone not null,
  updated_by text,
  updated_at timestamp with time zone not null,
  activated_at timestamp with time zone,
  entry_seq bigint not null,
  constraint policies_pkey PRIMARY KEY (id),
  constraint policies_org_id_policy_key_version_key UNIQUE (org_id, policy_key, version),
  constraint policies_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint policies_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(id),
  constraint policies_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'active'::text, 'archived'::text]))),
  constraint policies_version_check CHECK ((version >= 1))
);

create table request_timers (
  request_id uuid not null,
  next_timer_at timestamp with time zone not null,
  resolution json,
  escalations json not null,
  constraint request_timers_pkey PRIMARY KEY (request_id),
  constraint request_timers_request_id_fkey FOREIGN KEY (request_id) REFERENCES requests(id) DEFERRABLE INITIALLY DEFERRED
);

create table requests (
  id uuid not null,
  org_id uuid not null,
  policy_id uuid not null,
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
  creator_person_id uuid,
  creator_machine boolean not null,
  context json not null,
  search_text text,
  revision integer not null,
  salt text not null,
  digest text not null,
  status text not null,
  current_stage_order integer not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  completed_at timestamp with time zone,
  outcome json,
  event_count integer not null,
  entry_seq bigint not null,
  constraint requests_pkey PRIMARY KEY (id),
  constraint requests_creator_person_id_fkey FOREIGN KEY (creator_person_id) REFERENCES people(id) DEFERRABLE INITIALLY DEFERRED,
  constraint requests_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint requests_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(id),
  constraint requests_policy_id_fkey FOREIGN KEY (policy_id) REFERENCES policies(id),
  constraint requests_check CHECK (((completed_at IS NULL) = (status = ANY (ARRAY['pending'::text, 'in_review'::text])))),
  constraint requests_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'in_review'::text, 'approved'::text, 'rejected'::text, 'cancelled'::text, 'expired'::text])))
);

create table schema_migrations (
  version integer not null,
  name text not null,
  sha256 text not null,
  applied_at timestamp with time zone not null default clock_timestamp(),
  constraint schema_migrations_pkey PRIMARY KEY (version)
);

create table seats (
  id uuid not null,
  request_id uuid not null,
  stage_run_id uuid not null,
  "position" integer not null,
  origins uuid[] not null,
  holder_id uuid not null,
  required boolean not null,
  state text not null,
  entry_seq bigint not null,
  constraint seats_pkey PRIMARY KEY (id),
  constraint seats_stage_run_id_position_key UNIQUE (stage_run_id, "position"),
  constraint seats_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint seats_holder_id_fkey FOREIGN KEY (holder_id) REFERENCES people(id) DEFERRABLE INITIALLY DEFERRED,
  constraint seats_request_id_fkey FOREIGN KEY (request_id) REFERENCES requests(id) DEFERRABLE INITIALLY DEFERRED,
  constraint seats_stage_run_id_fkey FOREIGN KEY (stage_run_id) REFERENCES stage_runs(id) DEFERRABLE INITIALLY DEFERRED,
  constraint seats_state_check CHECK ((state = ANY (ARRAY['open'::text, 'approved'::text, 'rejected'::text, 'abstained'::text, 'removed'::text, 'closed'::text])))
);

create table sessions (
  token_hash text not null,
  org_id uuid not null,
  person_id uuid not null,
  claims json not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  entry_seq bigint not null,
  constraint sessions_pkey PRIMARY KEY (token_hash),
  constraint sessions_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint sessions_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(id),
  constraint sessions_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id) DEFERRABLE INITIALLY DEFERRED
);

create table stage_runs (
  id uuid not null,
  request_id uuid not null,
  stage_order integer not null,
  name text not null,
  mode text not null,
  mode_value integer,
  state text not null,
  skip_reason text,
  started_at timestamp with time zone,
  completed_at timestamp with time zone,
  due_at timestamp with time zone,
  escalation_round integer not null,
  excluded json not null,
  entry_seq bigint not null,
  constraint stage_runs_pkey PRIMARY KEY (id),
  constraint stage_runs_request_id_stage_order_key UNIQUE (request_id, stage_order),
  constraint stage_runs_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint stage_runs_request_id_fkey FOREIGN KEY (request_id) REFERENCES requests(id) DEFERRABLE INITIALLY DEFERRED,
  constraint stage_runs_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'resolving'::text, 'open'::text, 'approved'::text, 'rejected'::text, 'skipped'::text, 'closed'::text])))
);

create table tasks (
  id uuid not null,
  request_id uuid not null,
  stage_run_id uuid not null,
  stage_order integer not null,
  "position" integer not null,
  seat_id uuid,
  escalation boolean not null,
  person_id uuid not null,
  assignee text not null,
  assignee_name text,
  kind text not null,
  required boolean not null,
  delegated_from text,
  delegator_id uuid,
  reassigned_from text,
  status text not null,
  claimed_at timestamp with time zone,
  completed_at timestamp with time zone,
  due_at timestamp with time zone,
  overdue_at timestamp with time zone,
  decision_id uuid,
  created_at timestamp with time zone not null,
  entry_seq bigint not null,
  constraint tasks_pkey PRIMARY KEY (id),
  constraint tasks_stage_run_id_position_key UNIQUE (stage_run_id, "position"),
  constraint tasks_delegator_id_fkey FOREIGN KEY (delegator_id) REFERENCES people(id) DEFERRABLE INITIALLY DEFERRED,
  constraint tasks_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint tasks_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id) DEFERRABLE INITIALLY DEFERRED,
  constraint tasks_request_id_fkey FOREIGN KEY (request_id) REFERENCES requests(id) DEFERRABLE INITIALLY DEFERRED,
  constraint tasks_seat_id_fkey FOREIGN KEY (seat_id) REFERENCES seats(id) DEFERRABLE INITIALLY DEFERRED,
  constraint tasks_stage_run_id_fkey FOREIGN KEY (stage_run_id) REFERENCES stage_runs(id) DEFERRABLE INITIALLY DEFERRED,
  constraint tasks_kind_check CHECK ((kind = ANY (ARRAY['approver'::text, 'observer'::text]))),
  constraint tasks_status_check CHECK ((status = ANY (ARRAY['open'::text, 'claimed'::text, 'completed'::text, 'skipped'::text, 'expired'::text, 'reassigned'::text])))
);

CREATE INDEX aliases_person ON public.aliases USING btree (person_id);

CREATE INDEX audit_records_newest ON public.audit_records USING btree (occurred_at DESC, id DESC);

CREATE UNIQUE INDEX decisions_one_per_person ON public.decisions USING btree (stage_run_id, person_id) WHERE (seat_id IS NOT NULL);

CREATE UNIQUE INDEX decisions_one_per_seat ON public.decisions USING btree (seat_id) WHERE (seat_id IS NOT NULL);

CREATE UNIQUE INDEX decisions_one_per_task ON public.decisions USING btree (task_id);

CREATE INDEX decisions_request ON public.decisions USING btree (request_id);

CREATE INDEX delegations_from ON public.delegations USING btree (from_person_id) WHERE (deleted_at IS NULL);

CREATE INDEX delegations_to ON public.delegations USING btree (to_person_id) WHERE (deleted_at IS NULL);

CREATE INDEX idempotency_keys_age ON public.idempotency_keys USING btree (created_at);

CREATE INDEX identities_person ON public.identities USING btree (person_id);

CREATE INDEX ledger_entries_request ON public.ledger_entries USING btree (request) WHERE (request IS NOT NULL);

CREATE INDEX people_assignee ON public.people USING btree (org_id, assignee);

CREATE UNIQUE INDEX policies_one_active ON public.policies USING btree (org_id, policy_key) WHERE (status = 'active'::text);

CREATE INDEX request_timers_due ON public.request_timers USING btree (next_timer_at);

CREATE INDEX requests_artifact ON public.requests USING btree (org_id, artifact_type, artifact_id);

CREATE INDEX requests_creator ON public.requests USING btree (creator_issuer, creator_subject, created_at DESC);

CREATE INDEX requests_creator_client ON public.requests USING btree (creator_client_id, created_at DESC) WHERE creator_machine;

CREATE INDEX requests_creator_person ON public.requests USING btree (creator_person_id, created_at DESC) WHERE (creator_person_id IS NOT NULL);

CREATE INDEX requests_newest ON public.requests USING btree (org_id, created_at DESC, id DESC);

CREATE INDEX requests_requester ON public.requests USING btree (org_id, requester, created_at DESC);

CREATE UNIQUE INDEX seats_one_per_holder ON public.seats USING btree (stage_run_id, holder_id);

CREATE INDEX seats_request ON public.seats USING btree (request_id);

CREATE INDEX tasks_delegator ON public.tasks USING btree (delegator_id) WHERE (delegator_id IS NOT NULL);

CREATE INDEX tasks_due ON public.tasks USING btree (status, due_at, id DESC);

CREATE INDEX tasks_inbox ON public.tasks USING btree (person_id, status, created_at DESC, id DESC);

CREATE INDEX tasks_newest ON public.tasks USING btree (status, created_at DESC, id DESC);

CREATE UNIQUE INDEX tasks_one_open_per_person ON public.tasks USING btree (stage_run_id, person_id) WHERE (status = ANY (ARRAY['open'::text, 'claimed'::text]));

CREATE INDEX tasks_request ON public.tasks USING btree (request_id);

CREATE OR REPLACE FUNCTION public.entry_seq_grows()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if new.entry_seq <= old.entry_seq then
    raise exception '% row changed without a ledger entry', tg_table_name using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION public.refuse_ledger_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception 'ledger entries are never changed or removed' using errcode = 'integrity_constraint_violation';
end $function$;

CREATE TRIGGER aliases_need_an_entry BEFORE UPDATE ON public.aliases FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER decisions_need_an_entry BEFORE UPDATE ON public.decisions FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER delegations_need_an_entry BEFORE UPDATE ON public.delegations FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER directory_entries_need_an_entry BEFORE UPDATE ON public.directory_entries FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER identities_need_an_entry BEFORE UPDATE ON public.identities FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER ledger_entries_append_only BEFORE DELETE OR UPDATE ON public.ledger_entries FOR EACH ROW EXECUTE FUNCTION refuse_ledger_change();

CREATE TRIGGER ledger_entries_no_truncate BEFORE TRUNCATE ON public.ledger_entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change();

CREATE TRIGGER people_need_an_entry BEFORE UPDATE ON public.people FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER policies_need_an_entry BEFORE UPDATE ON public.policies FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER requests_need_an_entry BEFORE UPDATE ON public.requests FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER seats_need_an_entry BEFORE UPDATE ON public.seats FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER sessions_need_an_entry BEFORE UPDATE ON public.sessions FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER stage_runs_need_an_entry BEFORE UPDATE ON public.stage_runs FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER tasks_need_an_entry BEFORE UPDATE ON public.tasks FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();
