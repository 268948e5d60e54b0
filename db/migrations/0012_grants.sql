-- What an approval yields: a grant, and what it was used for (docs/spec/engine.md section 12).
create table grants (
  id uuid primary key,
  org_id uuid not null references organizations (id),
  request_id uuid not null unique,
  state text not null check (state in ('active', 'used', 'expired', 'revoked')),
  not_before timestamptz not null,
  expires_at timestamptz,
  uses_max integer check (uses_max >= 1),
  uses integer not null check (uses >= 0),
  extensions integer not null check (extensions >= 0),
  ended_at timestamptz,
  revoked_reason text check (revoked_reason in ('rejected', 'cancelled', 'withdrawn')),
  revoked_comment text,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred,
  constraint grants_request_fkey foreign key (org_id, request_id) references requests (org_id, id)
    deferrable initially deferred,
  -- Whatever the application believes: no more uses than were approved (R-GRANT-1).
  constraint grants_uses_within_max check (uses <= uses_max),
  constraint grants_end_check check ((state = 'active') = (ended_at is null)),
  constraint grants_revoked_check check ((state = 'revoked') = (revoked_reason is not null))
);
create trigger grants_need_an_entry before update on grants for each row execute function entry_seq_grows();

create table grant_uses (
  request_id uuid not null,
  -- 1, 2, 3 …: two uses at once cannot have the same number.
  use_number integer not null check (use_number >= 1),
  org_id uuid not null references organizations (id),
  actor text not null,
  action text,
  used_at timestamptz not null,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred,
  primary key (request_id, use_number),
  constraint grant_uses_request_fkey foreign key (org_id, request_id) references requests (org_id, id)
    deferrable initially deferred
);

-- Lines that the product brings with it: read and copied, never changed through the API.
alter table policies add column managed boolean not null default false;

-- Each use looks at the one before it, however many there were.
create index ledger_entries_grant_uses on ledger_entries (request, seq) where kind = 'grant.used';

-- A rule may ask for everybody who holds a role of this installation.
create index role_grants_role on role_grants (org_id, role) where ended_at is null;
