-- Identity, credentials and assurance (docs/spec/identity.md). Tables with entry_seq are state and follow the ledger;
-- those without hold what a ceremony needs for minutes, and counters.

alter table organizations
  add column slug text unique,
  add column status text not null default 'active' check (status in ('active', 'suspended')),
  add column entry_seq bigint references ledger_entries (seq) deferrable initially deferred;

alter table people drop constraint people_status_check;
update people set status = 'suspended' where status = 'disabled';
alter table people
  add constraint people_status_check
    check (status in ('placeholder', 'invited', 'active', 'locked', 'suspended', 'erased')),
  -- The user handle of WebAuthn: random, and the same for all passkeys of a person (R-FACT-1).
  add column handle text unique,
  add column first_signed_in_at timestamptz,
  add column break_glass boolean not null default false;
create index people_email on people (lower(email)) where email is not null;
create index people_org on people (org_id, status);

alter table identities
  add column id uuid not null default gen_random_uuid(),
  add column provider_id uuid,
  add column unlinked_at timestamptz;
alter table identities alter column id drop default;

alter table sessions
  add column id uuid,
  add column kind text not null default 'web' check (kind in ('web', 'cli', 'enrolment')),
  add column method text not null default 'development',
  add column aal smallint not null default 1,
  add column provider_id uuid,
  add column upstream_session text,
  add column client text,
  add column address text,
  add column last_seen_at timestamptz,
  add column idle_seconds integer,
  add column factor_at timestamptz,
  add column factor_id uuid,
  add column end_cause text;
update sessions set id = gen_random_uuid();
alter table sessions alter column id set not null, alter column kind drop default, alter column method drop default,
  alter column aal drop default;
create index sessions_person on sessions (person_id) where ended_at is null;
create index sessions_id on sessions (id);
create index sessions_age on sessions (expires_at) where ended_at is null;

create table role_grants (
  id uuid primary key,
  -- Null for roles of the platform.
  org_id uuid references organizations (id),
  person_id uuid not null references people (id) deferrable initially deferred,
  role text not null,
  -- `admin`, `setup`, `invitation`, `environment`, `scim:<id>` or `provider:<id>` (R-IDP-8).
  source text not null,
  created_by text not null,
  created_at timestamptz not null,
  ended_at timestamptz,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred
);
create index role_grants_person on role_grants (person_id) where ended_at is null;
create unique index role_grants_once on role_grants (coalesce(org_id, '00000000-0000-0000-0000-000000000000'), person_id, role, source)
  where ended_at is null;

create table factors (
  id uuid primary key,
  person_id uuid not null references people (id) deferrable initially deferred,
  type text not null check (type in ('passkey', 'totp')),
  name text not null,
  -- Passkeys: credential id, COSE key and user-visible properties (R-FACT-2).
  credential_id text unique,
  public_key text,
  algorithm integer,
  sign_count bigint,
  transports text[],
  aaguid text,
  backup_eligible boolean,
  backed_up boolean,
  rp_id text,
  attestation text,
  -- TOTP: the sealed seed (R-SEAL-1).
  secret text,
  created_at timestamptz not null,
  -- Serves decisions from here on (R-FACT-9).
  usable_at timestamptz not null,
  last_used_at timestamptz,
  -- A counter that went back: no longer for signatures (R-FACT-11).
  signing_disabled_at timestamptz,
  -- Too many failures: not at all until recovery (R-FACT-7).
  disabled_at timestamptz,
  removed_at timestamptz,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred,
  check ((type = 'passkey') = (credential_id is not null and public_key is not null)),
  check ((type = 'totp') = (secret is not null))
);
create index factors_person on factors (person_id) where removed_at is null;

create table passwords (
  person_id uuid primary key references people (id) deferrable initially deferred,
  hash text not null,
  changed_at timestamptz not null,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred
);

