// /v1/threads/{thread_id}/messages
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { messageNotFound, threadIsLocked, threadNotFound } from "../../contract/errors.ts";
import type { ApiError } from "../../contract/errors.ts";
import { toList } from "../../contract/list.ts";
import { CreateMessage, ListMessagesQuery, ModifyMessage } from "../../contract/message.ts";
import { AnyId, ThreadId } from "../../contract/references.ts";
import * as messages from "../../db/messages.ts";
import { withTransaction } from "../../db/pool.ts";
import { lockThread, threadExists } from "../../db/threads.ts";
import type { Deps } from "../deps.ts";
import { prepareMessage } from "../new-messages.ts";

const OneThread = z.object({ thread_id: ThreadId });
const OneMessage = z.object({ thread_id: ThreadId, message_id: AnyId });

export const messageRoutes =
  ({ db }: Deps): FastifyPluginAsyncZod =>
  async (app) => {
    app.post(
      "/threads/:thread_id/messages",
      { schema: { params: OneThread, body: CreateMessage } },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        const prepared = prepareMessage(request.body);
        return withTransaction(db, async (tx) => {
          const thread = await lockThread(tx, scope);
          if (thread === undefined) throw threadNotFound(scope.thread_id);
          if (thread.active_run_id !== undefined) throw threadIsLocked(scope.thread_id, thread.active_run_id);
          const [message] = await messages.insertMessages(tx, scope, [prepared]);
          return message;
        });
      },
    );

    app.get(
      "/threads/:thread_id/messages",
      { schema: { params: OneThread, querystring: ListMessagesQuery } },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        if (!(await threadExists(db, scope))) throw threadNotFound(scope.thread_id);
        return toList(await messages.listMessages(db, scope, request.query));
      },
    );

    app.get("/threads/:thread_id/messages/:message_id", { schema: { params: OneMessage } }, async (request) => {
      const scope = { ...request.caller, ...request.params };
      return (await messages.findMessage(db, scope)) ?? (await missing(scope));
    });

    app.post(
      "/threads/:thread_id/messages/:message_id",
      { schema: { params: OneMessage, body: ModifyMessage } },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        const { metadata } = request.body;
        const message =
          metadata === undefined
            ? await messages.findMessage(db, scope)
            : await messages.updateMessageMetadata(db, scope, metadata ?? {});
        return message ?? (await missing(scope));
      },
    );

    app.delete("/threads/:thread_id/messages/:message_id", { schema: { params: OneMessage } }, async (request) => {
      const scope = { ...request.caller, ...request.params };
      await withTransaction(db, (tx) => messages.deleteMessage(tx, scope));
      return { id: scope.message_id, object: "thread.message.deleted", deleted: true };
    });

    /** Throws (404) for whichever of the two is not there. */
    async function missing(scope: messages.MessageScope): Promise<never> {
      const error: ApiError = (await threadExists(db, scope))
        ? messageNotFound(scope.message_id)
        : threadNotFound(scope.thread_id);
      throw error;
    }
  };
