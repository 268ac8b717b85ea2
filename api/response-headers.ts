// The headers of every answer, errors and streams included, and what browsers ask before they call.
import { randomUUID } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";

const PREFLIGHT_MAX_AGE_SECONDS = 86_400;

/** An id for a request, as the original writes it: `req_` and 32 hexadecimal digits. */
export function newRequestId(): string {
  return `req_${randomUUID().replaceAll("-", "")}`;
}

/** Sets the headers on the raw response, where they also reach streams that are written past Fastify. */
export function setResponseHeaders({ raw }: FastifyReply, requestId: string): void {
  raw.setHeader("x-request-id", requestId);
  raw.setHeader("openai-version", "2020-10-01");
  raw.setHeader("openai-processing-ms", 0);
  raw.setHeader("access-control-allow-origin", "*");
  raw.setHeader("access-control-expose-headers", "*");
}

/** Says how long the answer took, once that is known. A stream starts at once. */
export function setProcessingTime(reply: FastifyReply): void {
  reply.raw.setHeader("openai-processing-ms", Math.round(reply.elapsedTime));
}

/** Any page may call: what protects the data is the key, and no cookie is ever looked at. */
export function answerPreflight(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply
    .status(204)
    .headers({
      "access-control-allow-methods": "GET, POST, DELETE",
      "access-control-allow-headers": request.headers["access-control-request-headers"] ?? "*",
      "access-control-max-age": PREFLIGHT_MAX_AGE_SECONDS,
    })
    .send();
}
