// /v1/uploads: files that come in parts, in any order and side by side. A part is a blob of its own until they are joined.
import { createHash } from "node:crypto";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { BlobNotFound, newBlobKey } from "../../blobs/blobs.ts";
import type { Blobs } from "../../blobs/blobs.ts";
import {
  ApiError,
  arrayTooLong,
  duplicatePart,
  uploadHashMismatch,
  uploadIsOver,
  uploadNotFound,
  uploadPartNotFound,
  uploadSizeMismatch,
} from "../../contract/errors.ts";
import { newId } from "../../contract/ids.ts";
import { MAX_UPLOAD_PART_BYTES, MAX_UPLOAD_PARTS } from "../../contract/limits.ts";
import { AnyId } from "../../contract/references.ts";
import { AddUploadPart, CompleteUpload, CreateUpload, Upload, UploadPart } from "../../contract/upload.ts";
import { parse } from "../../contract/validation.ts";
import { insertFile } from "../../db/files.ts";
import type { NewFile } from "../../db/files.ts";
import type { Queryable } from "../../db/pool.ts";
import type { UploadScope } from "../../db/scope.ts";
import * as uploads from "../../db/uploads.ts";
import { acceptForms } from "../accept-forms.ts";
import { commit } from "../commit.ts";
import type { Deps } from "../deps.ts";
import { discard, withNewBlobs } from "../new-blob.ts";
import { receiveFile } from "../receive-file.ts";

const OneUpload = z.object({ upload_id: AnyId });
const tags = ["Uploads"];

export const uploadRoutes =
  ({ db, blobs }: Deps): FastifyPluginAsyncZod =>
  async (app) => {
    app.register(addPartRoute({ db, blobs }));

    app.post(
      "/uploads",
      { schema: { tags, summary: "Create an upload", body: CreateUpload, response: { 200: Upload } } },
      async (request) => commit(db, request, (tx) => uploads.insertUpload(tx, { ...request.caller, ...request.body })),
    );

    app.post(
      "/uploads/:upload_id/complete",
      {
        schema: {
          tags,
          summary: "Complete an upload",
          params: OneUpload,
          body: CompleteUpload,
          response: { 200: Upload },
        },
        // Joining the parts of 8 GB takes its time.
        config: { takesFiles: true },
      },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        // Before the transaction, which must stay short. Refusals wait for it: the request may be a repeated one.
        const joined = await join(db, blobs, scope, request.body).catch(asRefusal);
        let leftovers: string[] = [];
        const keys = "file" in joined ? [joined.file.blob] : [];
        const isItsOwn = ({ file }: Upload) => "file" in joined && file?.id === joined.file.id;
        const complete = () =>
          commit(db, request, async (tx): Promise<Upload> => {
            await requireOpen(tx, scope, joined);
            if ("refusal" in joined) throw joined.refusal;
            leftovers = await uploads.endUpload(tx, scope, "completed");
            const file = await insertFile(tx, joined.file);
            return { ...joined.upload, status: "completed", file };
          });
        const upload = await withNewBlobs(request, { blobs, keys }, complete, isItsOwn);
        if (isItsOwn(upload)) await discard(request, blobs, leftovers);
        return upload;
      },
    );

    app.post(
      "/uploads/:upload_id/cancel",
      { schema: { tags, summary: "Cancel an upload", params: OneUpload, response: { 200: Upload } } },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        let leftovers: string[] = [];
        const upload = await commit(db, request, async (tx) => {
          const found = await requirePending(tx, scope, "update");
          leftovers = await uploads.endUpload(tx, scope, "cancelled");
          return { ...toUpload(found), status: "cancelled" as const };
        });
        await discard(request, blobs, leftovers);
        return upload;
      },
    );
  };

