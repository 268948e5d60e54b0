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

create table api_tokens (
  id uuid not null,
  org_id uuid not null,
  machine_id uuid not null,
  name text not null,
  prefix text not null,
  last_four text not null,
  scopes text[] not null,
  creator_permissions text[] not null,
  limits json not null,
  created_by text not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  legacy boolean not null,
  entry_seq bigint not null,
  constraint api_tokens_pkey PRIMARY KEY (id),
  constraint api_tokens_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint api_tokens_machine_id_fkey FOREIGN KEY (machine_id) REFERENCES machines(id) DEFERRABLE INITIALLY DEFERRED,
  constraint api_tokens_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(id)
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
  org_id uuid not null,
  constraint audit_records_pkey PRIMARY KEY (id),
  constraint audit_records_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint audit_records_org_fkey FOREIGN KEY (org_id) REFERENCES organizations(id)
);

create table backup_codes (
  id uuid not null,
  person_id uuid not null,
  code_hash text not null,
  created_at timestamp with time zone not null,
  used_at timestamp with time zone,
  ended_at timestamp with time zone,
  entry_seq bigint not null,
  constraint backup_codes_pkey PRIMARY KEY (id),
  constraint backup_codes_code_hash_key UNIQUE (code_hash),
  constraint backup_codes_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint backup_codes_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id) DEFERRABLE INITIALLY DEFERRED
);

create table ceremonies (
  id uuid not null,
  purpose text not null,
  person_id uuid,
  session_id uuid,
  act text not null,
  challenge text not null,
  data json not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  used_at timestamp with time zone,
  constraint ceremonies_pkey PRIMARY KEY (id)
);

create table cli_logins (
  code_hash text not null,
  person_id uuid not null,
  authorized_by uuid not null,
  session_id uuid,
  challenge text not null,
  client text not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  used_at timestamp with time zone,
  constraint cli_logins_pkey PRIMARY KEY (code_hash)
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
  voided_at timestamp with time zone,
  method text,
  factor_id uuid,
  shown_at timestamp with time zone,
  org_id uuid not null,
  constraint decisions_pkey PRIMARY KEY (id),
  constraint decisions_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint decisions_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id) DEFERRABLE INITIALLY DEFERRED,
  constraint decisions_request_fkey FOREIGN KEY (org_id, request_id) REFERENCES requests(org_id, id) DEFERRABLE INITIALLY DEFERRED,
  constraint decisions_seat_id_fkey FOREIGN KEY (seat_id) REFERENCES seats(id) DEFERRABLE INITIALLY DEFERRED,
  constraint decisions_stage_run_id_fkey FOREIGN KEY (stage_run_id) REFERENCES stage_runs(id) DEFERRABLE INITIALLY DEFERRED,
  constraint decisions_task_id_fkey FOREIGN KEY (task_id) REFERENCES tasks(id) DEFERRABLE INITIALLY DEFERRED,
  constraint decisions_action_check CHECK ((action = ANY (ARRAY['approve'::text, 'reject'::text, 'abstain'::text]))),
  constraint decisions_assurance_check CHECK ((assurance = ANY (ARRAY['session'::text, 'mfa'::text, 'signed'::text]))),
  constraint decisions_check CHECK (((person_id IS NOT NULL) OR (actor_id = 'sla-monitor'::text))),
  constraint decisions_method_check CHECK ((method = ANY (ARRAY['passkey'::text, 'totp'::text, 'backup_code'::text]))),
  constraint decisions_proof_check CHECK ((((assurance = 'session'::text) = (method IS NULL)) AND ((assurance <> 'signed'::text) OR ((method = 'passkey'::text) AND (factor_id IS NOT NULL) AND (shown_at IS NOT NULL)))))
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

create table displays (
  digest text not null,
  request_id uuid not null,
  document json not null,
  entry_seq bigint not null,
  constraint displays_pkey PRIMARY KEY (digest),
  constraint displays_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint displays_request_id_fkey FOREIGN KEY (request_id) REFERENCES requests(id) DEFERRABLE INITIALLY DEFERRED
);

