// An endpoint that judges how well texts answer a query, as Cohere, Jina and their imitators offer it.
import OpenAI from "openai";
import { RERANK_TIMEOUT_MS } from "../contract/limits.ts";
import { toEndpointError } from "./endpoint-error.ts";
import { ModelFailed } from "./model.ts";

export interface Reranker {
  /**
   * How well each text answers the query, 0 to 1, in the order of the texts. Throws as `Embedder.embed` does. A search
   * does not fail with it: its own order is good enough.
   */
  rerank(query: string, texts: readonly string[], signal: AbortSignal): Promise<number[]>;
}

export interface RerankerOptions {
  /** `/rerank` is added. */
  base_url: string;
  api_key: string;
  model: string;
}

const ENDPOINT = "The rerank endpoint";

/** Makes the port to an endpoint. Each request is sent once. */
export function createReranker({ base_url: baseURL, api_key: apiKey, model }: RerankerOptions): Reranker {
  const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: RERANK_TIMEOUT_MS });
  return {
    async rerank(query, documents, signal) {
      if (documents.length === 0) return [];
      const body = { model, query, documents, top_n: documents.length };
      const answer = await client.post("/rerank", { body, signal }).catch((error: unknown) => {
        signal.throwIfAborted();
        throw toEndpointError(error, ENDPOINT);
      });
      return toScores(answer, documents.length);
    },
  };
}

/** A text that the endpoint left out has the score 0. */
function toScores(answer: unknown, count: number): number[] {
  const results = (answer as { results?: unknown } | null)?.results;
  if (!Array.isArray(results)) throw new ModelFailed(`${ENDPOINT} answered without results.`);
  const scores = Array.from({ length: count }, () => 0);
  for (const result of results) {
    const { index, relevance_score: score } = (result ?? {}) as { index?: unknown; relevance_score?: unknown };
    if (typeof index !== "number" || scores[index] === undefined || !Number.isFinite(score)) {
      throw new ModelFailed(`${ENDPOINT} answered with a result that has no index or no score.`);
    }
    scores[index] = Math.min(Math.max(score as number, 0), 1);
  }
  return scores;
}
