// /v1/assistants/{assistant_id}/files and /v1/threads/{thread_id}/messages/{message_id}/files: only in version 1 of the
// API. They list which files belong to what; the files themselves are elsewhere.
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { deletedOf } from "../../contract/deleted.ts";
import {
  arrayTooLong,
  assistantFileNotFound,
  assistantNotFound,
  messageFileNotFound,
  messageNotFound,
  threadNotFound,
} from "../../contract/errors.ts";
import { MAX_RESOURCE_FILES } from "../../contract/limits.ts";
import { listOf, PageQuery, toList } from "../../contract/list.ts";
import { AnyId, AssistantId, ThreadId } from "../../contract/references.ts";
import { AssistantFile, CreateAssistantFile, MessageFile } from "../../contract/v1/files.ts";
import { findAssistant, lockAssistant, updateAssistant } from "../../db/assistants.ts";
import { findMessage } from "../../db/messages.ts";
import { withTransaction } from "../../db/pool.ts";
import type { Queryable } from "../../db/pool.ts";
import type { AssistantScope, MessageScope } from "../../db/scope.ts";
import { threadExists } from "../../db/threads.ts";
import * as files from "../../db/v1-files.ts";
import { commit } from "../commit.ts";
import type { Deps } from "../deps.ts";
import { holdFiles } from "../hold-files.ts";

const OneAssistant = z.object({ assistant_id: AssistantId });
const OneAssistantFile = OneAssistant.extend({ file_id: AnyId });
const OneMessage = z.object({ thread_id: ThreadId, message_id: AnyId });
const OneMessageFile = OneMessage.extend({ file_id: AnyId });
const tags = ["Files of assistants and messages"];

export const v1FileRoutes =
  ({ db, ingests }: Deps): FastifyPluginAsyncZod =>
  async (app) => {
    app.post(
      "/assistants/:assistant_id/files",
      {
        schema: {
          tags,
          summary: "Attach a file to an assistant",
          params: OneAssistant,
          body: CreateAssistantFile,
          response: { 200: AssistantFile },
        },
      },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        const { file_id } = request.body;
        const attached = await commit(db, request, async (tx) => {
          const refuse = await holdFiles(tx, scope, { file_ids: [file_id] });
          const before = await lockFileList(tx, scope);
          refuse();
          const after = [...new Set([...before, file_id])];
          if (after.length > MAX_RESOURCE_FILES) throw arrayTooLong("file_ids", MAX_RESOURCE_FILES, after.length);
          await updateAssistant(tx, scope, { file_ids: after });
          return files.findAssistantFile(tx, scope, file_id);
        });
        ingests.look();
        return attached;
      },
    );

    app.get(
      "/assistants/:assistant_id/files",
      {
        schema: {
          tags,
          summary: "List an assistant's files",
          params: OneAssistant,
          querystring: PageQuery,
          response: { 200: listOf(AssistantFile) },
        },
      },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        await requireAssistant(scope);
        return toList(await files.listAssistantFiles(db, scope, request.query));
      },
    );

    app.get(
      "/assistants/:assistant_id/files/:file_id",
      {
        schema: {
          tags,
          summary: "Retrieve a file of an assistant",
          params: OneAssistantFile,
          response: { 200: AssistantFile },
        },
      },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        const file = await files.findAssistantFile(db, scope, scope.file_id);
        if (file !== undefined) return file;
        await requireAssistant(scope);
        throw assistantFileNotFound(scope.file_id, scope.assistant_id);
      },
    );

    app.delete(
      "/assistants/:assistant_id/files/:file_id",
      {
        schema: {
          tags,
          summary: "Detach a file from an assistant",
          params: OneAssistantFile,
          response: { 200: deletedOf("assistant.file.deleted") },
        },
      },
      async (request) => {
        const { file_id, ...scope } = { ...request.caller, ...request.params };
        await withTransaction(db, async (tx) => {
          const before = await lockFileList(tx, scope);
          if (!before.includes(file_id)) throw assistantFileNotFound(file_id, scope.assistant_id);
          await updateAssistant(tx, scope, { file_ids: before.filter((id) => id !== file_id) });
        });
        return { id: file_id, object: "assistant.file.deleted" as const, deleted: true as const };
      },
    );

    app.get(
      "/threads/:thread_id/messages/:message_id/files",
      {
        schema: {
          tags,
          summary: "List a message's files",
          params: OneMessage,
          querystring: PageQuery,
          response: { 200: listOf(MessageFile) },
        },
      },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        await requireMessage(scope);
        return toList(await files.listMessageFiles(db, scope, request.query));
      },
    );

    app.get(
      "/threads/:thread_id/messages/:message_id/files/:file_id",
      {
        schema: {
          tags,
          summary: "Retrieve a file of a message",
          params: OneMessageFile,
          response: { 200: MessageFile },
        },
      },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        const file = await files.findMessageFile(db, scope, scope.file_id);
        if (file !== undefined) return file;
        await requireMessage(scope);
        throw messageFileNotFound(scope.file_id, scope.message_id);
      },
    );

    async function requireAssistant(scope: AssistantScope): Promise<void> {
      if ((await findAssistant(db, scope)) === undefined) throw assistantNotFound(scope.assistant_id);
    }

    async function requireMessage(scope: MessageScope): Promise<void> {
      if ((await findMessage(db, scope)) !== undefined) return;
      throw (await threadExists(db, scope)) ? messageNotFound(scope.message_id) : threadNotFound(scope.thread_id);
    }
  };

/** Holds the assistant's row until the transaction ends and tells its list of files. Throws (404) without one. */
async function lockFileList(tx: Queryable, scope: AssistantScope): Promise<string[]> {
  if ((await lockAssistant(tx, scope)) === undefined) throw assistantNotFound(scope.assistant_id);
  return (await files.readV1FileIds(tx, scope.project_id, [scope.assistant_id])).get(scope.assistant_id) ?? [];
}
