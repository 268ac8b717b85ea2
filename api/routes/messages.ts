// /v1/threads/{thread_id}/messages
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { deletedOf } from "../../contract/deleted.ts";
import { messageNotFound, threadIsLocked, threadNotFound } from "../../contract/errors.ts";
import { listOf, toList } from "../../contract/list.ts";
import { ListMessagesQuery, ModifyMessage } from "../../contract/message.ts";
import { AnyId, ThreadId } from "../../contract/references.ts";
import type { ApiVersion } from "../../contract/version.ts";
import * as messages from "../../db/messages.ts";
import { withTransaction } from "../../db/pool.ts";
import type { Queryable } from "../../db/pool.ts";
import type { MessageScope } from "../../db/scope.ts";
import { lockThread, threadExists } from "../../db/threads.ts";
import { commit } from "../commit.ts";
import type { Deps } from "../deps.ts";
import { holdFiles } from "../hold-files.ts";
import { bringFiles, prepareMessage } from "../new-messages.ts";

const OneThread = z.object({ thread_id: ThreadId });
const OneMessage = z.object({ thread_id: ThreadId, message_id: AnyId });
const tags = ["Messages"];

export const messageRoutes =
  ({ db, ingests }: Deps, version: ApiVersion): FastifyPluginAsyncZod =>
  async (app) => {
    app.post(
      "/threads/:thread_id/messages",
      {
        schema: {
          tags,
          summary: "Create a message",
          params: OneThread,
          body: version.CreateMessage,
          response: { 200: version.Message },
        },
      },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        const prepared = prepareMessage(request.body, version);
        const made = await commit(db, request, async (tx) => {
          const refuse = await holdFiles(tx, scope, { messages: [prepared] });
          const thread = await lockThread(tx, scope);
          if (thread === undefined) throw threadNotFound(scope.thread_id);
          refuse();
          if (thread.active_run_id !== undefined) throw threadIsLocked(scope.thread_id, thread.active_run_id);
          const [message] = await messages.insertMessages(tx, scope, [prepared]);
          return message;
        });
        if (bringFiles([prepared])) ingests.look();
        return made;
      },
    );

    app.get(
      "/threads/:thread_id/messages",
      {
        schema: {
          tags,
          summary: "List messages",
          params: OneThread,
          querystring: ListMessagesQuery,
          response: { 200: listOf(version.Message) },
        },
      },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        if (!(await threadExists(db, scope))) throw threadNotFound(scope.thread_id);
        return toList(await messages.listMessages(db, scope, request.query));
      },
    );

    app.get(
      "/threads/:thread_id/messages/:message_id",
      { schema: { tags, summary: "Retrieve a message", params: OneMessage, response: { 200: version.Message } } },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        return (await messages.findMessage(db, scope)) ?? (await missing(db, scope));
      },
    );

    app.post(
      "/threads/:thread_id/messages/:message_id",
      {
        schema: {
          tags,
          summary: "Modify a message",
          params: OneMessage,
          body: ModifyMessage,
          response: { 200: version.Message },
        },
      },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        const { metadata } = request.body;
        return commit(db, request, async (tx) => {
          const message =
            metadata === undefined
              ? await messages.findMessage(tx, scope)
              : await messages.updateMessageMetadata(tx, scope, metadata ?? {});
          return message ?? (await missing(tx, scope));
        });
      },
    );

    // Came with version 2.
    if (version.name === "v1") return;
    app.delete(
      "/threads/:thread_id/messages/:message_id",
      {
        schema: {
          tags,
          summary: "Delete a message",
          params: OneMessage,
          response: { 200: deletedOf("thread.message.deleted") },
        },
      },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        await withTransaction(db, (tx) => messages.deleteMessage(tx, scope));
        return { id: scope.message_id, object: "thread.message.deleted" as const, deleted: true as const };
      },
    );
  };

/** Throws (404) for whichever of the two is not there. */
async function missing(db: Queryable, scope: MessageScope): Promise<never> {
  throw (await threadExists(db, scope)) ? messageNotFound(scope.message_id) : threadNotFound(scope.thread_id);
}
