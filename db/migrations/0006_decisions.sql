-- How decisions are proven (docs/spec/identity.md sections 6 and 7).

-- What an approval in the stage must be proven by, as in the pinned policy: lists show it without reading policies.
alter table stage_runs add column assurance text not null default 'session'
  check (assurance in ('session', 'mfa', 'signed'));
alter table stage_runs alter column assurance drop default;

alter table decisions
  -- Null where the session alone spoke; a backup code is a method without a factor.
  add column method text check (method in ('passkey', 'totp', 'backup_code')),
  add column factor_id uuid,
  -- When the request was shown to the person, if the decision names a view of it (R-SIGN-7).
  add column shown_at timestamptz,
  add constraint decisions_assurance_check check (assurance in ('session', 'mfa', 'signed')),
  -- No decision is stronger than what was proven (R-SIGN-2).
  add constraint decisions_proof_check check (
    (assurance = 'session') = (method is null)
    and (assurance <> 'signed' or (method = 'passkey' and factor_id is not null and shown_at is not null)));

-- What a person saw and signed, kept by its digest: views themselves are deleted after a day (R-SIGN-3).
create table displays (
  digest text primary key,
  request_id uuid not null references requests (id) deferrable initially deferred,
  document json not null,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred
);
create index displays_request on displays (request_id);
create trigger displays_need_an_entry before update on displays for each row execute function entry_seq_grows();

-- Statements that one touch signs share its challenge (R-SIGN-5).
create index statements_challenge on statements (challenge);

-- For evidence: the entries of a key, and the activations of a policy, wherever they stand.
create index ledger_entries_factor on ledger_entries ((text::json -> 'data' ->> 'factor')) where kind like 'factor.%';
create index ledger_entries_activation on ledger_entries ((text::json -> 'data' ->> 'digest'))
  where kind = 'policy.activated';