create table events (
  id uuid not null,
  request_id uuid not null,
  sequence integer not null,
  event_type text not null,
  payload json not null,
  created_at timestamp with time zone not null,
  entry_seq bigint not null,
  org_id uuid not null,
  constraint events_pkey PRIMARY KEY (id),
  constraint events_entry_seq_key UNIQUE (entry_seq),
  constraint events_request_id_sequence_key UNIQUE (request_id, sequence),
  constraint events_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint events_request_fkey FOREIGN KEY (org_id, request_id) REFERENCES requests(org_id, id) DEFERRABLE INITIALLY DEFERRED
);

create table factors (
  id uuid not null,
  person_id uuid not null,
  type text not null,
  name text not null,
  credential_id text,
  public_key text,
  algorithm integer,
  sign_count bigint,
  transports text[],
  aaguid text,
  backup_eligible boolean,
  backed_up boolean,
  rp_id text,
  attestation text,
  secret text,
  created_at timestamp with time zone not null,
  usable_at timestamp with time zone not null,
  last_used_at timestamp with time zone,
  signing_disabled_at timestamp with time zone,
  disabled_at timestamp with time zone,
  removed_at timestamp with time zone,
  entry_seq bigint not null,
  constraint factors_pkey PRIMARY KEY (id),
  constraint factors_credential_id_key UNIQUE (credential_id),
  constraint factors_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint factors_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id) DEFERRABLE INITIALLY DEFERRED,
  constraint factors_check CHECK (((type = 'passkey'::text) = ((credential_id IS NOT NULL) AND (public_key IS NOT NULL)))),
  constraint factors_check1 CHECK (((type = 'totp'::text) = (secret IS NOT NULL))),
  constraint factors_type_check CHECK ((type = ANY (ARRAY['passkey'::text, 'totp'::text])))
);

create table failure_counts (
  scope text not null,
  key text not null,
  failures integer not null,
  in_a_row integer not null,
  window_start timestamp with time zone not null,
  blocked_until timestamp with time zone,
  level integer not null,
  constraint failure_counts_pkey PRIMARY KEY (scope, key)
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
  id uuid not null,
  provider_id uuid,
  unlinked_at timestamp with time zone,
  constraint identities_pkey PRIMARY KEY (issuer, subject),
  constraint identities_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint identities_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id) DEFERRABLE INITIALLY DEFERRED
);

create table identity_providers (
  id uuid not null,
  org_id uuid not null,
  name text not null,
  issuer text not null,
  client_id text not null,
  client_secret text,
  settings json not null,
  enabled boolean not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  deleted_at timestamp with time zone,
  entry_seq bigint not null,
  constraint identity_providers_pkey PRIMARY KEY (id),
  constraint identity_providers_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint identity_providers_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(id)
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
  people text[] not null,
  constraint ledger_openings_pkey PRIMARY KEY (seq, path),
  constraint ledger_openings_seq_fkey FOREIGN KEY (seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED
);

create table login_states (
  id uuid not null,
  cookie_hash text not null,
  provider_id uuid not null,
  state_hash text not null,
  nonce text not null,
  verifier text not null,
  return_to text not null,
  link_person_id uuid,
  link_session_id uuid,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  used_at timestamp with time zone,
  constraint login_states_pkey PRIMARY KEY (id),
  constraint login_states_cookie_hash_key UNIQUE (cookie_hash)
);

create table machines (
  id uuid not null,
  org_id uuid not null,
  kind text not null,
  name text not null,
  owners uuid[] not null,
  contact_id uuid,
  acts_for_id uuid,
  created_by text not null,
  created_at timestamp with time zone not null,
  disabled_at timestamp with time zone,
  entry_seq bigint not null,
  constraint machines_pkey PRIMARY KEY (id),
  constraint machines_acts_for_id_fkey FOREIGN KEY (acts_for_id) REFERENCES people(id) DEFERRABLE INITIALLY DEFERRED,
  constraint machines_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES people(id) DEFERRABLE INITIALLY DEFERRED,
  constraint machines_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint machines_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(id),
  constraint machines_check CHECK (((cardinality(owners) > 0) OR (contact_id IS NOT NULL))),
  constraint machines_kind_check CHECK ((kind = ANY (ARRAY['ci'::text, 'service'::text, 'agent'::text, 'device'::text, 'connector'::text, 'acme'::text])))
);

create table one_time_links (
  id uuid not null,
  org_id uuid,
  kind text not null,
  token_hash text not null,
  person_id uuid,
  created_by text not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  used_at timestamp with time zone,
  replaced_at timestamp with time zone,
  entry_seq bigint not null,
  constraint one_time_links_pkey PRIMARY KEY (id),
  constraint one_time_links_token_hash_key UNIQUE (token_hash),
  constraint one_time_links_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint one_time_links_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(id),
  constraint one_time_links_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id) DEFERRABLE INITIALLY DEFERRED,
  constraint one_time_links_kind_check CHECK ((kind = ANY (ARRAY['setup'::text, 'invitation'::text, 'recovery'::text])))
);

