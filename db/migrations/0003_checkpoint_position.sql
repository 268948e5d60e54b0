-- Where the ledger stood at each checkpoint, so that verification can go on from it (ledger R-VER-1). None of it is believed:
-- the ranges must give the root that was signed, the chain hash must be that of the last entry.
alter table ledger_checkpoints
  add column chain text not null,
  add column ranges text[] not null,
  add column last_at text;
