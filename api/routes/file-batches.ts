// /v1/vector_stores/{vector_store_id}/file_batches
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { POLL_AFTER_MS } from "../../contract/limits.ts";
import { listOf, toList } from "../../contract/list.ts";
import { AnyId } from "../../contract/references.ts";
import {
  CreateFileBatch,
  FileBatch,
  ListStoreFilesQuery,
  toBatchFiles,
  VectorStoreFile,
} from "../../contract/vector-store-file.ts";
import { cancelBatch, requireBatch } from "../../db/file-batches.ts";
import { addBatch } from "../../db/store-files-added.ts";
import { listBatchFiles } from "../../db/vector-store-files.ts";
import { commit } from "../commit.ts";
import type { Deps } from "../deps.ts";
import { OneStore } from "./vector-stores.ts";

const OneBatch = OneStore.extend({ batch_id: AnyId });
const tags = ["Vector store file batches"];

export const fileBatchRoutes =
  ({ db, ingests }: Deps): FastifyPluginAsyncZod =>
  async (app) => {
    app.post(
      "/vector_stores/:vector_store_id/file_batches",
      {
        schema: {
          tags,
          summary: "Add files to a vector store",
          params: OneStore,
          body: CreateFileBatch,
          response: { 200: FileBatch },
        },
      },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        const files = toBatchFiles(request.body);
        const batch = await commit(db, request, async (tx) => requireBatch(tx, await addBatch(tx, scope, files)));
        ingests.look();
        return batch;
      },
    );

    app.get(
      "/vector_stores/:vector_store_id/file_batches/:batch_id",
      { schema: { tags, summary: "Retrieve a file batch", params: OneBatch, response: { 200: FileBatch } } },
      async (request, reply) => {
        const batch = await requireBatch(db, { ...request.caller, ...request.params });
        reply.header("openai-poll-after-ms", POLL_AFTER_MS);
        return batch;
      },
    );

    app.post(
      "/vector_stores/:vector_store_id/file_batches/:batch_id/cancel",
      { schema: { tags, summary: "Cancel a file batch", params: OneBatch, response: { 200: FileBatch } } },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        const { batch, cancelled } = await commit(db, request, async (tx) => {
          const files = await cancelBatch(tx, scope);
          return { batch: await requireBatch(tx, scope), cancelled: files };
        });
        ingests.cancel(cancelled);
        return batch;
      },
    );

    app.get(
      "/vector_stores/:vector_store_id/file_batches/:batch_id/files",
      {
        schema: {
          tags,
          summary: "List the files of a batch",
          params: OneBatch,
          querystring: ListStoreFilesQuery,
          response: { 200: listOf(VectorStoreFile) },
        },
      },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        await requireBatch(db, scope);
        return toList(await listBatchFiles(db, scope, request.query));
      },
    );
  };