create table organizations (
  id uuid not null,
  name text not null,
  created_at timestamp with time zone not null,
  slug text,
  status text not null default 'active'::text,
  entry_seq bigint,
  constraint organizations_pkey PRIMARY KEY (id),
  constraint organizations_slug_key UNIQUE (slug),
  constraint organizations_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint organizations_status_check CHECK ((status = ANY (ARRAY['active'::text, 'suspended'::text])))
);

create table passwords (
  person_id uuid not null,
  hash text not null,
  changed_at timestamp with time zone not null,
  entry_seq bigint not null,
  constraint passwords_pkey PRIMARY KEY (person_id),
  constraint passwords_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint passwords_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id) DEFERRABLE INITIALLY DEFERRED
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
  handle text,
  first_signed_in_at timestamp with time zone,
  break_glass boolean not null default false,
  constraint people_pkey PRIMARY KEY (id),
  constraint people_handle_key UNIQUE (handle),
  constraint people_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint people_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(id),
  constraint people_status_check CHECK ((status = ANY (ARRAY['placeholder'::text, 'invited'::text, 'active'::text, 'locked'::text, 'suspended'::text, 'erased'::text])))
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
  constraint policies_of_organization UNIQUE (org_id, id),
  constraint policies_org_id_policy_key_version_key UNIQUE (org_id, policy_key, version),
  constraint policies_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint policies_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(id),
  constraint policies_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'active'::text, 'archived'::text]))),
  constraint policies_version_check CHECK ((version >= 1))
);

create table rate_windows (
  bucket text not null,
  key text not null,
  window_start timestamp with time zone not null,
  window_seconds integer not null,
  count integer not null,
  constraint rate_windows_pkey PRIMARY KEY (bucket, key, window_seconds)
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
  creator_stands_for uuid[] not null default '{}'::uuid[],
  constraint requests_pkey PRIMARY KEY (id),
  constraint requests_of_organization UNIQUE (org_id, id),
  constraint requests_creator_person_id_fkey FOREIGN KEY (creator_person_id) REFERENCES people(id) DEFERRABLE INITIALLY DEFERRED,
  constraint requests_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint requests_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(id),
  constraint requests_policy_fkey FOREIGN KEY (org_id, policy_id) REFERENCES policies(org_id, id) DEFERRABLE INITIALLY DEFERRED,
  constraint requests_check CHECK (((completed_at IS NULL) = (status = ANY (ARRAY['pending'::text, 'in_review'::text])))),
  constraint requests_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'in_review'::text, 'approved'::text, 'rejected'::text, 'cancelled'::text, 'expired'::text])))
);

create table role_grants (
  id uuid not null,
  org_id uuid,
  person_id uuid not null,
  role text not null,
  source text not null,
  created_by text not null,
  created_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  entry_seq bigint not null,
  constraint role_grants_pkey PRIMARY KEY (id),
  constraint role_grants_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint role_grants_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(id),
  constraint role_grants_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id) DEFERRABLE INITIALLY DEFERRED
);