create table backup_codes (
  id uuid primary key,
  person_id uuid not null references people (id) deferrable initially deferred,
  code_hash text not null unique,
  created_at timestamptz not null,
  used_at timestamptz,
  -- Ended by a newer set, or with the factors at recovery.
  ended_at timestamptz,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred
);
create index backup_codes_person on backup_codes (person_id) where used_at is null and ended_at is null;

create table trusted_devices (
  id uuid primary key,
  person_id uuid not null references people (id) deferrable initially deferred,
  token_hash text not null unique,
  browser text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  last_used_at timestamptz,
  revoked_at timestamptz,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred
);
create index trusted_devices_person on trusted_devices (person_id) where revoked_at is null;

create table one_time_links (
  id uuid primary key,
  org_id uuid references organizations (id),
  kind text not null check (kind in ('setup', 'invitation', 'recovery')),
  token_hash text not null unique,
  person_id uuid references people (id) deferrable initially deferred,
  created_by text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  replaced_at timestamptz,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred
);
create index one_time_links_person on one_time_links (person_id) where used_at is null and replaced_at is null;
create index one_time_links_kind on one_time_links (kind) where used_at is null and replaced_at is null;

create table machines (
  id uuid primary key,
  org_id uuid not null references organizations (id),
  kind text not null check (kind in ('ci', 'service', 'agent', 'device', 'connector', 'acme')),
  name text not null,
  -- Empty for a service account, which has a contact instead (R-ID-8).
  owners uuid[] not null,
  contact_id uuid references people (id) deferrable initially deferred,
  acts_for_id uuid references people (id) deferrable initially deferred,
  created_by text not null,
  created_at timestamptz not null,
  disabled_at timestamptz,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred,
  check (cardinality(owners) > 0 or contact_id is not null)
);
create unique index machines_name on machines (org_id, lower(name)) where disabled_at is null;
create index machines_owners on machines using gin (owners);

create table api_tokens (
  id uuid primary key,
  org_id uuid not null references organizations (id),
  machine_id uuid not null references machines (id) deferrable initially deferred,
  name text not null,
  prefix text not null,
  last_four text not null,
  scopes text[] not null,
  -- What its creator held when it was made: a token is never wider (R-TOK-4).
  creator_permissions text[] not null,
  limits json not null,
  created_by text not null,
  created_at timestamptz not null,
  -- Null only where an administrator allowed a token without an end (R-TOK-3).
  expires_at timestamptz,
  revoked_at timestamptz,
  legacy boolean not null,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred
);
create index api_tokens_machine on api_tokens (machine_id) where revoked_at is null;
create index api_tokens_org on api_tokens (org_id, created_at desc);

create table token_secrets (
  token_hash text primary key,
  token_id uuid not null references api_tokens (id) deferrable initially deferred,
  created_at timestamptz not null,
  -- End of the overlap after a rotation (R-TOK-6).
  ends_at timestamptz,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred
);
create index token_secrets_token on token_secrets (token_id);

create table token_uses (
  token_id uuid primary key,
  used_at timestamptz not null,
  address text
);

create table identity_providers (
  id uuid primary key,
  org_id uuid not null references organizations (id),
  name text not null,
  issuer text not null,
  client_id text not null,
  client_secret text,
  settings json not null,
  enabled boolean not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred
);
create unique index identity_providers_name on identity_providers (org_id, lower(name)) where deleted_at is null;

create table workload_providers (
  id uuid primary key,
  org_id uuid not null references organizations (id),
  machine_id uuid not null references machines (id) deferrable initially deferred,
  name text not null,
  preset text not null check (preset in ('github', 'gitlab', 'circleci', 'kubernetes', 'custom')),
  issuer text not null,
  audience text not null,
  subjects text[] not null,
  claims json not null,
  scopes text[] not null,
  enabled boolean not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred
);
create unique index workload_providers_name on workload_providers (org_id, lower(name)) where deleted_at is null;
create index workload_providers_issuer on workload_providers (issuer) where deleted_at is null;

create table settings (
  org_id uuid not null references organizations (id),
  key text not null,
  value json not null,
  updated_by text not null,
  updated_at timestamptz not null,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred,
  primary key (org_id, key)
);

