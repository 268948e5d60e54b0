-- The last warning that owners or contact of a token were given of its end, in days before it: each of 14, 7 and 1 is given once,
-- whichever process gives it (docs/spec/identity.md R-TOK-3).
alter table api_tokens add column warned_days smallint check (warned_days in (14, 7, 1));
create index api_tokens_expiring on api_tokens (expires_at) where revoked_at is null;
