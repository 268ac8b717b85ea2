// The text of a document, cut into chunks. What is read is untrusted: that happens in a process of its own.
import { stat } from "node:fs/promises";
import { DOCUMENT_EXTENSIONS, extensionOf, findDocumentKind } from "../contract/document-types.ts";
import type { DocumentKind } from "../contract/document-types.ts";
import { MAX_DOCUMENT_BYTES, MAX_QUOTE_LENGTH } from "../contract/limits.ts";
import { PARSER_LIMITS } from "./parser-child.ts";
import type { ParserLimits } from "./parser-child.ts";
import { parseInProcess } from "./parser-process.ts";
import { unreadable, unsupported } from "./refusal.ts";
import { isSmallText, TextParsers } from "./text-parsers.ts";

const textParsers = new TextParsers();

export interface Chunk {
  index: number;
  text: string;
  tokens: number;
}

export interface Chunking {
  max_chunk_size_tokens: number;
  chunk_overlap_tokens: number;
}

export interface DocumentFile {
  /** Of a file on disk, which nobody changes meanwhile. */
  path: string;
  /** What the user calls it; its extension says how it is read. */
  filename: string;
  /** For a name without extension. */
  contentType?: string;
}

/**
 * Chunks of o200k_base tokens, as they are read: the next one is made while this one is used, not further ahead.
 * Throws `DocumentRefused` when the document is at fault, before the first chunk or after any. Throws the reason of
 * `signal` when that says stop. Anything else that is thrown (no such file, a process that was killed) may pass by itself.
 */
export async function* readChunks(
  document: DocumentFile,
  chunking: Chunking,
  signal: AbortSignal,
  limits: ParserLimits = PARSER_LIMITS,
): AsyncGenerator<Chunk> {
  signal.throwIfAborted();
  const kind = kindOf(document);
  const { size } = await stat(document.path);
  if (size === 0) throw unreadable("it is empty");
  if (size > MAX_DOCUMENT_BYTES) {
    throw unreadable(`it is too large: it has ${size} bytes, and at most ${MAX_DOCUMENT_BYTES} are read`);
  }
  const parsing = { path: document.path, kind, ...chunking };
  const isShared = limits === PARSER_LIMITS && (await isSmallText(parsing));
  yield* isShared ? textParsers.parse(parsing, signal) : parseInProcess(parsing, signal, limits);
}

function kindOf({ filename, contentType }: DocumentFile): DocumentKind {
  const kind = findDocumentKind(filename, contentType);
  if (kind !== null) return kind;
  const extension = extensionOf(filename).slice(0, MAX_QUOTE_LENGTH);
  const accepted = `These are: ${DOCUMENT_EXTENSIONS.join(", ")}.`;
  if (extension === "") throw unsupported(`Files without an extension are not supported for retrieval. ${accepted}`);
  throw unsupported(`Files with extensions [${extension}] are not supported for retrieval. ${accepted}`);
}
