// Files and vector stores that tests name without having made them through the API: rows under the ids that are given.
import type pg from "pg";

export interface Named {
  /** Of the project that they are in. */
  project: string;
  file_ids?: readonly string[];
  vector_store_ids?: readonly string[];
}

/** Makes those that are not there yet. The files have no content. */
export async function makeNamed(db: Pick<pg.Pool, "query">, named: Named): Promise<void> {
  const { project, file_ids = [], vector_store_ids = [] } = named;
  await db.query(
    `insert into files (id, project_id, filename, purpose, bytes, sha256, blob)
     select item.id, projects.id, 'notes.txt', 'assistants', 5, '\\x00', 'blob of ' || item.id
     from projects, unnest($2::text[]) as item (id) where name = $1 on conflict (id) do nothing`,
    [project, file_ids],
  );
  await db.query(
    `insert into vector_stores (id, project_id, metadata)
     select item.id, projects.id, '{}' from projects, unnest($2::text[]) as item (id) where name = $1
     on conflict (id) do nothing`,
    [project, vector_store_ids],
  );
}
