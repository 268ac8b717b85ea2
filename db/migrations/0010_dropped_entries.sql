-- Files that are no longer in a store, and whose chunks are still to be removed. That is done a few at a time: a store may
-- have millions, and who deletes it waits for the answer. Nothing finds a chunk from the moment its entry is gone.
create table dropped_entries (
  vector_store_file_id bigint primary key
);

alter table chunks drop constraint chunks_vector_store_file_id_fkey;
alter table extracted_chunks drop constraint extracted_chunks_vector_store_file_id_fkey;

create function note_dropped_entries() returns trigger language plpgsql as $$
begin
  insert into dropped_entries (vector_store_file_id) select id from dropped order by id;
  return null;
end $$;
-- Whoever deletes them: a client, the janitor, or a store or file that takes its entries along.
create trigger vector_store_files_dropped after delete on vector_store_files
  referencing old table as dropped for each statement execute function note_dropped_entries();
