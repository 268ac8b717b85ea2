// /v1/vector_stores/{vector_store_id}/files
import { Readable } from "node:stream";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { deletedOf } from "../../contract/deleted.ts";
import { vectorStoreNotFound } from "../../contract/errors.ts";
import { POLL_AFTER_MS } from "../../contract/limits.ts";
import { listOf, toList } from "../../contract/list.ts";
import { FileId } from "../../contract/references.ts";
import {
  CreateVectorStoreFile,
  FileContentPage,
  ListStoreFilesQuery,
  ModifyVectorStoreFile,
  toNewFile,
  VectorStoreFile,
} from "../../contract/vector-store-file.ts";
import { readTexts } from "../../db/file-chunks.ts";
import type { StoreFileScope } from "../../db/scope.ts";
import type { Pool } from "../../db/pool.ts";
import { addFiles } from "../../db/store-files-added.ts";
import {
  listStoreFiles,
  missingStoreFile,
  removeStoreFile,
  requireStoreFile,
  setAttributes,
} from "../../db/vector-store-files.ts";
import { findStoreStanding } from "../../db/vector-stores.ts";
import { commit } from "../commit.ts";
import type { Deps } from "../deps.ts";
import { OneStore } from "./vector-stores.ts";

const OneFile = OneStore.extend({ file_id: FileId });
const tags = ["Vector store files"];

export const vectorStoreFileRoutes =
  ({ db, ingests }: Deps): FastifyPluginAsyncZod =>
  async (app) => {
    app.post(
      "/vector_stores/:vector_store_id/files",
      {
        schema: {
          tags,
          summary: "Add a file to a vector store",
          params: OneStore,
          body: CreateVectorStoreFile,
          response: { 200: VectorStoreFile },
        },
      },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        const file = await commit(db, request, async (tx) => {
          await addFiles(tx, scope, [toNewFile(request.body)]);
          return requireStoreFile(tx, { ...scope, file_id: request.body.file_id });
        });
        ingests.look();
        return file;
      },
    );

    app.get(
      "/vector_stores/:vector_store_id/files",
      {
        schema: {
          tags,
          summary: "List the files of a vector store",
          params: OneStore,
          querystring: ListStoreFilesQuery,
          response: { 200: listOf(VectorStoreFile) },
        },
      },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        if ((await findStoreStanding(db, scope)) === undefined) throw vectorStoreNotFound(scope.vector_store_id);
        return toList(await listStoreFiles(db, scope, request.query));
      },
    );

    app.get(
      "/vector_stores/:vector_store_id/files/:file_id",
      {
        schema: {
          tags,
          summary: "Retrieve a file of a vector store",
          params: OneFile,
          response: { 200: VectorStoreFile },
        },
      },
      async (request, reply) => {
        const file = await requireStoreFile(db, { ...request.caller, ...request.params });
        reply.header("openai-poll-after-ms", POLL_AFTER_MS);
        return file;
      },
    );

    app.post(
      "/vector_stores/:vector_store_id/files/:file_id",
      {
        schema: {
          tags,
          summary: "Replace the attributes of a file in a vector store",
          params: OneFile,
          body: ModifyVectorStoreFile,
          response: { 200: VectorStoreFile },
        },
      },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        const attributes = request.body.attributes ?? {};
        return commit(
          db,
          request,
          async (tx) => (await setAttributes(tx, scope, attributes)) ?? (await missingStoreFile(tx, scope)),
        );
      },
    );

    app.delete(
      "/vector_stores/:vector_store_id/files/:file_id",
      {
        schema: {
          tags,
          summary: "Take a file out of a vector store; the file itself stays",
          params: OneFile,
          response: { 200: deletedOf("vector_store.file.deleted") },
        },
      },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        const entry = await removeStoreFile(db, scope);
        if (entry === undefined) return missingStoreFile(db, scope);
        ingests.cancel([entry]);
        return { id: scope.file_id, object: "vector_store.file.deleted" as const, deleted: true as const };
      },
    );

    app.get(
      "/vector_stores/:vector_store_id/files/:file_id/content",
      {
        schema: {
          tags,
          summary: "Read the text of a file in a vector store",
          params: OneFile,
          response: { 200: FileContentPage },
        },
      },
      async (request, reply) => {
        const scope = { ...request.caller, ...request.params };
        await requireStoreFile(db, scope);
        // A text may be large: it is never held as a whole.
        return reply.type("application/json; charset=utf-8").send(Readable.from(writePage(db, scope)) as never);
      },
    );
  };

/** A `FileContentPage` as JSON, piece by piece. */
async function* writePage(db: Pool, scope: StoreFileScope): AsyncGenerator<string> {
  yield '{"object":"vector_store.file_content.page","data":[';
  let isFirst = true;
  for await (const texts of readTexts(db, scope)) {
    const items = texts.map((text) => JSON.stringify({ type: "text", text })).join(",");
    yield isFirst ? items : `,${items}`;
    isFirst = false;
  }
  yield '],"has_more":false,"next_page":null}';
}
