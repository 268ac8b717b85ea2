// What names a file: the tools of assistants and threads, the lists of version 1, and the workspaces of code. Nothing names
// it any more once it is deleted.
import type { Queryable } from "./pool.ts";

const FILE_IDS = "tool_resources -> 'code_interpreter' -> 'file_ids'";

/** Takes files that the transaction has deleted out of all that names them. Found by index, whatever there is else. */
export async function dropReferences(tx: Queryable, file_ids: readonly string[]): Promise<void> {
  await tx.query("delete from code_files where file_id = any($1)", [file_ids]);
  for (const id of file_ids) {
    for (const table of ["assistants", "threads"]) await dropFromTools(tx, table, id);
    for (const table of ["assistants", "messages"]) await dropFromV1List(tx, table, id);
  }
}

/** Rows are locked in the order of their ids, so that two of these never wait for each other. */
async function dropFromTools(tx: Queryable, table: string, file_id: string): Promise<void> {
  await tx.query(
    `with found as materialized (
       select id from ${table}
       where (${FILE_IDS})::jsonb @> to_jsonb($1::text) and (${FILE_IDS} ->> 0) is not null
       order by id for no key update
     )
     update ${table} as owner set tool_resources = (
       select json_object_agg(part.key, case when part.key = 'code_interpreter' then json_build_object('file_ids', (
         select coalesce(json_agg(item.id order by item.place), '[]')
         from json_array_elements_text(part.value -> 'file_ids') with ordinality as item (id, place)
         where item.id <> $1::text)) else part.value end)
       from json_each(owner.tool_resources) as part)
     from found where owner.id = found.id`,
    [file_id],
  );
}

/** Null, and not an empty list, when none is left: as if there never had been any. */
async function dropFromV1List(tx: Queryable, table: string, file_id: string): Promise<void> {
  await tx.query(
    `with found as materialized (
       select id from ${table}
       where v1_files::jsonb @> jsonb_build_array(jsonb_build_object('id', $1::text)) and v1_files is not null
       order by id for no key update
     )
     update ${table} as owner set v1_files = (
       select json_agg(item.file order by item.place)
       from json_array_elements(owner.v1_files) with ordinality as item (file, place)
       where item.file ->> 'id' <> $1::text)
     from found where owner.id = found.id`,
    [file_id],
  );
}
