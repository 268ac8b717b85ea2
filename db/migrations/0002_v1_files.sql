-- The files that version 1 of the API lists for an assistant, a message and a run: a JSON array of
-- {"id", "created_at"}, oldest first; null where that version has not listed any.
alter table assistants add column v1_files json;
alter table messages add column v1_files json;
alter table runs add column v1_files json;
