// In requests null means "not given", wherever a field is optional.
import type { z } from "zod";

/** An optional field that is left out of what is stored when it is null or absent. */
export function optional<Schema extends z.ZodType>(schema: Schema) {
  return schema
    .nullish()
    .transform((value) => value ?? undefined)
    .optional();
}

/** An optional field that is stored as `fallback` when it is null or absent. */
export function withDefault<Schema extends z.ZodType>(schema: Schema, fallback: z.output<Schema>) {
  return schema.nullish().transform((value): z.output<Schema> => value ?? fallback);
}
