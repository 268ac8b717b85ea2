// How long a request may take to arrive: an hour when it brings a file, two minutes otherwise. Node knows one time for all.
import type { FastifyInstance, FastifyRequest } from "fastify";
import { REQUEST_TIMEOUT_MS } from "../contract/limits.ts";
import { onClientError } from "./client-error.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Takes files: they may be long on the way. */
    takesFiles?: boolean;
  }
}

/** Hangs up on requests whose body is too slow, with a 408. */
export function limitArrival(app: FastifyInstance, timeoutMs = REQUEST_TIMEOUT_MS): void {
  app.addHook("onRequest", async (request) => {
    if (!hasBody(request) || request.routeOptions.config.takesFiles === true) return;
    const { raw } = request;
    const tooSlow = setTimeout(() => {
      onClientError(Object.assign(new Error(), { code: "ERR_HTTP_REQUEST_TIMEOUT" }), raw.socket);
    }, timeoutMs).unref();
    for (const event of ["end", "close"]) raw.once(event, () => clearTimeout(tooSlow));
  });
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}
