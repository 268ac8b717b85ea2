// The rows of messages. A message is never added without its thread's row, which counts them.
import { arrayTooLong, messageNotFound, threadIsFull, threadNotFound } from "../contract/errors.ts";
import { MAX_MESSAGES_PER_THREAD, MAX_RESOURCE_FILES, THREAD_STORE_DAYS } from "../contract/limits.ts";
import type { Page } from "../contract/list.ts";
import type { ListMessagesQuery, Message } from "../contract/message.ts";
import type { ToolResources } from "../contract/tool-resources.ts";
import { pickSearchable } from "./attached-files.ts";
import { addToStoreOf } from "./own-stores.ts";
import { readPage } from "./page.ts";
import type { Queryable } from "./pool.ts";
import type { MessageScope, ThreadScope } from "./scope.ts";
import { setV1Files } from "./v1-files.ts";

/** One message in wire shape. */
export const MESSAGE_COLUMNS = `
  id, 'thread.message' as object, unix(created_at) as created_at, assistant_id, thread_id, run_id, status,
  case when incomplete_reason is not null then json_build_object('reason', incomplete_reason) end as incomplete_details,
  unix(incomplete_at) as incomplete_at, unix(completed_at) as completed_at, role, content, attachments, metadata`;

/** A message of a client's, ready to be stored. */
export interface NewMessage extends Pick<Message, "id" | "role" | "content" | "attachments" | "metadata"> {
  /** Tokens of the content. */
  tokens: number;
  /** The files that version 1 lists for it; only messages of that version have such a list. */
  v1_file_ids?: string[];
}

/**
 * Adds a client's messages at the end of a thread, in their order, inside a transaction that holds the thread's row.
 * Attached files join those of the thread. Throws (400) when the thread takes no more of them, or of messages.
 */
export async function insertMessages(
  tx: Queryable,
  scope: ThreadScope,
  messages: readonly NewMessage[],
): Promise<Message[]> {
  if (messages.length === 0) return [];
  await attachFiles(tx, scope, messages);
  const { rows } = await tx.query<Message>(
    `with thread as (
       update threads set message_count = message_count + $3
       where project_id = $1 and id = $2 and message_count + $3 <= ${MAX_MESSAGES_PER_THREAD}
       returning id
     ), moment as materialized (select clock_timestamp() as now)
     insert into messages (id, project_id, thread_id, created_at, completed_at, status, role, content, attachments,
       metadata, tokens)
     select item.id, $1, thread.id, moment.now, moment.now, 'completed', item.role, item.content, item.attachments,
       item.metadata, item.tokens
     from thread, moment, unnest($4::text[], $5::text[], $6::json[], $7::json[], $8::json[], $9::integer[])
       with ordinality as item (id, role, content, attachments, metadata, tokens, position)
     order by item.position
     returning ${MESSAGE_COLUMNS}`,
    [
      scope.project_id,
      scope.thread_id,
      messages.length,
      messages.map((message) => message.id),
      messages.map((message) => message.role),
      messages.map((message) => JSON.stringify(message.content)),
      messages.map((message) => JSON.stringify(message.attachments)),
      messages.map((message) => JSON.stringify(message.metadata)),
      messages.map((message) => message.tokens),
    ],
  );
  if (rows.length === 0) throw threadIsFull(scope.thread_id, MAX_MESSAGES_PER_THREAD);
  for (const { id, v1_file_ids } of messages) {
    if (v1_file_ids?.length) await setV1Files(tx, "messages", { ...scope, id }, v1_file_ids);
  }
  return rows;
}

export async function findMessage(db: Queryable, scope: MessageScope): Promise<Message | undefined> {
  const { rows } = await db.query<Message>(
    `select ${MESSAGE_COLUMNS} from messages where project_id = $1 and thread_id = $2 and id = $3`,
    [scope.project_id, scope.thread_id, scope.message_id],
  );
  return rows[0];
}

