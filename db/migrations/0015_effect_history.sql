-- An effect that is tried again from the start counts its attempts anew; those before stay shown (docs/spec/engine.md R-HOOK-13).
alter table effect_attempts drop constraint effect_attempts_pkey, add primary key (effect_id, attempt, at);
-- Ends that no entry tells of yet (docs/spec/effects.md).
create index effects_untold on effects (id) where state = 'failed' and result is null;
