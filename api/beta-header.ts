// Everything under /v1/assistants and /v1/threads wants to be told which version of the API the client speaks.
import type { FastifyRequest } from "fastify";
import { deprecatedBeta, missingBetaHeader } from "../contract/errors.ts";

/** Throws (400) unless the request says `OpenAI-Beta: assistants=v2`, perhaps among other betas. */
export async function requireBetaHeader(request: FastifyRequest): Promise<void> {
  const header = request.headers["openai-beta"];
  const betas = String(header ?? "")
    .split(",")
    .map((beta) => beta.trim());
  if (betas.includes("assistants=v2")) return;
  throw betas.includes("assistants=v1") ? deprecatedBeta() : missingBetaHeader();
}
