// Lists: the query that asks for a page and the envelope that carries it.
import { z } from "zod";
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from "./limits.ts";
import { AnyId } from "./references.ts";

/** Query strings are text: a number in one is turned into a number, anything else is left for the check to refuse. */
export function numeric(text: unknown): unknown {
  if (text === "") return undefined;
  return typeof text === "string" && /^-?\d+$/.test(text) ? Number(text) : text;
}

/** As with numbers, empty means not given. */
const Cursor = AnyId.transform((id) => (id === "" ? undefined : id)).optional();

/** Unknown query parameters are ignored, as the original does. */
export const PageQuery = z.object({
  limit: z
    .preprocess(numeric, z.int().min(1).max(MAX_PAGE_SIZE).default(DEFAULT_PAGE_SIZE))
    .meta({ type: "integer", minimum: 1, maximum: MAX_PAGE_SIZE, default: DEFAULT_PAGE_SIZE }),
  order: z.enum(["asc", "desc"]).default("desc"),
  after: Cursor,
  before: Cursor,
});
export type PageQuery = z.infer<typeof PageQuery>;

export interface Page<T> {
  data: T[];
  has_more: boolean;
}

/** The schema of a list, cursors included. */
export function listOf(item: z.ZodType) {
  return z.strictObject({
    object: z.literal("list"),
    data: z.array(item),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  });
}

/** The envelope of a list, cursors included. */
export function toList<T extends { id: string }>(page: Page<T>) {
  return {
    object: "list" as const,
    data: page.data,
    first_id: page.data[0]?.id ?? null,
    last_id: page.data.at(-1)?.id ?? null,
    has_more: page.has_more,
  };
}
