// Files: what a client may send and what it reads. The contents are streams, and not described here.
import { z } from "zod";
import { unknownPurpose } from "./errors.ts";
import {
  MAX_FILE_LIFETIME_SECONDS,
  MAX_FILENAME_LENGTH,
  MAX_FILES_PAGE_SIZE,
  MIN_FILE_LIFETIME_SECONDS,
} from "./limits.ts";
import { numeric, PageQuery } from "./list.ts";
import { AnyId } from "./references.ts";
import { text } from "./text.ts";

/** What a client may upload a file for. The order is that of the error for any other. */
const PURPOSES = ["fine-tune", "assistants", "batch", "user_data", "vision", "evals"] as const;

/** What files are for that the server has made. */
const MADE_FOR = ["assistants_output", "batch_output", "fine-tune-results"] as const;

/** What clients have sent in but may not get out again, unless the server is told otherwise. */
const KEPT_IN: readonly string[] = ["assistants", "user_data"];

export function isDownloadable(purpose: string): boolean {
  return !KEPT_IN.includes(purpose);
}

const FilePurpose = z
  .string()
  .superRefine((purpose, context) => {
    if ((PURPOSES as readonly string[]).includes(purpose)) return;
    context.addIssue({ code: "custom", message: unknownPurpose(purpose, PURPOSES), params: { code: null } });
  })
  .meta({ enum: [...PURPOSES] });

export const FileExpiry = z.strictObject({
  anchor: z.literal("created_at"),
  seconds: z.preprocess(numeric, z.int().min(MIN_FILE_LIFETIME_SECONDS).max(MAX_FILE_LIFETIME_SECONDS)).meta({
    type: "integer",
    minimum: MIN_FILE_LIFETIME_SECONDS,
    maximum: MAX_FILE_LIFETIME_SECONDS,
  }),
});

export const Filename = text({ min: 1, max: MAX_FILENAME_LENGTH });

/** The form as documents describe it. */
export const CreateFile = z.strictObject({
  purpose: FilePurpose,
  expires_after: FileExpiry.optional(),
  file: z.string().meta({ format: "binary", contentMediaType: "application/octet-stream" }),
});

export const ListFilesQuery = PageQuery.omit({ before: true }).extend({
  limit: z
    .preprocess(numeric, z.int().min(1).max(MAX_FILES_PAGE_SIZE).default(MAX_FILES_PAGE_SIZE))
    .meta({ type: "integer", minimum: 1, maximum: MAX_FILES_PAGE_SIZE, default: MAX_FILES_PAGE_SIZE }),
  /** Any text: there are no files of a purpose that nobody knows. */
  purpose: AnyId.transform((purpose) => (purpose === "" ? undefined : purpose)).optional(),
});
export type ListFilesQuery = z.infer<typeof ListFilesQuery>;

export const FileObject = z
  .strictObject({
    id: z.string(),
    object: z.literal("file"),
    purpose: z.enum([...PURPOSES, ...MADE_FOR]),
    filename: z.string(),
    bytes: z.int(),
    created_at: z.int(),
    expires_at: z.int().nullable(),
    status: z.enum(["uploaded", "processed", "error"]),
    status_details: z.string().nullable(),
  })
  .meta({ id: "File" });
export type FileObject = z.infer<typeof FileObject>;
