// From the model name of an assistant to the endpoint that serves it.
import { z } from "zod";

const Route = z.strictObject({
  /** The name that assistants and runs use. */
  name: z.string().min(1),
  /** Base URL including /v1; without it, the default endpoint. */
  base_url: z.url({ protocol: /^https?$/ }).optional(),
  /** Name of the environment variable that holds the endpoint's key; without it, the default key. */
  api_key_env: z.string().optional(),
  /** What the endpoint calls the model; without it, the same name. */
  upstream: z.string().optional(),
  /** Tokens of prompt and answer together. */
  context_window: z.int().min(1024).optional(),
  /** The field by which the endpoint limits an answer. Older servers know only `max_tokens`. */
  max_tokens_field: z.enum(["max_completion_tokens", "max_tokens"]).optional(),
});

/** The content of MODELS_FILE: an array of routes. */
export const Routes = z.array(Route);
export type Routes = z.infer<typeof Routes>;

export interface Endpoint {
  base_url: string;
  api_key: string;
  upstream: string;
  context_window: number;
  max_tokens_field: "max_completion_tokens" | "max_tokens";
}

export interface RouterOptions {
  routes: Routes;
  /** Where names go that no route knows, under the same name. */
  fallback: { base_url: string; api_key: string; context_window: number };
  env: Readonly<Record<string, string | undefined>>;
}

export type Router = (model: string) => Endpoint;

/** Makes the function that finds a model's endpoint. Throws when a route names a key that is not in the environment. */
export function createRouter({ routes, fallback, env }: RouterOptions): Router {
  const endpoints = new Map(
    routes.map((route) => {
      const key = route.api_key_env === undefined ? fallback.api_key : env[route.api_key_env];
      if (key === undefined) throw new Error(`MODELS_FILE: ${route.api_key_env} (for model ${route.name}) is not set`);
      const endpoint: Endpoint = {
        base_url: route.base_url ?? fallback.base_url,
        api_key: key,
        upstream: route.upstream ?? route.name,
        context_window: route.context_window ?? fallback.context_window,
        max_tokens_field: route.max_tokens_field ?? "max_completion_tokens",
      };
      return [route.name, endpoint];
    }),
  );
  return (model) => endpoints.get(model) ?? { ...fallback, upstream: model, max_tokens_field: "max_completion_tokens" };
}
