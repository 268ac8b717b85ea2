// Which endpoint puts what a search has found in order, from the settings.
import type { RerankerOptions } from "./reranker.ts";

/** The settings of config.ts that matter here. */
export interface RerankSettings {
  RERANK_BASE_URL?: string | undefined;
  RERANK_API_KEY?: string | undefined;
  RERANK_MODEL: string;
}

/** Undefined when there is none, so that the order of the search stands. */
export function chooseReranker({
  RERANK_BASE_URL: base_url,
  RERANK_API_KEY: api_key = "none",
  RERANK_MODEL: model,
}: RerankSettings): RerankerOptions | undefined {
  return base_url === undefined ? undefined : { base_url, api_key, model };
}
