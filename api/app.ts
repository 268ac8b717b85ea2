// The whole HTTP surface, ready to listen or to be tried with `inject`.
import { fastify, LogController } from "fastify";
import type { FastifyBaseLogger, FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { unknownUrl } from "../contract/errors.ts";
import { MAX_BODY_BYTES, UPLOAD_TIMEOUT_MS } from "../contract/limits.ts";
import { V1, V2 } from "../contract/version.ts";
import type { ApiVersion } from "../contract/version.ts";
import { limitArrival } from "./arrival.ts";
import { createAuthentication } from "./auth.ts";
import { limitRoutes, requireBetaHeader, versionConstraint } from "./beta-header.ts";
import { writeCheckedJson, writeJson } from "./check-answers.ts";
import { onClientError } from "./client-error.ts";
import type { Deps } from "./deps.ts";
import { acceptJsonBodies } from "./json-body.ts";
import { onError } from "./on-error.ts";
import { describeApi } from "./openapi.ts";
import { answerPreflight, newRequestId, setProcessingTime, setResponseHeaders } from "./response-headers.ts";
import { assistantRoutes } from "./routes/assistants.ts";
import { fileRoutes } from "./routes/files.ts";
import { fileBatchRoutes } from "./routes/file-batches.ts";
import { healthRoutes } from "./routes/health.ts";
import { messageRoutes } from "./routes/messages.ts";
import { modelRoutes } from "./routes/models.ts";
import { runEventRoutes } from "./routes/run-events.ts";
import { runStepRoutes } from "./routes/run-steps.ts";
import { runRoutes } from "./routes/runs.ts";
import { threadRoutes } from "./routes/threads.ts";
import { uploadRoutes } from "./routes/uploads.ts";
import { v1FileRoutes } from "./routes/v1-files.ts";
import { vectorStoreFileRoutes } from "./routes/vector-store-files.ts";
import { vectorStoreSearchRoutes } from "./routes/vector-store-search.ts";
import { vectorStoreRoutes } from "./routes/vector-stores.ts";
import { showAnswersAsV1 } from "./show-v1.ts";
import { validatorCompiler } from "./validate.ts";

/** Node refuses longer request lines anyway. */
const MAX_PARAM_LENGTH = 16_384;

/** Answers are checked in this order: key (401), URL (404), beta header (400), input (400), path (404), state (400). */
export function createApp(deps: Deps): FastifyInstance {
  const app: FastifyInstance = fastify({
    loggerInstance: deps.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: "request_id" }),
    genReqId: newRequestId,
    requestIdHeader: false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: UPLOAD_TIMEOUT_MS,
    return503OnClosing: false,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH, constraints: { version: versionConstraint } },
    clientErrorHandler: onClientError,
    // Only URLs that cannot be decoded come here.
    frameworkErrors: (_error, request, reply) => {
      setResponseHeaders(reply, request.id);
      onError(unknownUrlOf(request), request, reply);
    },
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(deps.checkAnswers ? writeCheckedJson : writeJson);
  app.setErrorHandler(onError);
  app.setNotFoundHandler(refuseUnknownUrl);
  app.decorateRequest("caller");
  acceptJsonBodies(app);

  app.addHook("onRequest", async (request, reply) => {
    setResponseHeaders(reply, request.id);
    if (request.method === "OPTIONS") return answerPreflight(request, reply);
  });
  limitArrival(app);
  app.addHook("onSend", async (_request, reply) => setProcessingTime(reply));
  app.addHook("onResponse", async (request, reply) => logRequest(request, reply));

  describeApi(app);
  app.register(healthRoutes(deps));
  app.register(
    async (api) => {
      api.addHook("onRequest", createAuthentication(deps.db));
      api.addHook("onRequest", refuseUnknownUrl);
      api.setNotFoundHandler(refuseUnknownUrl);
      api.register(modelRoutes(deps));
      api.register(fileRoutes(deps));
      api.register(uploadRoutes(deps));
      api.register(vectorStoreRoutes(deps));
      api.register(vectorStoreFileRoutes(deps));
      api.register(vectorStoreSearchRoutes(deps));
      api.register(fileBatchRoutes(deps));
      for (const version of [V2, V1]) api.register(versionedRoutes(deps, version));
    },
    { prefix: "/v1" },
  );
  return app;
}

/** Everything that is of one version of the API. The routes speak version 2; the other one is a view of it. */
const versionedRoutes =
  (deps: Deps, version: ApiVersion): FastifyPluginAsync =>
  async (app) => {
    limitRoutes(app, version);
    app.addHook("onRequest", requireBetaHeader);
    if (version.name === "v1") {
      showAnswersAsV1(app, deps.db);
      app.register(v1FileRoutes(deps));
    }
    app.register(assistantRoutes(deps, version));
    app.register(threadRoutes(deps, version));
    app.register(messageRoutes(deps, version));
    app.register(runRoutes(deps, version));
    app.register(runStepRoutes(deps, version));
    app.register(runEventRoutes(deps, version));
  };

/** As a hook it comes before the body is read. */
async function refuseUnknownUrl(request: FastifyRequest): Promise<void> {
  if (request.is404) throw unknownUrlOf(request);
}

function unknownUrlOf(request: FastifyRequest) {
  return unknownUrl(request.method, request.url.split("?", 1)[0] ?? "");
}

/** Nothing of what was said, only that it was. */
function logRequest(request: FastifyRequest, reply: FastifyReply): void {
  const { method, routeOptions } = request;
  const ms = Math.round(reply.elapsedTime);
  request.log.debug({ method, route: routeOptions.url, status: reply.statusCode, ms }, "request");
}
