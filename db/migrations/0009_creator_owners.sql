-- The people behind a machine that asked: they do not decide about it (docs/spec/identity.md R-ID-11).
alter table requests add column creator_stands_for uuid[] not null default '{}';
