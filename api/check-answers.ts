// Answers that are held to their schemas before they leave. Off where speed counts, on in every test: an answer that does
// not fit is a failure of ours.
import type { FastifySerializerCompiler } from "fastify";
import type { z } from "zod";
import type { ApiVersion } from "../contract/version.ts";
import type { ShowEvent } from "./sse.ts";

/** Writes JSON as it is. */
export const writeJson: FastifySerializerCompiler<z.ZodType> = () => (answer: unknown) => JSON.stringify(answer);

/** Writes JSON after a check of every field. Throws when a field is missing, unknown or of another kind. */
export const writeCheckedJson: FastifySerializerCompiler<z.ZodType> =
  ({ schema, method, url }) =>
  (answer: unknown) => {
    const text = JSON.stringify(answer);
    check(schema, JSON.parse(text), `${method} ${url}`);
    return text;
  };

/** Checks every event of a stream, as its readers see it. */
export function checkEvents(version: ApiVersion, show: ShowEvent = (event) => event): ShowEvent {
  return async (stored) => {
    const shown = await show(stored);
    const schema = version.events.get(shown.event);
    if (schema === undefined) throw new Error(`version ${version.name} has no event ${shown.event}`);
    check(schema, JSON.parse(shown.data), shown.event);
    return shown;
  };
}

function check(schema: z.ZodType, value: unknown, where: string): void {
  const { error } = schema.safeParse(value);
  if (error !== undefined) throw new Error(`${where} answers what its schema does not allow`, { cause: error });
}