/** With `run_id`, only what that run wrote. */
export async function listMessages(
  db: Queryable,
  scope: ThreadScope,
  query: ListMessagesQuery,
): Promise<Page<Message>> {
  const ofRun = query.run_id === undefined ? [] : [query.run_id];
  const where = `project_id = $1 and thread_id = $2${ofRun.length > 0 ? " and run_id = $3" : ""}`;
  const values = [scope.project_id, scope.thread_id, ...ofRun];
  return readPage<Message>(db, { table: "messages", columns: MESSAGE_COLUMNS, where, values }, query);
}

/** Replaces the metadata. Undefined when there is no such message. */
export async function updateMessageMetadata(
  db: Queryable,
  scope: MessageScope,
  metadata: Message["metadata"],
): Promise<Message | undefined> {
  const { rows } = await db.query<Message>(
    `update messages set metadata = $4 where project_id = $1 and thread_id = $2 and id = $3
     returning ${MESSAGE_COLUMNS}`,
    [scope.project_id, scope.thread_id, scope.message_id, JSON.stringify(metadata)],
  );
  return rows[0];
}

/** Deletes a message, inside a transaction. Throws (404) when there is no such message. */
export async function deleteMessage(tx: Queryable, scope: MessageScope): Promise<void> {
  // The thread first, as everywhere, so that no two transactions wait for each other.
  const thread = await tx.query(
    "update threads set message_count = message_count - 1 where project_id = $1 and id = $2",
    [scope.project_id, scope.thread_id],
  );
  if (thread.rowCount === 0) throw threadNotFound(scope.thread_id);
  const message = await tx.query("delete from messages where project_id = $1 and thread_id = $2 and id = $3", [
    scope.project_id,
    scope.thread_id,
    scope.message_id,
  ]);
  if (message.rowCount === 0) throw messageNotFound(scope.message_id);
}

/** What is attached for a tool is the thread's. */
async function attachFiles(tx: Queryable, scope: ThreadScope, messages: readonly NewMessage[]): Promise<void> {
  const toRun = attachedFor(messages, "code_interpreter");
  const toSearch = await pickSearchable(tx, scope.project_id, messages);
  if (toRun.length + toSearch.length === 0) return;
  const { rows } = await tx.query<{ tool_resources: ToolResources }>(
    "select tool_resources from threads where project_id = $1 and id = $2 for no key update",
    [scope.project_id, scope.thread_id],
  );
  const current = rows[0]?.tool_resources ?? {};
  const resources: ToolResources = { ...current };
  // Version 1 knew no limit for a thread, so a client of that version cannot be told of one.
  const isV1 = messages.some((message) => message.v1_file_ids !== undefined);
  if (toRun.length > 0) resources.code_interpreter = { file_ids: joinFiles(current, toRun, isV1) };
  if (toSearch.length > 0) {
    const owner = { ...scope, store: current.file_search?.vector_store_ids[0], expiresAfterDays: THREAD_STORE_DAYS };
    resources.file_search = { vector_store_ids: [await addToStoreOf(tx, owner, toSearch)] };
  }
  await tx.query("update threads set tool_resources = $3 where project_id = $1 and id = $2", [
    scope.project_id,
    scope.thread_id,
    JSON.stringify(resources),
  ]);
}

function attachedFor(messages: readonly NewMessage[], tool: "code_interpreter" | "file_search"): string[] {
  return messages
    .flatMap((message) => message.attachments)
    .filter((attachment) => attachment.tools.some(({ type }) => type === tool))
    .map(({ file_id }) => file_id);
}

function joinFiles(current: ToolResources, attached: readonly string[], isV1: boolean): string[] {
  const file_ids = [...new Set([...(current.code_interpreter?.file_ids ?? []), ...attached])];
  if (isV1) return file_ids.slice(-MAX_RESOURCE_FILES);
  if (file_ids.length > MAX_RESOURCE_FILES) {
    throw arrayTooLong("tool_resources.code_interpreter.file_ids", MAX_RESOURCE_FILES, file_ids.length);
  }
  return file_ids;
}