create table schema_migrations (
  version integer not null,
  name text not null,
  sha256 text not null,
  applied_at timestamp with time zone not null default clock_timestamp(),
  constraint schema_migrations_pkey PRIMARY KEY (version)
);

create table scim_resources (
  id uuid not null,
  org_id uuid not null,
  kind text not null,
  external_id text,
  person_id uuid,
  group_path text,
  attributes json not null,
  version integer not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  deleted_at timestamp with time zone,
  entry_seq bigint not null,
  constraint scim_resources_pkey PRIMARY KEY (id),
  constraint scim_resources_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint scim_resources_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(id),
  constraint scim_resources_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id) DEFERRABLE INITIALLY DEFERRED,
  constraint scim_resources_kind_check CHECK ((kind = ANY (ARRAY['user'::text, 'group'::text])))
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
  org_id uuid not null,
  constraint seats_pkey PRIMARY KEY (id),
  constraint seats_stage_run_id_position_key UNIQUE (stage_run_id, "position"),
  constraint seats_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint seats_holder_id_fkey FOREIGN KEY (holder_id) REFERENCES people(id) DEFERRABLE INITIALLY DEFERRED,
  constraint seats_request_fkey FOREIGN KEY (org_id, request_id) REFERENCES requests(org_id, id) DEFERRABLE INITIALLY DEFERRED,
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
  id uuid not null,
  kind text not null,
  method text not null,
  aal smallint not null,
  provider_id uuid,
  upstream_session text,
  client text,
  address text,
  last_seen_at timestamp with time zone,
  idle_seconds integer,
  factor_at timestamp with time zone,
  factor_id uuid,
  end_cause text,
  constraint sessions_pkey PRIMARY KEY (token_hash),
  constraint sessions_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint sessions_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(id),
  constraint sessions_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id) DEFERRABLE INITIALLY DEFERRED,
  constraint sessions_kind_check CHECK ((kind = ANY (ARRAY['web'::text, 'cli'::text, 'enrolment'::text])))
);

create table settings (
  org_id uuid not null,
  key text not null,
  value json,
  updated_by text not null,
  updated_at timestamp with time zone not null,
  entry_seq bigint not null,
  constraint settings_pkey PRIMARY KEY (org_id, key),
  constraint settings_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint settings_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(id)
);

create table spent_proofs (
  scope text not null,
  value text not null,
  answer json,
  spent_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  constraint spent_proofs_pkey PRIMARY KEY (scope, value)
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
  assurance text not null,
  org_id uuid not null,
  constraint stage_runs_pkey PRIMARY KEY (id),
  constraint stage_runs_request_id_stage_order_key UNIQUE (request_id, stage_order),
  constraint stage_runs_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint stage_runs_request_fkey FOREIGN KEY (org_id, request_id) REFERENCES requests(org_id, id) DEFERRABLE INITIALLY DEFERRED,
  constraint stage_runs_assurance_check CHECK ((assurance = ANY (ARRAY['session'::text, 'mfa'::text, 'signed'::text]))),
  constraint stage_runs_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'resolving'::text, 'open'::text, 'approved'::text, 'rejected'::text, 'skipped'::text, 'closed'::text])))
);

