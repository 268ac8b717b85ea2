// Uploads: files that come in parts, because they are large or the connection is bad.
import { z } from "zod";
import { FileExpiry, Filename, FileObject } from "./file.ts";
import { MAX_MIME_TYPE_LENGTH, MAX_UPLOAD_BYTES, MAX_UPLOAD_PARTS } from "./limits.ts";
import { AnyId } from "./references.ts";
import { text } from "./text.ts";

const UploadPurpose = z.enum(["assistants", "batch", "fine-tune", "vision"]);

export const CreateUpload = z.strictObject({
  purpose: UploadPurpose,
  filename: Filename,
  bytes: z.int().min(1).max(MAX_UPLOAD_BYTES),
  mime_type: text({ min: 1, max: MAX_MIME_TYPE_LENGTH }),
  expires_after: FileExpiry.nullish(),
});
export type CreateUpload = z.infer<typeof CreateUpload>;

/** The form as documents describe it. */
export const AddUploadPart = z.strictObject({
  data: z.string().meta({ format: "binary", contentMediaType: "application/octet-stream" }),
});

export const CompleteUpload = z.strictObject({
  /** In the order of the file. */
  part_ids: z.array(AnyId).min(1).max(MAX_UPLOAD_PARTS),
  md5: z.string().nullish(),
});
export type CompleteUpload = z.infer<typeof CompleteUpload>;

export const Upload = z
  .strictObject({
    id: z.string(),
    object: z.literal("upload"),
    bytes: z.int(),
    created_at: z.int(),
    filename: z.string(),
    purpose: UploadPurpose,
    status: z.enum(["pending", "completed", "cancelled", "expired"]),
    expires_at: z.int(),
    file: FileObject.nullable(),
  })
  .meta({ id: "Upload" });
export type Upload = z.infer<typeof Upload>;

export const UploadPart = z
  .strictObject({
    id: z.string(),
    object: z.literal("upload.part"),
    created_at: z.int(),
    upload_id: z.string(),
  })
  .meta({ id: "UploadPart" });
export type UploadPart = z.infer<typeof UploadPart>;
