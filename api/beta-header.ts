// Everything under /v1/assistants and /v1/threads wants to be told which version of the API the client speaks. Routes of
// both versions live at the same addresses: the header of each call decides.
import type { FastifyInstance, FastifyRequest, RouteOptions } from "fastify";
import { missingBetaHeader } from "../contract/errors.ts";
import type { ApiVersion } from "../contract/version.ts";

type VersionName = ApiVersion["name"];

/** Lets a route be for one version only; one that says nothing is for every request. For Fastify's router. */
export const versionConstraint = {
  name: "version",
  storage: () => {
    const handlers = new Map<unknown, never>();
    return {
      get: (version: unknown) => handlers.get(version) ?? null,
      set: (version: unknown, handler: never) => void handlers.set(version, handler),
    };
  },
  validate: () => undefined,
  // Without a header the address is looked up as one of version 2: an unknown one is a 404 before it is a 400.
  deriveConstraint: (request: { headers: FastifyRequest["headers"] }): VersionName =>
    readVersion(request.headers["openai-beta"]) ?? "v2",
};

/** Makes every route that is registered after this one of that version. */
export function limitRoutes(app: FastifyInstance, { name }: ApiVersion): void {
  app.addHook("onRoute", (route: RouteOptions) => {
    route.constraints = { ...route.constraints, version: name };
  });
}

/** Throws (400) unless the request says `OpenAI-Beta: assistants=v2` or `v1`, perhaps among other betas. */
export async function requireBetaHeader(request: FastifyRequest): Promise<void> {
  if (versionOf(request) === undefined) throw missingBetaHeader();
}

/** The version that a request asks for; undefined when it names none. */
export function versionOf({ headers }: FastifyRequest): VersionName | undefined {
  return readVersion(headers["openai-beta"]);
}

/** Of a client that names both, the newer. */
function readVersion(header: string | string[] | undefined): VersionName | undefined {
  if (header === "assistants=v2") return "v2";
  const betas = String(header ?? "")
    .split(",")
    .map((beta) => beta.trim());
  if (betas.includes("assistants=v2")) return "v2";
  return betas.includes("assistants=v1") ? "v1" : undefined;
}
