// The stored images of a conversation, read when a turn is made and shown to the model as data URLs. They are kept in
// memory until the turn is over, so a process holds so many of them at once and no more.
import { BlobNotFound } from "../blobs/blobs.ts";
import type { Blobs } from "../blobs/blobs.ts";
import { imageTypeOf } from "../contract/file-types.ts";
import { MAX_IMAGE_BYTES, MAX_TURN_IMAGE_BYTES, MAX_TURN_IMAGES } from "../contract/limits.ts";
import type { ContentPart } from "../contract/message.ts";
import { findStoredFiles } from "../db/files.ts";
import type { StoredFile } from "../db/files.ts";
import type { Queryable } from "../db/pool.ts";
import type { ChatPart } from "../model/model.ts";
import type { ByteBudget } from "./byte-budget.ts";

type ImageFile = Extract<ContentPart, { type: "image_file" }>["image_file"];

/** What a model is shown in the place of an image file. */
export interface Images {
  toPart(image: ImageFile): ChatPart;
  /** To be called when the turn is over. */
  release(): void;
}

export const NO_IMAGES: Images = { toPart: ({ file_id }) => note(file_id, "cannot be shown here"), release() {} };

export interface ImageSource {
  pool: Queryable;
  blobs: Pick<Blobs, "read">;
  imageBudget: ByteBudget;
}

/**
 * Reads the images of these files. What cannot be shown, because it is gone, too large, no image, or one too many, is
 * replaced by a note. Throws what the blob store throws, and the signal's reason.
 * @param file_ids the newest first: they come before older ones
 */
export async function readImages(
  { pool, blobs, imageBudget }: ImageSource,
  { project_id, file_ids }: { project_id: string; file_ids: readonly string[] },
  signal: AbortSignal,
): Promise<Images> {
  const wanted = [...new Set(file_ids)];
  if (wanted.length === 0) return NO_IMAGES;
  const files = new Map((await findStoredFiles(pool, project_id, wanted)).map((file) => [file.id, file]));
  const { chosen, notes } = choose(wanted, files);
  const release = await imageBudget.take(
    chosen.reduce((sum, { bytes }) => sum + bytes, 0),
    signal,
  );
  try {
    const urls = new Map<string, string>();
    // One after the other: each is a buffer for a moment, and then a text.
    for (const file of chosen) {
      signal.throwIfAborted();
      const url = await readAsUrl(blobs, file);
      if (typeof url === "string") urls.set(file.id, url);
      else notes.set(file.id, url.why);
    }
    return {
      toPart({ file_id, detail }) {
        const url = urls.get(file_id);
        if (url === undefined) return note(file_id, notes.get(file_id) ?? GONE);
        return { type: "image_url", image_url: { url, detail: detail ?? "auto" } };
      },
      release,
    };
  } catch (error) {
    release();
    throw error;
  }
}

const GONE = "is not there any more";

function note(file_id: string, why: string): ChatPart {
  return { type: "text", text: `[The image ${file_id} ${why}.]` };
}

/** Those that are read, and why the others are not. */
function choose(
  wanted: readonly string[],
  files: ReadonlyMap<string, StoredFile>,
): { chosen: StoredFile[]; notes: Map<string, string> } {
  const chosen: StoredFile[] = [];
  const notes = new Map<string, string>();
  let left = MAX_TURN_IMAGE_BYTES;
  for (const id of wanted) {
    const file = files.get(id);
    if (file === undefined) notes.set(id, GONE);
    else if (file.bytes > MAX_IMAGE_BYTES) notes.set(id, "is too large to be shown");
    else if (file.bytes > left || chosen.length >= MAX_TURN_IMAGES) notes.set(id, "is left out: there are too many");
    else {
      chosen.push(file);
      left -= file.bytes;
    }
  }
  return { chosen, notes };
}

async function readAsUrl(blobs: Pick<Blobs, "read">, file: StoredFile): Promise<string | { why: string }> {
  try {
    const pieces: Buffer[] = [];
    for await (const piece of await blobs.read(file.blob)) pieces.push(piece as Buffer);
    const content = Buffer.concat(pieces);
    const type = imageTypeOf(content);
    if (type === undefined) return { why: "is of no type that can be shown" };
    return `data:${type};base64,${content.toString("base64")}`;
  } catch (error) {
    if (error instanceof BlobNotFound) return { why: GONE };
    throw error;
  }
}
