// The API described by itself: an OpenAPI document made from the schemas that requests and answers are held to, and a page
// that shows it. Both are public, for they say nothing that the source does not.
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from "fastify-type-provider-zod";
import { z } from "zod";
import { ErrorBody } from "../contract/error-body.ts";
import { MAX_IDEMPOTENCY_KEY_LENGTH } from "../contract/limits.ts";
import type { ApiVersion } from "../contract/version.ts";

type Transform = ReturnType<typeof createJsonSchemaTransform>;
type TransformInput = Parameters<Transform>[0];

const DESCRIPTION = `
The Assistants API, served by Durable Assistants. Objects, errors and events are those of OpenAI's API; parts marked as
extensions are of this server only. Requests under \`/v1/assistants\` and \`/v1/threads\` name the version of the API in the
header \`OpenAI-Beta\`. Streams (\`"stream": true\`) are server-sent events.
`;

const LOGO = `<svg xmlns="http://www.w3.org/2000/svg" width="220" height="40"><text x="0" y="27" font-family="sans-serif"
  font-size="22" fill="#fff">Durable Assistants</text></svg>`;

/** Where the document of each version is found. */
const DOCUMENTS = { v2: "/openapi.json", v1: "/openapi-v1.json" } as const;

/** To be called before any route is registered: the document has only what comes later. */
export function describeApi(app: FastifyInstance): void {
  app.register(swagger, optionsFor("v2"));
  app.register(swagger, { ...optionsFor("v1"), decorator: "swaggerV1" });
  app.register(swaggerUi, {
    routePrefix: "/docs",
    theme: { title: "Durable Assistants" },
    logo: { type: "image/svg+xml", content: Buffer.from(LOGO) },
    uiConfig: {
      urls: Object.entries(DOCUMENTS).map(([version, url]) => ({ name: `Version ${version.slice(1)}`, url })),
      docExpansion: "list",
      defaultModelsExpandDepth: 0,
      displayRequestDuration: true,
    },
  });
  app.get(DOCUMENTS.v2, { schema: { hide: true } }, async () => app.swagger());
  app.get(DOCUMENTS.v1, { schema: { hide: true } }, async () =>
    (app as unknown as { swaggerV1: typeof app.swagger }).swaggerV1(),
  );
}

function optionsFor(version: ApiVersion["name"]) {
  return {
    openapi: {
      openapi: "3.1.0",
      info: { title: `Assistants API, ${version}`, version: "0.1.0", description: DESCRIPTION.trim() },
      servers: [{ url: "/" }],
      components: { securitySchemes: { key: { type: "http" as const, scheme: "bearer" } } },
      security: [{ key: [] }],
    },
    transform: describeRoute(version),
    transformObject: addComponents,
  };
}

const withComponents = createJsonSchemaTransformObject({});

/** Names the objects that routes refer to. That they could also be sent is said nowhere. */
const addComponents: typeof withComponents = (input) => {
  const document = withComponents(input) as Document;
  for (const operation of Object.values(document.paths).flatMap((methods) => Object.values(methods))) {
    if (operation.requestBody !== undefined) operation.requestBody.required = needsBody(operation.requestBody);
  }
  const schemas = pickReferred(document.components.schemas, JSON.stringify(document.paths));
  return { ...document, components: { ...document.components, schemas } };
};

interface RequestBody {
  required: boolean;
  content: Record<string, { schema: { required?: string[] } }>;
}

interface Document {
  paths: Record<string, Record<string, { requestBody?: RequestBody }>>;
  components: { schemas: Record<string, object> };
}

/** No body counts as an empty one, so it may be left out where nothing in it is required. */
function needsBody({ content }: RequestBody): boolean {
  return Object.values(content).some(({ schema }) => schema.required !== undefined);
}

/** Those that the text refers to, and those that they refer to. */
function pickReferred(schemas: Record<string, object>, text: string): Record<string, object> {
  const names = new Set<string>();
  for (const texts = [text]; texts.length > 0;) {
    for (const [, name = ""] of (texts.pop() ?? "").matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (names.has(name)) continue;
      names.add(name);
      texts.push(JSON.stringify(schemas[name]));
    }
  }
  return Object.fromEntries(Object.entries(schemas).filter(([name]) => names.has(name)));
}

const toJsonSchema = createJsonSchemaTransform({});

/** Adds what every route has and none says: its headers, its errors. Hides what is not of this version. */
function describeRoute(version: ApiVersion["name"]): Transform {
  return (input) => {
    const { schema, url, route } = input as TransformInput & { route: { constraints?: { version?: string } } };
    const limitedTo = route.constraints?.version;
    const isHidden = !url.startsWith("/v1/") || (limitedTo !== undefined && limitedTo !== version);
    if (isHidden) return toJsonSchema({ ...input, schema: { ...schema, hide: true } });
    const isPost = String(input.route.method) === "POST";
    const described = {
      ...schema,
      ...(limitedTo === undefined ? {} : { headers: headersOf(version, isPost) }),
      response: { ...(schema?.response as object), "4XX": ErrorBody.describe("What is wrong with the request") },
    };
    return nameModelParameter(toJsonSchema({ ...input, schema: described }));
  };
}

function headersOf(version: ApiVersion["name"], isPost: boolean) {
  const beta = { "OpenAI-Beta": z.enum([`assistants=${version}`]) };
  const key = z.string().min(1).max(MAX_IDEMPOTENCY_KEY_LENGTH).optional();
  const description = "Extension: the same request under the same key is carried out once within 24 hours";
  return z.object(isPost ? { ...beta, "Idempotency-Key": key.describe(description) } : beta);
}

/** The names of models have slashes, so their route ends in a wildcard; readers know it by a name. */
function nameModelParameter(described: ReturnType<Transform>): ReturnType<Transform> {
  if (!described.url.endsWith("/*")) return described;
  const params = { type: "object", properties: { model: { type: "string" } }, required: ["model"] };
  return { url: described.url.replace("*", ":model"), schema: { ...described.schema, params } };
}
