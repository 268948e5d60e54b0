-- Which gate a request belongs to, and what at most one live request may be about (docs/spec/engine.md R-STAGE-8).
alter table requests
  add column gate text not null default 'generic' check (gate in ('generic', 'deploy', 'certificate')),
  add column live_key text;
create unique index requests_live_key on requests (org_id, live_key) where live_key is not null;

-- What is to be done outside, written with what decided it, done afterwards (docs/spec/effects.md). The row follows the ledger
-- when a command writes it; leases and attempts are the worker's bookkeeping.
create table effects (
  id uuid primary key,
  org_id uuid not null references organizations (id),
  kind text not null,
  -- Effects of one lane are attempted one after the other, in the order of their positions.
  lane text not null,
  position bigint not null,
  request_id uuid references requests (id) deferrable initially deferred,
  payload json not null,
  state text not null check (state in ('pending', 'done', 'failed', 'withdrawn')),
  attempts integer not null default 0,
  created_at timestamptz not null,
  due_at timestamptz not null,
  ends_at timestamptz,
  lease_until timestamptz,
  worker text,
  last_error json,
  result json,
  done_at timestamptz,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred,
  unique (lane, position),
  check ((done_at is null) = (state = 'pending'))
);
create index effects_due on effects (due_at) where state = 'pending';
create index effects_request on effects (request_id);
create index effects_newest on effects (org_id, created_at desc, id desc);

create table effect_attempts (
  effect_id uuid not null references effects (id),
  attempt integer not null,
  at timestamptz not null,
  duration_ms integer not null,
  outcome text not null check (outcome in ('done', 'retry', 'failed', 'lost')),
  code text,
  message text,
  primary key (effect_id, attempt)
);

-- What was decided to be done stays as it was decided, and what is over stays over; only an administrator's retry reopens it.
create function effects_keep() returns trigger language plpgsql as $$
begin
  if (old.id, old.org_id, old.kind, old.lane, old.position, old.request_id, old.created_at, old.payload::text)
    is distinct from (new.id, new.org_id, new.kind, new.lane, new.position, new.request_id, new.created_at, new.payload::text) then
    raise exception 'an effect cannot become another one';
  end if;
  if old.state in ('done', 'withdrawn') and new.state <> old.state then
    raise exception 'an effect that is over stays over';
  end if;
  if old.state = 'failed' and new.state = 'pending' and new.entry_seq <= old.entry_seq then
    raise exception 'an effect is retried by a command alone';
  end if;
  return new;
end $$;
create trigger effects_kept before update on effects for each row execute function effects_keep();

-- Workers of every process hear of new effects.
create function tell_effect_due() returns trigger language plpgsql as $$
begin
  perform pg_notify('countersign_effects', '');
  return null;
end $$;
create trigger effects_told after insert on effects for each statement execute function tell_effect_due();
