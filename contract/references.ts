// Ids that a client hands in: they name an object which may or may not exist.
import { z } from "zod";
import { shorten } from "./errors.ts";

/** In a path or a query: any text. What Postgres cannot hold is replaced, so that it names an object that does not exist. */
export const AnyId = z.string().transform((id) => id.replaceAll("\0", "\uFFFD"));

export const AssistantId = idThatBeginsWith("asst");
export const ThreadId = idThatBeginsWith("thread");
export const FileId = idThatBeginsWith("file");
export const VectorStoreId = idThatBeginsWith("vs");

/** The prefix is checked before the object is looked for: a wrong one is a 400, an unknown id a 404. */
function idThatBeginsWith(prefix: string) {
  const known = AnyId.superRefine((id, context) => {
    if (id.startsWith(prefix)) return;
    context.addIssue({
      code: "custom",
      message: `Invalid '{path}': '${shorten(id)}'. Expected an ID that begins with '${prefix}'.`,
      params: { code: "invalid_value" },
    });
  });
  return known.meta({ pattern: `^${prefix}` });
}
