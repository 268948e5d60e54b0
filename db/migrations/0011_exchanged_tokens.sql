-- The workload's token that a token was given for, as {provider, value, expires_at}: it makes one request and no second
-- whichever of the two is presented, and is no token that somebody keeps (docs/spec/identity.md R-WID-3).
alter table api_tokens add column exchanged json;
