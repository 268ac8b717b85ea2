// The types of files that File Search reads: OpenAI's list, by extension and by media type.

/** What has to be done to get at the text. */
export type DocumentKind = "text" | "html" | "pdf" | "docx" | "pptx" | "doc";

const KINDS: Readonly<Record<string, DocumentKind>> = {
  ".c": "text",
  ".cpp": "text",
  ".cs": "text",
  ".css": "text",
  ".doc": "doc",
  ".docx": "docx",
  ".go": "text",
  ".html": "html",
  ".java": "text",
  ".js": "text",
  ".json": "text",
  ".md": "text",
  ".pdf": "pdf",
  ".php": "text",
  ".pptx": "pptx",
  ".py": "text",
  ".rb": "text",
  ".sh": "text",
  ".tex": "text",
  ".ts": "text",
  ".txt": "text",
};

/** For files whose name has no extension. */
const KINDS_BY_MEDIA_TYPE: Readonly<Record<string, DocumentKind>> = {
  "application/json": "text",
  "application/msword": "doc",
  "application/pdf": "pdf",
  "application/typescript": "text",
  "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
  "application/x-sh": "text",
  "text/css": "text",
  "text/html": "html",
  "text/javascript": "text",
  "text/markdown": "text",
  "text/plain": "text",
  "text/x-c": "text",
  "text/x-c++": "text",
  "text/x-csharp": "text",
  "text/x-java": "text",
  "text/x-php": "text",
  "text/x-python": "text",
  "text/x-ruby": "text",
  "text/x-script.python": "text",
  "text/x-tex": "text",
};

export const DOCUMENT_EXTENSIONS: readonly string[] = Object.keys(KINDS);

/** What a file says that it is: by its extension, or by its media type when its name has none. Null when neither is read. */
export function findDocumentKind(filename: string, contentType?: string): DocumentKind | null {
  const extension = extensionOf(filename);
  if (extension !== "") return Object.hasOwn(KINDS, extension) ? (KINDS[extension] ?? null) : null;
  const mediaType = contentType?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  return Object.hasOwn(KINDS_BY_MEDIA_TYPE, mediaType) ? (KINDS_BY_MEDIA_TYPE[mediaType] ?? null) : null;
}

/** The last extension of a name in lower case, with its dot; empty when there is none. */
export function extensionOf(filename: string): string {
  const name = filename.slice(Math.max(filename.lastIndexOf("/"), filename.lastIndexOf("\\")) + 1);
  const dot = name.lastIndexOf(".");
  return dot <= 0 || dot === name.length - 1 ? "" : name.slice(dot).toLowerCase();
}
