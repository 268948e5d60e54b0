-- Where an organization's deploy approvals are told in chat (docs/spec/deploy.md R-SLACK-1). The token is sealed; a connection that
-- was ended keeps its row and loses the token.
create table chat_integrations (
  org_id uuid primary key references organizations (id),
  team_id text not null,
  team_name text not null,
  bot_user_id text not null,
  bot_token text,
  alerts_enabled boolean not null,
  alerts_channel_id text,
  connected_by text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  removed_at timestamptz,
  entry_seq bigint not null references ledger_entries (seq) deferrable initially deferred,
  check ((removed_at is null) = (bot_token is not null))
);
create trigger chat_integrations_need_an_entry before update on chat_integrations
  for each row execute function entry_seq_grows();
