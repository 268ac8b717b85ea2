// The files that version 1 of the API lists for assistants, messages and runs. Version 2 never shows these lists.
import type { Page, PageQuery } from "../contract/list.ts";
import type { AssistantFile, MessageFile } from "../contract/v1/files.ts";
import { readPage } from "./page.ts";
import type { PageSource } from "./page.ts";
import type { Queryable } from "./pool.ts";
import type { AssistantScope, MessageScope } from "./scope.ts";

interface Owner {
  project_id: string;
  id: string;
}

/** Sets the list of an assistant or a message. Files that were in it before keep the time at which they came. */
export async function setV1Files(
  tx: Queryable,
  table: "assistants" | "messages",
  owner: Owner,
  file_ids: readonly string[],
): Promise<void> {
  await tx.query(
    `update ${table} as owner set v1_files = (
       select json_agg(json_build_object('id', given.id, 'created_at', coalesce(
         (select (old ->> 'created_at')::integer from json_array_elements(owner.v1_files) old where old ->> 'id' = given.id),
         unix(clock_timestamp()))) order by given.position)
       from unnest($3::text[]) with ordinality as given (id, position))
     where project_id = $1 and id = $2`,
    [owner.project_id, owner.id, [...new Set(file_ids)]],
  );
}

/** The ids of the files of each assistant, message and run that has some, oldest first. */
export async function readV1FileIds(
  db: Queryable,
  project_id: string,
  ids: readonly string[],
): Promise<Map<string, string[]>> {
  if (ids.length === 0) return new Map();
  const { rows } = await db.query<{ id: string; files: { id: string }[] }>(
    ["assistants", "messages", "runs"]
      .map((table) => `select id, v1_files as files from ${table} where project_id = $1 and id = any($2)`)
      .join(" union all "),
    [project_id, ids],
  );
  return new Map(rows.map(({ id, files }) => [id, (files ?? []).map((file) => file.id)]));
}

export async function listAssistantFiles(
  db: Queryable,
  { project_id, assistant_id }: AssistantScope,
  query: PageQuery,
): Promise<Page<AssistantFile>> {
  return readPage<AssistantFile>(db, assistantFiles(project_id, assistant_id), query);
}

export async function findAssistantFile(
  db: Queryable,
  { project_id, assistant_id }: AssistantScope,
  file_id: string,
): Promise<AssistantFile | undefined> {
  return findFile<AssistantFile>(db, assistantFiles(project_id, assistant_id), file_id);
}

export async function listMessageFiles(
  db: Queryable,
  scope: MessageScope,
  query: PageQuery,
): Promise<Page<MessageFile>> {
  return readPage<MessageFile>(db, messageFiles(scope), query);
}

export async function findMessageFile(
  db: Queryable,
  scope: MessageScope,
  file_id: string,
): Promise<MessageFile | undefined> {
  return findFile<MessageFile>(db, messageFiles(scope), file_id);
}

function assistantFiles(project_id: string, assistant_id: string): PageSource {
  return {
    table: filesOf("assistants"),
    columns: "id, 'assistant.file' as object, created_at, owner_id as assistant_id",
    where: "project_id = $1 and owner_id = $2",
    values: [project_id, assistant_id],
  };
}

function messageFiles({ project_id, thread_id, message_id }: MessageScope): PageSource {
  return {
    table: filesOf("messages"),
    columns: "id, 'thread.message.file' as object, created_at, owner_id as message_id",
    where: "project_id = $1 and thread_id = $2 and owner_id = $3",
    values: [project_id, thread_id, message_id],
  };
}

/** The lists as a table of their own: `seq` is the place in the list. */
function filesOf(table: "assistants" | "messages"): string {
  return `(select owner.project_id, owner.id as owner_id, ${table === "messages" ? "owner.thread_id," : ""}
      file ->> 'id' as id, (file ->> 'created_at')::integer as created_at, place as seq
    from ${table} as owner, json_array_elements(owner.v1_files) with ordinality as list (file, place)) as files`;
}

async function findFile<File extends object>(
  db: Queryable,
  { table, columns, where, values }: PageSource,
  file_id: string,
): Promise<File | undefined> {
  const { rows } = await db.query<File>(
    `select ${columns} from ${table} where (${where}) and id = $${values.length + 1}`,
    [...values, file_id],
  );
  return rows[0];
}
