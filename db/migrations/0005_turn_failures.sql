-- Tries of the turn under way that ended in order, with a failure. Those of `turn_tries` that are not among them died with
-- their worker, and may have killed it.
alter table runs add column turn_failures integer not null default 0;