create table statements (
  id uuid not null,
  view_id uuid not null,
  person_id uuid not null,
  session_id uuid not null,
  task_id uuid not null,
  text text not null,
  challenge text not null,
  reason json,
  batch json,
  credentials text[] not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  used_at timestamp with time zone,
  constraint statements_pkey PRIMARY KEY (id)
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
  org_id uuid not null,
  constraint tasks_pkey PRIMARY KEY (id),
  constraint tasks_stage_run_id_position_key UNIQUE (stage_run_id, "position"),
  constraint tasks_delegator_id_fkey FOREIGN KEY (delegator_id) REFERENCES people(id) DEFERRABLE INITIALLY DEFERRED,
  constraint tasks_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint tasks_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id) DEFERRABLE INITIALLY DEFERRED,
  constraint tasks_request_fkey FOREIGN KEY (org_id, request_id) REFERENCES requests(org_id, id) DEFERRABLE INITIALLY DEFERRED,
  constraint tasks_seat_id_fkey FOREIGN KEY (seat_id) REFERENCES seats(id) DEFERRABLE INITIALLY DEFERRED,
  constraint tasks_stage_run_id_fkey FOREIGN KEY (stage_run_id) REFERENCES stage_runs(id) DEFERRABLE INITIALLY DEFERRED,
  constraint tasks_kind_check CHECK ((kind = ANY (ARRAY['approver'::text, 'observer'::text]))),
  constraint tasks_status_check CHECK ((status = ANY (ARRAY['open'::text, 'claimed'::text, 'completed'::text, 'skipped'::text, 'expired'::text, 'reassigned'::text])))
);

create table token_secrets (
  token_hash text not null,
  token_id uuid not null,
  created_at timestamp with time zone not null,
  ends_at timestamp with time zone,
  entry_seq bigint not null,
  constraint token_secrets_pkey PRIMARY KEY (token_hash),
  constraint token_secrets_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint token_secrets_token_id_fkey FOREIGN KEY (token_id) REFERENCES api_tokens(id) DEFERRABLE INITIALLY DEFERRED
);

create table token_uses (
  token_id uuid not null,
  used_at timestamp with time zone not null,
  address text,
  constraint token_uses_pkey PRIMARY KEY (token_id)
);

create table trusted_devices (
  id uuid not null,
  person_id uuid not null,
  token_hash text not null,
  browser text not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  last_used_at timestamp with time zone,
  revoked_at timestamp with time zone,
  entry_seq bigint not null,
  constraint trusted_devices_pkey PRIMARY KEY (id),
  constraint trusted_devices_token_hash_key UNIQUE (token_hash),
  constraint trusted_devices_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint trusted_devices_person_id_fkey FOREIGN KEY (person_id) REFERENCES people(id) DEFERRABLE INITIALLY DEFERRED
);

create table views (
  id uuid not null,
  org_id uuid not null,
  person_id uuid not null,
  session_id uuid not null,
  request_id uuid not null,
  task_id uuid not null,
  revision integer not null,
  payload_digest text not null,
  policy json not null,
  display_digest text not null,
  display json not null,
  checkpoint json not null,
  shown_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  constraint views_pkey PRIMARY KEY (id)
);

create table workload_providers (
  id uuid not null,
  org_id uuid not null,
  machine_id uuid not null,
  name text not null,
  preset text not null,
  issuer text not null,
  audience text not null,
  subjects text[] not null,
  claims json not null,
  scopes text[] not null,
  enabled boolean not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  deleted_at timestamp with time zone,
  entry_seq bigint not null,
  constraint workload_providers_pkey PRIMARY KEY (id),
  constraint workload_providers_entry_seq_fkey FOREIGN KEY (entry_seq) REFERENCES ledger_entries(seq) DEFERRABLE INITIALLY DEFERRED,
  constraint workload_providers_machine_id_fkey FOREIGN KEY (machine_id) REFERENCES machines(id) DEFERRABLE INITIALLY DEFERRED,
  constraint workload_providers_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(id),
  constraint workload_providers_preset_check CHECK ((preset = ANY (ARRAY['github'::text, 'gitlab'::text, 'circleci'::text, 'kubernetes'::text, 'custom'::text])))
);

CREATE INDEX aliases_folded ON public.aliases USING btree (folded);

CREATE INDEX aliases_person ON public.aliases USING btree (person_id);

CREATE INDEX api_tokens_machine ON public.api_tokens USING btree (machine_id) WHERE (revoked_at IS NULL);

CREATE INDEX api_tokens_org ON public.api_tokens USING btree (org_id, created_at DESC);

CREATE INDEX audit_records_newest ON public.audit_records USING btree (org_id, occurred_at DESC, id DESC);

