-- The cursor first: whoever flushes deltas holds it, so what is flushed meanwhile is seen by the statement behind it.
create or replace function forget_run_stream() returns trigger language plpgsql as $$
begin
  delete from run_cursors where run_id = old.id;
  delete from run_deltas where run_id = old.id;
  return null;
end $$;
