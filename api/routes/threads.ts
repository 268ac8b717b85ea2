// /v1/threads
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { deletedOf } from "../../contract/deleted.ts";
import { threadNotFound } from "../../contract/errors.ts";
import { ThreadId } from "../../contract/references.ts";
import { storeToMake } from "../../contract/tool-resources.ts";
import type { ApiVersion } from "../../contract/version.ts";
import { withTransaction } from "../../db/pool.ts";
import type { ThreadScope } from "../../db/scope.ts";
import * as threads from "../../db/threads.ts";
import { commit } from "../commit.ts";
import type { Deps } from "../deps.ts";
import { holdFiles } from "../hold-files.ts";
import { bringFiles, prepareMessages } from "../new-messages.ts";

const OneThread = z.object({ thread_id: ThreadId });
const tags = ["Threads"];

export const threadRoutes =
  ({ db, workflows, ingests }: Deps, version: ApiVersion): FastifyPluginAsyncZod =>
  async (app) => {
    app.post(
      "/threads",
      { schema: { tags, summary: "Create a thread", body: version.CreateThread, response: { 200: version.Thread } } },
      async (request) => {
        const messages = await prepareMessages(request.body.messages, version);
        const thread = { ...request.body, ...request.caller, messages };
        const made = await commit(db, request, async (tx) => {
          const refuse = await holdFiles(tx, request.caller, thread);
          refuse();
          return threads.insertThread(tx, thread);
        });
        if (storeToMake(thread.tool_resources) !== undefined || bringFiles(messages)) ingests.look();
        return made;
      },
    );

    app.get(
      "/threads/:thread_id",
      { schema: { tags, summary: "Retrieve a thread", params: OneThread, response: { 200: version.Thread } } },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        return (await threads.findThread(db, scope)) ?? missing(scope);
      },
    );

    app.post(
      "/threads/:thread_id",
      {
        schema: {
          tags,
          summary: "Modify a thread",
          params: OneThread,
          body: version.ModifyThread,
          response: { 200: version.Thread },
        },
      },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        return commit(db, request, async (tx) => {
          const refuse = await holdFiles(tx, request.caller, request.body);
          const thread = (await threads.updateThread(tx, scope, request.body)) ?? missing(scope);
          refuse();
          return thread;
        });
      },
    );

    app.delete(
      "/threads/:thread_id",
      {
        schema: {
          tags,
          summary: "Delete a thread with its messages and runs",
          params: OneThread,
          response: { 200: deletedOf("thread.deleted") },
        },
      },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        const deleted = await withTransaction(db, (tx) => threads.deleteThread(tx, scope));
        if (deleted === undefined) return missing(scope);
        if (deleted.active_run_id !== undefined) workflows.cancel(deleted.active_run_id);
        return { id: scope.thread_id, object: "thread.deleted" as const, deleted: true as const };
      },
    );
  };

function missing({ thread_id }: ThreadScope): never {
  throw threadNotFound(thread_id);
}
