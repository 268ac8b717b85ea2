// /v1/files: the same in both versions of the API, and without the beta header.
import { create as contentDisposition } from "content-disposition";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { deletedOf } from "../../contract/deleted.ts";
import { downloadNotAllowed, fileNotFound } from "../../contract/errors.ts";
import { CreateFile, Filename, FileObject, isDownloadable, ListFilesQuery } from "../../contract/file.ts";
import { newId } from "../../contract/ids.ts";
import { MAX_FILE_BYTES } from "../../contract/limits.ts";
import { listOf, toList } from "../../contract/list.ts";
import { AnyId } from "../../contract/references.ts";
import { parse } from "../../contract/validation.ts";
import { deleteFile, findFile, findStoredFile, insertFile, listFiles } from "../../db/files.ts";
import { withTransaction } from "../../db/pool.ts";
import { findIngestsOfFile } from "../../db/vector-store-files.ts";
import { acceptForms } from "../accept-forms.ts";
import { countPassed } from "../collect-buffers.ts";
import { commit } from "../commit.ts";
import type { Deps } from "../deps.ts";
import { discard, withNewBlobs } from "../new-blob.ts";
import { receiveFile } from "../receive-file.ts";

const OneFile = z.object({ file_id: AnyId });
const Content = z.string().meta({ format: "binary" });
/** The fields of the form beside the file. */
const CreateFileFields = CreateFile.omit({ file: true });
/** What may have come before the file: a wrong purpose is refused before the file is stored. */
const EarlyFields = z.looseObject({ purpose: CreateFileFields.shape.purpose.optional() });
const tags = ["Files"];

export const fileRoutes =
  ({ db, blobs, files, ingests }: Deps): FastifyPluginAsyncZod =>
  async (app) => {
    app.register(createFileRoute({ db, blobs }));

    app.get(
      "/files",
      { schema: { tags, summary: "List files", querystring: ListFilesQuery, response: { 200: listOf(FileObject) } } },
      async (request) => toList(await listFiles(db, request.caller.project_id, request.query)),
    );

    app.get(
      "/files/:file_id",
      { schema: { tags, summary: "Retrieve a file", params: OneFile, response: { 200: FileObject } } },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        const file = await findFile(db, scope);
        if (file === undefined) throw fileNotFound(scope.file_id);
        return file;
      },
    );

    app.get(
      "/files/:file_id/content",
      {
        schema: {
          tags,
          summary: "Download a file",
          params: OneFile,
          response: { 200: { description: "The bytes", content: { "application/octet-stream": { schema: Content } } } },
        },
      },
      async (request, reply) => {
        const scope = { ...request.caller, ...request.params };
        const file = await findStoredFile(db, scope);
        if (file === undefined) throw fileNotFound(scope.file_id);
        if (!files.allowDownloads && !isDownloadable(file.purpose)) throw downloadNotAllowed(file.purpose);
        const content = await blobs.read(file.blob);
        content.on("data", (chunk: Uint8Array) => countPassed(chunk.byteLength)).pause();
        return reply
          .headers({
            "content-type": "application/octet-stream",
            "content-length": file.bytes,
            "content-disposition": contentDisposition(file.filename),
          })
          .send(content as never);
      },
    );

    app.delete(
      "/files/:file_id",
      {
        schema: {
          tags,
          summary: "Delete a file, wherever it is used",
          params: OneFile,
          response: { 200: deletedOf("file") },
        },
      },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        const [underWay, blob] = await withTransaction(db, async (tx) => [
          await findIngestsOfFile(tx, scope),
          await deleteFile(tx, scope),
        ]);
        if (blob === undefined) throw fileNotFound(scope.file_id);
        ingests.cancel(underWay);
        await discard(request, blobs, [blob]);
        return { id: scope.file_id, object: "file" as const, deleted: true as const };
      },
    );
  };

/** In a room of its own, where bodies are forms and nothing else. */
const createFileRoute =
  ({ db, blobs }: Pick<Deps, "db" | "blobs">): FastifyPluginAsyncZod =>
  async (app) => {
    await acceptForms(app);
    app.post(
      "/files",
      {
        // Only described: the form is read by the handler.
        schema: {
          tags,
          summary: "Upload a file",
          consumes: ["multipart/form-data"],
          body: CreateFile,
          response: { 200: FileObject },
        },
        validatorCompiler: () => (value: unknown) => ({ value }),
        config: { takesFiles: true },
      },
      async (request) => {
        const { file, fields } = await receiveFile(request, {
          blobs,
          param: "file",
          maxBytes: MAX_FILE_BYTES,
          check: (early) => void parse(EarlyFields, early),
        });
        const id = newId("file-");
        const store = async () => {
          const { purpose, expires_after } = parse(CreateFileFields, fields);
          const filename = parse(z.object({ file: Filename }), { file: file.filename }).file;
          // What a repeated request is compared by.
          request.body = {
            ...fields,
            filename,
            sha256: file.sha256.toString("hex"),
            content_type: file.content_type,
          } as never;
          const expires_after_seconds = expires_after?.seconds ?? null;
          return commit(db, request, (tx) =>
            insertFile(tx, { ...request.caller, ...file, id, purpose, filename, expires_after_seconds }),
          );
        };
        return withNewBlobs(request, { blobs, keys: [file.blob] }, store, (created) => created.id === id);
      },
    );
  };
