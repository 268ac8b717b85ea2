// /v1/vector_stores. They came with version 2 and need no beta header.
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { deletedOf } from "../../contract/deleted.ts";
import { vectorStoreNotFound } from "../../contract/errors.ts";
import { listOf, PageQuery, toList } from "../../contract/list.ts";
import { VectorStoreId } from "../../contract/references.ts";
import { toNewFile, eachOnce } from "../../contract/vector-store-file.ts";
import { CreateVectorStore, ModifyVectorStore, VectorStore } from "../../contract/vector-store.ts";
import { withTransaction } from "../../db/pool.ts";
import type { StoreScope } from "../../db/scope.ts";
import { addFiles, requireUsable } from "../../db/store-files-added.ts";
import { dropReferences } from "../../db/store-references.ts";
import { deleteStore, findIngests } from "../../db/vector-store-files.ts";
import { findStore, insertStore, listStores, updateStore } from "../../db/vector-stores.ts";
import { commit } from "../commit.ts";
import type { Deps } from "../deps.ts";

export const OneStore = z.object({ vector_store_id: VectorStoreId });
const tags = ["Vector stores"];

export const vectorStoreRoutes =
  ({ db, ingests }: Deps): FastifyPluginAsyncZod =>
  async (app) => {
    app.post(
      "/vector_stores",
      { schema: { tags, summary: "Create a vector store", body: CreateVectorStore, response: { 200: VectorStore } } },
      async (request) => {
        const { file_ids, chunking_strategy, ...settings } = request.body;
        const files = eachOnce((file_ids ?? []).map((file_id) => toNewFile({ file_id, chunking_strategy })));
        const store = await commit(db, request, async (tx) => {
          const scope = {
            ...request.caller,
            vector_store_id: await insertStore(tx, { ...settings, ...request.caller }),
          };
          await addFiles(tx, scope, files);
          return findStore(tx, scope);
        });
        if (files.length > 0) ingests.look();
        return store;
      },
    );

    app.get(
      "/vector_stores",
      {
        schema: { tags, summary: "List vector stores", querystring: PageQuery, response: { 200: listOf(VectorStore) } },
      },
      async (request) => toList(await listStores(db, request.caller.project_id, request.query)),
    );

    app.get(
      "/vector_stores/:vector_store_id",
      { schema: { tags, summary: "Retrieve a vector store", params: OneStore, response: { 200: VectorStore } } },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        return (await findStore(db, scope)) ?? missing(scope);
      },
    );

    app.post(
      "/vector_stores/:vector_store_id",
      {
        schema: {
          tags,
          summary: "Modify a vector store",
          params: OneStore,
          body: ModifyVectorStore,
          response: { 200: VectorStore },
        },
      },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        return commit(db, request, async (tx) => {
          await requireUsable(tx, scope);
          await updateStore(tx, scope, request.body);
          return findStore(tx, scope);
        });
      },
    );

    app.delete(
      "/vector_stores/:vector_store_id",
      {
        schema: {
          tags,
          summary: "Delete a vector store; its files stay",
          params: OneStore,
          response: { 200: deletedOf("vector_store.deleted") },
        },
      },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        const underWay = await withTransaction(db, async (tx) => {
          const files = await findIngests(tx, scope);
          // What names the store is locked before the store, as everywhere.
          await dropReferences(tx, scope);
          if (!(await deleteStore(tx, scope))) return missing(scope);
          return files;
        });
        // Again for what has named the store meanwhile.
        await dropReferences(db, scope);
        ingests.cancel(underWay);
        return { id: scope.vector_store_id, object: "vector_store.deleted" as const, deleted: true as const };
      },
    );
  };

function missing({ vector_store_id }: StoreScope): never {
  throw vectorStoreNotFound(vector_store_id);
}
