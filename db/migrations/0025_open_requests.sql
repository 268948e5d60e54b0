-- What a machine has open is counted before it may ask for more (docs/spec/identity.md section 10).
create index requests_open_of_machine on requests (org_id, creator_issuer, creator_subject)
  where creator_machine and completed_at is null;