CREATE INDEX backup_codes_person ON public.backup_codes USING btree (person_id) WHERE ((used_at IS NULL) AND (ended_at IS NULL));

CREATE INDEX ceremonies_age ON public.ceremonies USING btree (expires_at);

CREATE INDEX cli_logins_age ON public.cli_logins USING btree (expires_at);

CREATE UNIQUE INDEX decisions_one_per_person ON public.decisions USING btree (stage_run_id, person_id) WHERE (seat_id IS NOT NULL);

CREATE UNIQUE INDEX decisions_one_per_seat ON public.decisions USING btree (seat_id) WHERE (seat_id IS NOT NULL);

CREATE UNIQUE INDEX decisions_one_per_task ON public.decisions USING btree (task_id);

CREATE INDEX decisions_request ON public.decisions USING btree (request_id);

CREATE INDEX delegations_from ON public.delegations USING btree (from_person_id) WHERE (deleted_at IS NULL);

CREATE INDEX delegations_to ON public.delegations USING btree (to_person_id) WHERE (deleted_at IS NULL);

CREATE INDEX directory_entries_members ON public.directory_entries USING gin (members) WHERE (NOT deleted);

CREATE INDEX displays_request ON public.displays USING btree (request_id);

CREATE INDEX factors_person ON public.factors USING btree (person_id) WHERE (removed_at IS NULL);

CREATE INDEX idempotency_keys_age ON public.idempotency_keys USING btree (created_at);

CREATE INDEX identities_person ON public.identities USING btree (person_id);

CREATE UNIQUE INDEX identity_providers_name ON public.identity_providers USING btree (org_id, lower(name)) WHERE (deleted_at IS NULL);

CREATE INDEX ledger_entries_activation ON public.ledger_entries USING btree (((((text)::json -> 'data'::text) ->> 'digest'::text))) WHERE (kind = 'policy.activated'::text);

CREATE INDEX ledger_entries_factor ON public.ledger_entries USING btree (((((text)::json -> 'data'::text) ->> 'factor'::text))) WHERE (kind ~~ 'factor.%'::text);

CREATE INDEX ledger_entries_request ON public.ledger_entries USING btree (request) WHERE (request IS NOT NULL);

CREATE INDEX ledger_openings_people ON public.ledger_openings USING gin (people);

CREATE INDEX login_states_age ON public.login_states USING btree (expires_at);

CREATE UNIQUE INDEX machines_name ON public.machines USING btree (org_id, lower(name)) WHERE (disabled_at IS NULL);

CREATE INDEX machines_owners ON public.machines USING gin (owners);

CREATE INDEX one_time_links_kind ON public.one_time_links USING btree (kind) WHERE ((used_at IS NULL) AND (replaced_at IS NULL));

CREATE INDEX one_time_links_person ON public.one_time_links USING btree (person_id) WHERE ((used_at IS NULL) AND (replaced_at IS NULL));

CREATE INDEX people_assignee ON public.people USING btree (org_id, assignee);

CREATE INDEX people_email ON public.people USING btree (lower(email)) WHERE (email IS NOT NULL);

CREATE INDEX people_org ON public.people USING btree (org_id, status);

CREATE UNIQUE INDEX policies_one_active ON public.policies USING btree (org_id, policy_key) WHERE (status = 'active'::text);

CREATE INDEX request_timers_due ON public.request_timers USING btree (next_timer_at);

CREATE INDEX requests_artifact ON public.requests USING btree (org_id, artifact_type, artifact_id);

CREATE INDEX requests_creator ON public.requests USING btree (creator_issuer, creator_subject, created_at DESC);

CREATE INDEX requests_creator_client ON public.requests USING btree (creator_client_id, created_at DESC) WHERE creator_machine;

CREATE INDEX requests_creator_person ON public.requests USING btree (creator_person_id, created_at DESC) WHERE (creator_person_id IS NOT NULL);

CREATE INDEX requests_newest ON public.requests USING btree (org_id, created_at DESC, id DESC);

