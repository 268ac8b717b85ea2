// Messages of a thread: what a client may send and what it reads.
import { z } from "zod";
import { MAX_ATTACHMENTS, MAX_CONTENT_LENGTH, MAX_CONTENT_PARTS } from "./limits.ts";
import { PageQuery } from "./list.ts";
import { Metadata } from "./metadata.ts";
import { withDefault } from "./nullish.ts";
import { AnyId, FileId } from "./references.ts";
import { text } from "./text.ts";

const Detail = z.enum(["auto", "low", "high"]);

const TextInput = z.strictObject({
  type: z.literal("text"),
  text: text({ max: MAX_CONTENT_LENGTH }),
});
const ImageFileInput = z.strictObject({
  type: z.literal("image_file"),
  image_file: z.strictObject({
    file_id: FileId,
    detail: withDefault(Detail, "auto"),
  }),
});
const ImageUrlInput = z.strictObject({
  type: z.literal("image_url"),
  image_url: z.strictObject({
    url: z.string().regex(/^(https?:\/\/|data:image\/)/i),
    detail: withDefault(Detail, "auto"),
  }),
});
const ContentInput = z.union([
  text({ max: MAX_CONTENT_LENGTH }),
  z
    .array(z.discriminatedUnion("type", [TextInput, ImageFileInput, ImageUrlInput]))
    .min(1)
    .max(MAX_CONTENT_PARTS),
]);

const AttachmentTool = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("code_interpreter") }),
  z.strictObject({ type: z.literal("file_search") }),
]);
const AttachmentInput = z.strictObject({
  file_id: FileId,
  tools: withDefault(z.array(AttachmentTool), []),
});

export const CreateMessage = z.strictObject({
  role: z.enum(["user", "assistant"]),
  content: ContentInput,
  attachments: z.array(AttachmentInput).max(MAX_ATTACHMENTS).nullish(),
  metadata: Metadata.nullish(),
});
export type CreateMessage = z.infer<typeof CreateMessage>;

export const ModifyMessage = z.strictObject({ metadata: Metadata.nullish() });
export type ModifyMessage = z.infer<typeof ModifyMessage>;

export const ListMessagesQuery = PageQuery.extend({ run_id: AnyId.optional() });
export type ListMessagesQuery = z.infer<typeof ListMessagesQuery>;

export const FileCitation = z.strictObject({
  type: z.literal("file_citation"),
  text: z.string(),
  start_index: z.int(),
  end_index: z.int(),
  file_citation: z.strictObject({ file_id: z.string() }),
});
export const FilePath = z.strictObject({
  type: z.literal("file_path"),
  text: z.string(),
  start_index: z.int(),
  end_index: z.int(),
  file_path: z.strictObject({ file_id: z.string() }),
});

const Annotation = z.discriminatedUnion("type", [FileCitation, FilePath]);
export type Annotation = z.infer<typeof Annotation>;

export const ContentPart = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("text"),
    text: z.strictObject({
      value: z.string(),
      annotations: z.array(Annotation),
    }),
  }),
  z.strictObject({
    type: z.literal("image_file"),
    image_file: z.strictObject({ file_id: z.string(), detail: Detail.optional() }),
  }),
  z.strictObject({
    type: z.literal("image_url"),
    image_url: z.strictObject({ url: z.string(), detail: Detail.optional() }),
  }),
  z.strictObject({ type: z.literal("refusal"), refusal: z.string() }),
]);
export type ContentPart = z.infer<typeof ContentPart>;

const Attachment = z.strictObject({ file_id: z.string(), tools: z.array(AttachmentTool) });
export type Attachment = z.infer<typeof Attachment>;

export const MessageIncompleteReason = z.enum([
  "content_filter",
  "max_tokens",
  "run_cancelled",
  "run_expired",
  "run_failed",
]);
export type MessageIncompleteReason = z.infer<typeof MessageIncompleteReason>;

export const Message = z
  .strictObject({
    id: z.string(),
    object: z.literal("thread.message"),
    created_at: z.int(),
    assistant_id: z.string().nullable(),
    thread_id: z.string(),
    run_id: z.string().nullable(),
    status: z.enum(["in_progress", "incomplete", "completed"]),
    incomplete_details: z.strictObject({ reason: MessageIncompleteReason }).nullable(),
    incomplete_at: z.int().nullable(),
    completed_at: z.int().nullable(),
    role: z.enum(["user", "assistant"]),
    content: z.array(ContentPart),
    attachments: z.array(Attachment),
    metadata: Metadata,
  })
  .meta({ id: "Message" });
export type Message = z.infer<typeof Message>;

/** The stored form of what a client sent: a plain string becomes one text part. */
export function toContentParts(content: CreateMessage["content"]): ContentPart[] {
  if (typeof content === "string") return [textPart(content)];
  return content.map((part) => (part.type === "text" ? textPart(part.text) : part));
}

export function textPart(value: string): ContentPart {
  return { type: "text", text: { value, annotations: [] } };
}
