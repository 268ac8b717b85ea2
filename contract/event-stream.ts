// How streams are described: each server-sent event by its name and by the schema of the JSON that it carries.
import { z } from "zod";
import { ErrorBody } from "./error-body.ts";

/** As readers understand server-sent events, an event without an id of its own has the one before. */
const Position = z.string().optional().describe("Extension: the event's position, where a stream is joined again");

/** One event of a stream, given the schemas of what its events carry, by their names. */
export function eventOf(carried: ReadonlyMap<string, z.ZodType>): z.ZodType {
  const named = Map.groupBy(carried, ([, schema]) => schema);
  return z.union([
    ...[...named].map(([schema, entries]) =>
      event(
        entries.map(([name]) => name),
        schema,
      ),
    ),
    event(["error"], ErrorBody),
    z.strictObject({ event: z.literal("done"), data: z.literal("[DONE]"), id: Position }),
  ]);
}

function event(names: string[], carried: z.ZodType) {
  const id = z.globalRegistry.get(carried)?.id;
  const contentSchema = id === undefined ? {} : { contentSchema: { $ref: `#/components/schemas/${id}` } };
  return z.strictObject({
    event: z.enum(names),
    data: z.string().meta({ contentMediaType: "application/json", ...contentSchema }),
    id: Position,
  });
}
