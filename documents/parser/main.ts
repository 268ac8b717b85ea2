// The process that parses one document: `main.ts PATH KIND MAX_CHUNK_TOKENS OVERLAP_TOKENS`. Writes a line of JSON for each
// chunk, then how many there were, or why the document is refused.
import type { DocumentKind } from "../../contract/document-types.ts";
import { openDocument } from "./document.ts";
import { becomeParser, tellChunks } from "./parse.ts";

const [path = "", kind = "text", max, overlap] = process.argv.slice(2);
becomeParser();
await tellChunks(() => openDocument(path, kind as DocumentKind), {
  max_chunk_size_tokens: Number(max),
  chunk_overlap_tokens: Number(overlap),
});
process.exit();
