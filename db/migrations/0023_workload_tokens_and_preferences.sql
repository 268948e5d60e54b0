-- A workload provider is a token without a secret to the deploy gate: approvals are asked for it, and whichever token its jobs come
-- with is it (docs/spec/deploy.md R-OIDC-1). The token has the provider's id; nothing was exchanged for it, so `exchanged` names the
-- provider alone. `limits` is {racks?, apps?}; `bind_commit` allows its jobs no other commit than their own (R-OIDC-4).
alter table workload_providers add column limits json not null default '{}';
alter table workload_providers add column bind_commit boolean not null default true;

insert into api_tokens (id, org_id, machine_id, name, prefix, last_four, scopes, creator_permissions, limits, created_by,
    created_at, expires_at, revoked_at, legacy, exchanged, entry_seq)
  select id, org_id, machine_id, name, 'rgw_', '', scopes, scopes, '{}', 'workload', created_at, null, deleted_at, false,
    json_build_object('provider', id), entry_seq
  from workload_providers;

-- Which kind of factor a person would rather be asked for (docs/spec/deploy.md 11.2). It is no rule: every factor proves as before.
create table factor_preferences (
  person_id uuid primary key references people (id) deferrable initially deferred,
  method text not null check (method in ('totp', 'webauthn')),
  updated_at timestamptz not null,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred
);
create trigger factor_preferences_need_an_entry before update on factor_preferences
  for each row execute function entry_seq_grows();
