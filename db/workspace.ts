// The files that the code of a thread works with: those that were given to it, and those that it has written.
import type { Queryable } from "./pool.ts";
import type { RunKey, ThreadScope } from "./scope.ts";

/** A file that the run's assistant or thread gives to Code Interpreter. */
export interface GivenFile {
  file_id: string;
  filename: string;
  bytes: number;
  sha256: Buffer;
  blob: string;
}

/** Those of the assistant first, each in the order of its list. Files that are gone are not among them. */
export async function readGivenFiles(db: Queryable, run: RunKey): Promise<GivenFile[]> {
  const { rows } = await db.query<GivenFile>(
    `select f.id as file_id, f.filename, f.bytes, f.sha256, f.blob
     from runs r
     join threads t on t.id = r.thread_id
     left join assistants a on a.id = r.assistant_id and a.project_id = r.project_id
     cross join lateral (
       select id, min(place) as place from (
         select id, place from json_array_elements_text(a.tool_resources #> '{code_interpreter,file_ids}')
           with ordinality as given (id, place)
         union all
         select id, 1000 + place from json_array_elements_text(t.tool_resources #> '{code_interpreter,file_ids}')
           with ordinality as given (id, place)) listed group by id
     ) listed
     join files f on f.id = listed.id and f.project_id = r.project_id and (f.expires_at is null or f.expires_at > now())
     where r.id = $1 and r.project_id = $2 order by listed.place`,
    [run.id, run.project_id],
  );
  return rows;
}

/** A file that code has written. */
export interface WrittenFile {
  name: string;
  /** Of the File object that it is, or is to become. */
  file_id: string;
  bytes: number;
  sha256: Buffer;
  blob: string;
}

export async function readWrittenFiles(db: Queryable, thread: ThreadScope): Promise<WrittenFile[]> {
  const { rows } = await db.query<WrittenFile>(
    `select name, file_id, bytes, sha256, blob from code_files
     where thread_id = $1 and project_id = $2 order by name collate "C"`,
    [thread.thread_id, thread.project_id],
  );
  return rows;
}

/** What a call has changed in the workspace. */
export interface WorkspaceChange {
  written: readonly WrittenFile[];
  /** Names. */
  removed: readonly string[];
}

/** Inside a transaction. Blobs that nothing names any more are left to the janitor. */
export async function keepWorkspace(
  tx: Queryable,
  thread: ThreadScope,
  { written, removed }: WorkspaceChange,
): Promise<void> {
  const names = [...removed, ...written.map(({ name }) => name)];
  if (names.length === 0) return;
  await tx.query("delete from code_files where thread_id = $1 and project_id = $2 and name = any($3)", [
    thread.thread_id,
    thread.project_id,
    names,
  ]);
  await tx.query(
    `insert into code_files (thread_id, project_id, name, file_id, bytes, sha256, blob)
     select $1, $2, file.* from unnest($3::text[], $4::text[], $5::bigint[], $6::bytea[], $7::text[]) as file`,
    [
      thread.thread_id,
      thread.project_id,
      written.map(({ name }) => name),
      written.map(({ file_id }) => file_id),
      written.map(({ bytes }) => bytes),
      written.map(({ sha256 }) => sha256),
      written.map(({ blob }) => blob),
    ],
  );
}

/** Makes a File object of what code has written, once. Undefined when there is no such file any more. */
export async function publishWrittenFile(
  db: Queryable,
  thread: ThreadScope,
  name: string,
): Promise<string | undefined> {
  const { rows } = await db.query<{ file_id: string }>(
    `with written as (
       select * from code_files where thread_id = $1 and project_id = $2 and name = $3 for update
     ), made as (
       insert into files (id, project_id, created_at, filename, purpose, bytes, sha256, blob)
       select file_id, project_id, clock_timestamp(), regexp_replace(name, '^.*/', ''), 'assistants_output', bytes, sha256, blob from written
       on conflict (id) do nothing
     )
     select file_id from written`,
    [thread.thread_id, thread.project_id, name],
  );
  return rows[0]?.file_id;
}
