// Lets routes declare what they take as zod schemas: `schema: { params, querystring, body }`.
import type { FastifySchemaCompiler } from "fastify";
import type { z } from "zod";
import { ApiError } from "../contract/errors.ts";
import { parse } from "../contract/validation.ts";

/** A request that does not fit its route. The cause is the answer; Fastify writes fields of its own on this one. */
export class InvalidRequest extends Error {
  override name = "InvalidRequest";
}

/** No body counts as an empty one: then the first thing that is missing from it is named. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema }) =>
  (data: unknown) => {
    try {
      return { value: parse(schema, data ?? {}) };
    } catch (cause) {
      if (cause instanceof ApiError) return { error: new InvalidRequest("the request does not fit", { cause }) };
      throw cause;
    }
  };
