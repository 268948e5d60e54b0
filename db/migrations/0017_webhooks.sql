-- Where a request's events are sent, signed with whose secret (docs/spec/engine.md section 13).
alter table requests add column callback json;

-- One line of secrets per caller: sealed, and revoked rather than deleted (R-HOOK-15, R-HOOK-16).
create table webhook_secrets (
  id uuid primary key,
  org_id uuid not null references organizations (id),
  name text not null check (length(name) between 1 and 64),
  caller_service text not null check (length(caller_service) between 1 and 128),
  status text not null check (status in ('active', 'revoked')),
  secret text,
  previous text,
  effective_at timestamptz not null,
  previous_until timestamptz,
  allowed_callers text[],
  allowed_urls text[],
  created_at timestamptz not null,
  revoked_at timestamptz,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred,
  unique (org_id, name),
  check ((status = 'revoked') = (secret is null)),
  check ((previous is null) = (previous_until is null))
);
create unique index webhook_secrets_caller on webhook_secrets (org_id, caller_service) where status = 'active';
create trigger webhook_secrets_need_an_entry before update on webhook_secrets
  for each row execute function entry_seq_grows();

-- What the other side said to one attempt: status, the beginning of its answer, the address, whose secret signed it (R-HOOK-12).
alter table effect_attempts add column detail json;
