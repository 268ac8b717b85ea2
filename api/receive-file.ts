// Takes a multipart form with one file in it. The file goes to the blob store as it comes, so it is never whole in memory,
// and its blob is durable before anything else is decided. The parts of the form come in any order.
import type { Multipart } from "@fastify/multipart";
import type { FastifyRequest } from "fastify";
import { BlobsUnavailable, newBlobKey } from "../blobs/blobs.ts";
import type { Blobs, WrittenBlob } from "../blobs/blobs.ts";
import {
  ApiError,
  brokenForm,
  fileIsEmpty,
  fileTooLarge,
  missingParameter,
  notAFile,
  onlyOneFile,
  shorten,
  unknownParameter,
  unsupportedMediaType,
} from "../contract/errors.ts";
import { MAX_FORM_FIELD_BYTES, MAX_FORM_FIELDS } from "../contract/limits.ts";
import { countPassed } from "./collect-buffers.ts";
import { discard } from "./new-blob.ts";

/** What comes around the file: boundaries, headers, fields. Enough for all that is allowed. */
const MAX_FORM_OVERHEAD = 1024 * 1024;

export interface FormOptions {
  blobs: Blobs;
  /** Name of the part that is the file. */
  param: string;
  maxBytes: number;
  /** Looks at the fields that have come before the file, so that a wrong one is refused before the file is stored. */
  check?(fields: Fields): void;
}

/** The text fields of a form, `a[b]` as an object. */
export type Fields = Record<string, unknown>;

export interface ReceivedFile extends WrittenBlob {
  /** Key of the blob, which belongs to the caller now. */
  blob: string;
  filename: string;
  /** As the client says. */
  content_type: string;
}

/**
 * Resolves when the form has come whole and its file is durable. Throws (400, 413, 415) and leaves nothing in the store
 * when there is anything wrong with the form, or it breaks off.
 */
export async function receiveFile(
  request: FastifyRequest,
  options: FormOptions,
): Promise<{ file: ReceivedFile; fields: Fields }> {
  const { blobs, param, maxBytes } = options;
  const contentType = request.headers["content-type"];
  if (!request.isMultipart()) throw unsupportedMediaType(contentType ?? "", "multipart/form-data");
  if (Number(request.headers["content-length"]) > maxBytes + MAX_FORM_OVERHEAD) throw fileTooLarge(param, maxBytes);
  const fields: Fields = {};
  let file: ReceivedFile | undefined;
  try {
    for await (const part of partsOf(request)) {
      if (part.type === "field") {
        addField(fields, part);
        continue;
      }
      if (part.fieldname !== param) throw unknownParameter(shorten(toStorable(part.fieldname)));
      if (file !== undefined) throw onlyOneFile(param);
      options.check?.(fields);
      file = await store(part, options);
    }
    if (param in fields) throw notAFile(param);
    if (file === undefined) throw missingParameter(param);
    if (file.bytes === 0) throw fileIsEmpty(param);
    return { file, fields };
  } catch (error) {
    if (file !== undefined) await discard(request, blobs, [file.blob]);
    if (error instanceof ApiError || error instanceof BlobsUnavailable) throw error;
    request.log.info({ err: error }, "a form could not be read");
    throw brokenForm();
  }
}

function partsOf(request: FastifyRequest): AsyncIterable<Multipart> {
  return request.parts({
    limits: {
      fields: MAX_FORM_FIELDS,
      fieldSize: MAX_FORM_FIELD_BYTES,
      parts: MAX_FORM_FIELDS + 1,
      fileSize: Number.POSITIVE_INFINITY, // counted below, where the answer can be ours
    },
  });
}

async function store(
  part: Multipart & { type: "file" },
  { blobs, param, maxBytes }: FormOptions,
): Promise<ReceivedFile> {
  const blob = newBlobKey();
  const written = await blobs.write(
    blob,
    limit(part.file, () => fileTooLarge(param, maxBytes), maxBytes),
  );
  return { ...written, blob, filename: toStorable(part.filename ?? ""), content_type: toStorable(part.mimetype ?? "") };
}

async function* limit(
  source: AsyncIterable<Uint8Array>,
  tooLarge: () => ApiError,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  let left = maxBytes;
  for await (const chunk of source) {
    left -= chunk.byteLength;
    if (left < 0) throw tooLarge();
    countPassed(chunk.byteLength);
    yield chunk;
  }
}

/** `a[b]` means the field b of the object a. */
function addField(fields: Fields, { fieldname, value, valueTruncated }: Multipart & { type: "field" }): void {
  if (valueTruncated) throw brokenForm();
  const [, name = fieldname, inner] = /^([^[\]]+)\[([^[\]]+)\]$/.exec(fieldname) ?? [];
  const text = typeof value === "string" ? toStorable(value) : value;
  if (inner === undefined) return define(fields, name, text);
  const object = Object.hasOwn(fields, name) ? fields[name] : {};
  if (typeof object !== "object" || object === null) throw brokenForm();
  define(object, inner, text);
  define(fields, name, object);
}

/** Plain assignment would call the setter of `__proto__`. */
function define(container: object, name: string, value: unknown): void {
  Object.defineProperty(container, name, { value, writable: true, enumerable: true, configurable: true });
}

/** Postgres takes neither NUL nor halves of surrogate pairs. */
function toStorable(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\uFFFD");
}
