// Lets the routes of a room take `multipart/form-data` and no other body. The form is read by the handler, as a stream.
import multipart from "@fastify/multipart";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { unsupportedMediaType } from "../contract/errors.ts";

/** To be called in a room of its own: the rest of the API takes JSON. */
export async function acceptForms(
  app: Pick<FastifyInstance, "removeAllContentTypeParsers" | "register" | "addContentTypeParser">,
): Promise<void> {
  app.removeAllContentTypeParsers();
  await app.register(multipart);
  app.addContentTypeParser("*", async ({ headers }: FastifyRequest) => {
    throw unsupportedMediaType(headers["content-type"] ?? "", "multipart/form-data");
  });
}