const addPartRoute =
  ({ db, blobs }: Pick<Deps, "db" | "blobs">): FastifyPluginAsyncZod =>
  async (app) => {
    await acceptForms(app);
    app.post(
      "/uploads/:upload_id/parts",
      {
        schema: {
          tags,
          summary: "Add a part to an upload",
          consumes: ["multipart/form-data"],
          params: OneUpload,
          body: AddUploadPart,
          response: { 200: UploadPart },
        },
        // Only described: the form is read by the handler.
        validatorCompiler: () => (value: unknown) => ({ value }),
        config: { takesFiles: true },
      },
      async (request) => {
        const scope = { ...request.caller, ...parse(OneUpload, request.params) };
        // A look ahead, so that what cannot be taken is not stored first.
        await requirePending(db, scope);
        const { file, fields } = await receiveFile(request, { blobs, param: "data", maxBytes: MAX_UPLOAD_PART_BYTES });
        const id = newId("part_");
        const store = async () => {
          parse(z.strictObject({}), fields);
          request.body = { sha256: file.sha256.toString("hex") } as never; // what a repeated request is compared by
          return commit(db, request, async (tx) => {
            await requirePending(tx, scope, "share");
            const count = await uploads.countParts(tx, scope);
            if (count >= MAX_UPLOAD_PARTS) throw arrayTooLong("parts", MAX_UPLOAD_PARTS, count + 1);
            return uploads.insertPart(tx, scope, { id, bytes: file.bytes, blob: file.blob });
          });
        };
        return withNewBlobs(request, { blobs, keys: [file.blob] }, store, (part) => part.id === id);
      },
    );
  };

/** Throws 404 when it is not there, and 400 when it takes nothing any more. */
async function requirePending(
  db: Queryable,
  scope: UploadScope,
  lock?: "share" | "update",
): Promise<uploads.StoredUpload> {
  const upload = await uploads.findUpload(db, scope, lock);
  if (upload === undefined) throw uploadNotFound(scope.upload_id);
  if (upload.status !== "pending") throw uploadIsOver(scope.upload_id, upload.status);
  return upload;
}

interface Joined {
  upload: Upload;
  file: NewFile;
}

/** Joins the parts to one durable blob. Throws when the upload is not pending or the parts are not what they should be. */
async function join(db: Queryable, blobs: Blobs, scope: UploadScope, body: CompleteUpload): Promise<Joined> {
  const upload = await requirePending(db, scope);
  const parts = chooseParts(await uploads.readParts(db, scope), scope, body);
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  if (bytes !== upload.bytes) throw uploadSizeMismatch(upload.bytes, bytes);
  const md5 = createHash("md5");
  async function* content(): AsyncGenerator<Uint8Array> {
    for (const { blob } of parts) {
      for await (const chunk of await blobs.read(blob)) {
        md5.update(chunk as Uint8Array);
        yield chunk as Uint8Array;
      }
    }
  }
  const blob = newBlobKey();
  const written = await blobs.write(blob, content());
  if (body.md5 && md5.digest("hex") !== body.md5.toLowerCase()) {
    await blobs.delete(blob);
    throw uploadHashMismatch();
  }
  const { filename, purpose, content_type, file_expires_after_seconds: expires_after_seconds } = upload;
  const { project_id } = scope;
  return {
    upload: toUpload(upload),
    file: { id: newId("file-"), project_id, filename, purpose, content_type, expires_after_seconds, blob, ...written },
  };
}

/** In the order that the client says. Others, which it has sent and does not name, are left out. */
function chooseParts(
  stored: Map<string, uploads.StoredPart>,
  { upload_id }: UploadScope,
  { part_ids }: CompleteUpload,
): uploads.StoredPart[] {
  const seen = new Set<string>();
  return part_ids.map((id) => {
    const part = stored.get(id);
    if (part === undefined) throw uploadPartNotFound(id, upload_id);
    if (seen.has(id)) throw duplicatePart(id);
    seen.add(id);
    return part;
  });
}

/** A part may also go while it is read, because somebody else was faster. */
function asRefusal(error: unknown): { refusal: unknown } {
  if (error instanceof ApiError || error instanceof BlobNotFound) return { refusal: error };
  throw error;
}

/** Holds the upload. Its time may run out while its parts are joined: what was begun in time is done. */
async function requireOpen(tx: Queryable, scope: UploadScope, joined: Joined | { refusal: unknown }): Promise<void> {
  const upload = await uploads.findUpload(tx, scope, "update");
  if (upload === undefined) throw uploadNotFound(scope.upload_id);
  const isOpen = upload.status === "pending" || (upload.status === "expired" && "file" in joined);
  if (!isOpen) throw uploadIsOver(scope.upload_id, upload.status);
}

/** Without what clients do not see. */
function toUpload(stored: uploads.StoredUpload): Upload {
  const { id, object, bytes, created_at, filename, purpose, status, expires_at, file } = stored;
  return { id, object, bytes, created_at, filename, purpose, status, expires_at, file };
}
