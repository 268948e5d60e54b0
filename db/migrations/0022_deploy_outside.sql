-- What version control says of the changes that a deploy approval is about, for its reviewers (docs/spec/deploy.md R-GITHUB-5). A copy
-- of somebody else's words, read again when it is a minute old: no entry describes it.
create table deploy_vcs_facts (
  approval_id uuid primary key references deploy_approvals (id) deferrable initially deferred,
  org_id uuid not null references organizations (id),
  facts json not null,
  read_at timestamptz not null
);

-- Attempts at events are forgotten by their age (docs/spec/engine.md R-HOOK-12).
create index effect_attempts_at on effect_attempts (at);

-- Which channels are told of which events (docs/spec/deploy.md R-SLACK-4), and how far the ledger was told there already.
alter table chat_integrations add column channel_actions json not null default '{}';
create table chat_told (
  org_id uuid primary key references organizations (id),
  told_to bigint not null,
  lease_until timestamptz
);