CREATE INDEX requests_requester ON public.requests USING btree (org_id, requester, created_at DESC);

CREATE UNIQUE INDEX role_grants_once ON public.role_grants USING btree (COALESCE(org_id, '00000000-0000-0000-0000-000000000000'::uuid), person_id, role, source) WHERE (ended_at IS NULL);

CREATE INDEX role_grants_person ON public.role_grants USING btree (person_id) WHERE (ended_at IS NULL);

CREATE INDEX scim_resources_group ON public.scim_resources USING btree (group_path) WHERE (deleted_at IS NULL);

CREATE INDEX scim_resources_kind ON public.scim_resources USING btree (org_id, kind) WHERE (deleted_at IS NULL);

CREATE INDEX scim_resources_person ON public.scim_resources USING btree (person_id) WHERE (deleted_at IS NULL);

CREATE UNIQUE INDEX seats_one_per_holder ON public.seats USING btree (stage_run_id, holder_id);

CREATE INDEX seats_request ON public.seats USING btree (request_id);

CREATE INDEX sessions_age ON public.sessions USING btree (expires_at) WHERE (ended_at IS NULL);

CREATE INDEX sessions_id ON public.sessions USING btree (id);

CREATE INDEX sessions_person ON public.sessions USING btree (person_id) WHERE (ended_at IS NULL);

CREATE INDEX spent_proofs_age ON public.spent_proofs USING btree (expires_at);

CREATE INDEX statements_age ON public.statements USING btree (expires_at);

CREATE INDEX statements_challenge ON public.statements USING btree (challenge);

CREATE INDEX statements_task ON public.statements USING btree (task_id);

CREATE INDEX tasks_delegator ON public.tasks USING btree (delegator_id) WHERE (delegator_id IS NOT NULL);

CREATE INDEX tasks_due ON public.tasks USING btree (status, due_at, id DESC);

CREATE INDEX tasks_inbox ON public.tasks USING btree (person_id, org_id, status, created_at DESC, id DESC);

CREATE INDEX tasks_newest ON public.tasks USING btree (status, created_at DESC, id DESC);

CREATE UNIQUE INDEX tasks_one_open_per_person ON public.tasks USING btree (stage_run_id, person_id) WHERE (status = ANY (ARRAY['open'::text, 'claimed'::text]));

CREATE INDEX tasks_request ON public.tasks USING btree (request_id);

CREATE INDEX token_secrets_token ON public.token_secrets USING btree (token_id);

CREATE INDEX trusted_devices_person ON public.trusted_devices USING btree (person_id) WHERE (revoked_at IS NULL);

CREATE INDEX views_age ON public.views USING btree (expires_at);

CREATE INDEX workload_providers_issuer ON public.workload_providers USING btree (issuer) WHERE (deleted_at IS NULL);

CREATE UNIQUE INDEX workload_providers_name ON public.workload_providers USING btree (org_id, lower(name)) WHERE (deleted_at IS NULL);

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

CREATE OR REPLACE FUNCTION public.tell_access_changed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  notify countersign_access;
  return null;
end $function$;

CREATE TRIGGER aliases_need_an_entry BEFORE UPDATE ON public.aliases FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER api_tokens_need_an_entry BEFORE UPDATE ON public.api_tokens FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER api_tokens_tell AFTER INSERT OR DELETE OR UPDATE ON public.api_tokens FOR EACH STATEMENT EXECUTE FUNCTION tell_access_changed();

CREATE TRIGGER backup_codes_need_an_entry BEFORE UPDATE ON public.backup_codes FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER decisions_need_an_entry BEFORE UPDATE ON public.decisions FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER delegations_need_an_entry BEFORE UPDATE ON public.delegations FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER directory_entries_need_an_entry BEFORE UPDATE ON public.directory_entries FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER displays_need_an_entry BEFORE UPDATE ON public.displays FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER factors_need_an_entry BEFORE UPDATE ON public.factors FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER identities_need_an_entry BEFORE UPDATE ON public.identities FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER identities_tell AFTER INSERT OR DELETE OR UPDATE ON public.identities FOR EACH STATEMENT EXECUTE FUNCTION tell_access_changed();