create table scim_resources (
  id uuid primary key,
  org_id uuid not null references organizations (id),
  kind text not null check (kind in ('user', 'group')),
  external_id text,
  person_id uuid references people (id) deferrable initially deferred,
  -- The group of the directory that this resource keeps.
  group_path text,
  attributes json not null,
  version integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred
);
create index scim_resources_kind on scim_resources (org_id, kind) where deleted_at is null;
create index scim_resources_person on scim_resources (person_id) where deleted_at is null;

create table ceremonies (
  id uuid primary key,
  purpose text not null,
  person_id uuid,
  session_id uuid,
  -- What the answer is good for, and nothing else (R-STEP-2).
  act text not null,
  challenge text not null,
  data json not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz
);
create index ceremonies_age on ceremonies (expires_at);

create table login_states (
  id uuid primary key,
  cookie_hash text not null unique,
  provider_id uuid not null,
  state_hash text not null,
  nonce text not null,
  verifier text not null,
  return_to text not null,
  link_person_id uuid,
  link_session_id uuid,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz
);
create index login_states_age on login_states (expires_at);

create table cli_logins (
  code_hash text primary key,
  person_id uuid not null,
  authorized_by uuid not null,
  session_id uuid,
  challenge text not null,
  client text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz
);
create index cli_logins_age on cli_logins (expires_at);

create table views (
  id uuid primary key,
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
  shown_at timestamptz not null,
  expires_at timestamptz not null
);
create index views_age on views (expires_at);

create table statements (
  id uuid primary key,
  view_id uuid not null,
  person_id uuid not null,
  session_id uuid not null,
  task_id uuid not null,
  text text not null,
  challenge text not null,
  reason json,
  -- Position in a batch, its size and the path to its root; null when signed alone (R-SIGN-5).
  batch json,
  credentials text[] not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz
);
create index statements_age on statements (expires_at);
create index statements_task on statements (task_id);

-- A code or token id that was used: unique for as long as it could be used again (R-FACT-4, R-WID-3).
create table spent_proofs (
  scope text not null,
  value text not null,
  answer json,
  spent_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (scope, value)
);
create index spent_proofs_age on spent_proofs (expires_at);

-- Calls per bucket and window, shared by all processes (docs/spec/identity.md section 10).
create table rate_windows (
  bucket text not null,
  key text not null,
  window_start timestamptz not null,
  window_seconds integer not null,
  count integer not null,
  primary key (bucket, key, window_seconds)
);

-- Failed proofs: how many in a row, and until when nobody may try (R-FACT-7).
create table failure_counts (
  scope text not null,
  key text not null,
  failures integer not null,
  in_a_row integer not null,
  window_start timestamptz not null,
  blocked_until timestamptz,
  level integer not null,
  primary key (scope, key)
);

do $$
declare
  state_table text;
begin
  foreach state_table in array array[
    'role_grants', 'factors', 'passwords', 'backup_codes', 'trusted_devices', 'one_time_links', 'machines', 'api_tokens',
    'token_secrets', 'identity_providers', 'workload_providers', 'settings', 'scim_resources'
  ] loop
    execute format('create trigger %I before update on %I for each row execute function entry_seq_grows()',
      state_table || '_need_an_entry', state_table);
  end loop;
end $$;

-- What a process may keep in memory about who may do what ends when this changes (R-TOK-9, R-AUTHZ-6).
create function tell_access_changed() returns trigger language plpgsql as $$
begin
  notify countersign_access;
  return null;
end $$;
do $$
declare
  access_table text;
begin
  foreach access_table in array array[
    'organizations', 'people', 'identities', 'sessions', 'role_grants', 'machines', 'api_tokens', 'token_secrets',
    'identity_providers', 'workload_providers', 'settings'
  ] loop
    execute format('create trigger %I after insert or update or delete on %I for each statement execute function tell_access_changed()',
      access_table || '_tell', access_table);
  end loop;
end $$;
