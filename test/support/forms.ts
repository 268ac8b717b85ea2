// Multipart forms by hand, for tests that send what no client would.

export interface FormPart {
  name: string;
  /** Makes the part a file. As it is written into the header. */
  filename?: string;
  type?: string;
  content: string | Uint8Array;
}

const BOUNDARY = "----a-boundary-of-the-tests";

/** The content type that says where the parts end. */
export const FORM_TYPE = `multipart/form-data; boundary=${BOUNDARY}`;

export function formOf(parts: readonly FormPart[]): Buffer {
  const pieces = parts.flatMap(({ name, filename, type, content }) => [
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${filename === undefined ? "" : `; filename="${filename}"`}\r\n`,
    type === undefined ? "\r\n" : `Content-Type: ${type}\r\n\r\n`,
    content,
    "\r\n",
  ]);
  return Buffer.concat([...pieces, `--${BOUNDARY}--\r\n`].map((piece) => Buffer.from(piece)));
}

/** The form of a file, and what its fields are. */
export function fileForm(
  content: string | Uint8Array,
  fields: Record<string, string> = {},
  filename = "notes.txt",
): Buffer {
  const all = { purpose: "assistants", ...fields };
  return formOf([
    ...Object.entries(all).map(([name, value]) => ({ name, content: value })),
    { name: "file", filename, type: "text/plain", content },
  ]);
}
