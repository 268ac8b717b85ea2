// Turns every error into an answer. Whatever is not an ApiError is ours: its text goes to the log, never to the client.
import type { FastifyReply, FastifyRequest } from "fastify";
import { BlobsUnavailable } from "../blobs/blobs.ts";
import {
  ApiError,
  bodyTooLarge,
  brokenJson,
  internalError,
  overloaded,
  unsupportedMediaType,
} from "../contract/errors.ts";
import { MAX_BODY_BYTES } from "../contract/limits.ts";
import { isUnavailable } from "../db/unavailable.ts";
import { InvalidRequest } from "./validate.ts";

export function onError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const answer = toApiError(error, request);
  if (answer.status >= 500) request.log.error({ err: error }, "request failed");
  // Fastify would hang up on a client that is still sending, which then never reads why. Node lets it finish instead.
  if (answer.status === 413) reply.removeHeader("connection");
  void reply.status(answer.status).send(answer.toBody());
}

function toApiError(error: unknown, request: FastifyRequest): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof InvalidRequest && error.cause instanceof ApiError) return error.cause;
  switch (codeOf(error)) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return bodyTooLarge(MAX_BODY_BYTES);
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return unsupportedMediaType(request.headers["content-type"] ?? "");
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return brokenJson();
  }
  return error instanceof BlobsUnavailable || isUnavailable(error) ? overloaded() : internalError(request.id);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
