// /v1/threads
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { threadNotFound } from "../../contract/errors.ts";
import { ThreadId } from "../../contract/references.ts";
import { CreateThread, ModifyThread } from "../../contract/thread.ts";
import { withTransaction } from "../../db/pool.ts";
import * as threads from "../../db/threads.ts";
import type { Deps } from "../deps.ts";
import { prepareMessages } from "../new-messages.ts";

const OneThread = z.object({ thread_id: ThreadId });

export const threadRoutes =
  ({ db, workflows }: Deps): FastifyPluginAsyncZod =>
  async (app) => {
    app.post("/threads", { schema: { body: CreateThread } }, async (request) => {
      const messages = await prepareMessages(request.body.messages);
      const thread = { ...request.body, ...request.caller, messages };
      return withTransaction(db, (tx) => threads.insertThread(tx, thread));
    });

    app.get("/threads/:thread_id", { schema: { params: OneThread } }, async (request) => {
      const scope = { ...request.caller, ...request.params };
      const thread = await threads.findThread(db, scope);
      if (thread === undefined) throw threadNotFound(scope.thread_id);
      return thread;
    });

    app.post("/threads/:thread_id", { schema: { params: OneThread, body: ModifyThread } }, async (request) => {
      const scope = { ...request.caller, ...request.params };
      const thread = await withTransaction(db, (tx) => threads.updateThread(tx, scope, request.body));
      if (thread === undefined) throw threadNotFound(scope.thread_id);
      return thread;
    });

    app.delete("/threads/:thread_id", { schema: { params: OneThread } }, async (request) => {
      const scope = { ...request.caller, ...request.params };
      const deleted = await withTransaction(db, (tx) => threads.deleteThread(tx, scope));
      if (deleted === undefined) throw threadNotFound(scope.thread_id);
      if (deleted.active_run_id !== undefined) workflows.cancel(deleted.active_run_id);
      return { id: scope.thread_id, object: "thread.deleted", deleted: true };
    });
  };
