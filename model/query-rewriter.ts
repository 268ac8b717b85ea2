// Rewriting as the API's search offers it: within a time, and never the reason that a search fails.
import { REWRITE_TIMEOUT_MS } from "../contract/limits.ts";
import { readEndpoints } from "./chat-settings.ts";
import type { ChatSettings } from "./chat-settings.ts";
import { createOpenAIModel } from "./openai.ts";
import { rewriteQuery } from "./rewrite-query.ts";
import { createRouter } from "./router.ts";

/** As REWRITE_MODEL: nothing is rewritten. */
const NO_MODEL = "none";

export interface QueryRewriter {
  /** The queries, each as the model puts it, or as it was when the model does not help. Throws the signal's reason. */
  (queries: readonly string[], signal: AbortSignal): Promise<string[]>;
}

export interface RewriteSettings extends ChatSettings {
  REWRITE_MODEL: string;
}

export interface QueryRewriterOptions {
  settings: RewriteSettings;
  /** Where the keys are that MODELS_FILE names. */
  env: Readonly<Record<string, string | undefined>>;
  /** Told when a query was left as it was because the model failed. */
  onFailed(error: unknown): void;
  timeoutMs?: number;
}

/** Throws as `readEndpoints` does, and when the model's own key is not there. */
export async function createQueryRewriter(options: QueryRewriterOptions): Promise<QueryRewriter> {
  const { settings, env, onFailed, timeoutMs = REWRITE_TIMEOUT_MS } = options;
  const name = settings.REWRITE_MODEL;
  const { routes, fallback } = await readEndpoints(settings);
  const own = routes.filter((route) => route.name === name);
  const hasEndpoint = settings.OPENAI_API_KEY !== undefined || settings.OPENAI_BASE_URL !== undefined || own.length > 0;
  if (name === NO_MODEL || !hasEndpoint) return async (queries) => [...queries];
  // The keys of other models need not be there: those are asked by workers only.
  const model = createOpenAIModel(createRouter({ routes: own, fallback, env }));

  return async function rewriteQueries(queries, signal) {
    const until = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const rewrite = async (query: string): Promise<string> => {
      try {
        return await rewriteQuery({ model, name }, query, until);
      } catch (error) {
        signal.throwIfAborted();
        onFailed(error);
        return query;
      }
    };
    return Promise.all(queries.map(rewrite));
  };
}