CREATE TRIGGER identity_providers_need_an_entry BEFORE UPDATE ON public.identity_providers FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER identity_providers_tell AFTER INSERT OR DELETE OR UPDATE ON public.identity_providers FOR EACH STATEMENT EXECUTE FUNCTION tell_access_changed();

CREATE TRIGGER ledger_entries_append_only BEFORE DELETE OR UPDATE ON public.ledger_entries FOR EACH ROW EXECUTE FUNCTION refuse_ledger_change();

CREATE TRIGGER ledger_entries_no_truncate BEFORE TRUNCATE ON public.ledger_entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change();

CREATE TRIGGER machines_need_an_entry BEFORE UPDATE ON public.machines FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER machines_tell AFTER INSERT OR DELETE OR UPDATE ON public.machines FOR EACH STATEMENT EXECUTE FUNCTION tell_access_changed();

CREATE TRIGGER one_time_links_need_an_entry BEFORE UPDATE ON public.one_time_links FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER organizations_tell AFTER INSERT OR DELETE OR UPDATE ON public.organizations FOR EACH STATEMENT EXECUTE FUNCTION tell_access_changed();

CREATE TRIGGER passwords_need_an_entry BEFORE UPDATE ON public.passwords FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER people_need_an_entry BEFORE UPDATE ON public.people FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER people_tell AFTER INSERT OR DELETE OR UPDATE ON public.people FOR EACH STATEMENT EXECUTE FUNCTION tell_access_changed();

CREATE TRIGGER policies_need_an_entry BEFORE UPDATE ON public.policies FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER requests_need_an_entry BEFORE UPDATE ON public.requests FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER role_grants_need_an_entry BEFORE UPDATE ON public.role_grants FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER role_grants_tell AFTER INSERT OR DELETE OR UPDATE ON public.role_grants FOR EACH STATEMENT EXECUTE FUNCTION tell_access_changed();

CREATE TRIGGER scim_resources_need_an_entry BEFORE UPDATE ON public.scim_resources FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER seats_need_an_entry BEFORE UPDATE ON public.seats FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER sessions_need_an_entry BEFORE UPDATE ON public.sessions FOR EACH ROW WHEN (((NOT (new.last_seen_at IS DISTINCT FROM old.last_seen_at)) OR ((to_jsonb(old.*) - 'last_seen_at'::text) IS DISTINCT FROM (to_jsonb(new.*) - 'last_seen_at'::text)))) EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER sessions_tell AFTER INSERT OR DELETE OR UPDATE OF ended_at ON public.sessions FOR EACH STATEMENT EXECUTE FUNCTION tell_access_changed();

CREATE TRIGGER settings_need_an_entry BEFORE UPDATE ON public.settings FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER settings_tell AFTER INSERT OR DELETE OR UPDATE ON public.settings FOR EACH STATEMENT EXECUTE FUNCTION tell_access_changed();

CREATE TRIGGER stage_runs_need_an_entry BEFORE UPDATE ON public.stage_runs FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER tasks_need_an_entry BEFORE UPDATE ON public.tasks FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER token_secrets_need_an_entry BEFORE UPDATE ON public.token_secrets FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER token_secrets_tell AFTER INSERT OR DELETE OR UPDATE ON public.token_secrets FOR EACH STATEMENT EXECUTE FUNCTION tell_access_changed();

CREATE TRIGGER trusted_devices_need_an_entry BEFORE UPDATE ON public.trusted_devices FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER workload_providers_need_an_entry BEFORE UPDATE ON public.workload_providers FOR EACH ROW EXECUTE FUNCTION entry_seq_grows();

CREATE TRIGGER workload_providers_tell AFTER INSERT OR DELETE OR UPDATE ON public.workload_providers FOR EACH STATEMENT EXECUTE FUNCTION tell_access_changed();
