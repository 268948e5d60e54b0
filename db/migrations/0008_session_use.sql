-- When a session was last used is no state: it is written now and then for many at once, without an entry
-- (docs/spec/identity.md R-SESS-4). A change of anything else about a session still needs one.
drop trigger sessions_need_an_entry on sessions;
create trigger sessions_need_an_entry before update on sessions for each row
  when (new.last_seen_at is not distinct from old.last_seen_at
    or (to_jsonb(old) - 'last_seen_at') is distinct from (to_jsonb(new) - 'last_seen_at'))
  execute function entry_seq_grows();

-- Nor does it change who may do what.
drop trigger sessions_tell on sessions;
create trigger sessions_tell after insert or delete or update of ended_at on sessions for each statement
  execute function tell_access_changed();
