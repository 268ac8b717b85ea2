// A search as File Search and the API's search endpoint make it: queries are embedded, what is found may be ordered anew.
// Neither of the two endpoints that help is needed: without them, or while they fail, the search is made with what is there.
import { MAX_RERANKED_CHUNKS } from "../contract/limits.ts";
import type { SearchFilter } from "../contract/search-filter.ts";
import type { FusionWeights } from "../db/fusion.ts";
import type { Search, SearchHit } from "../db/search.ts";
import type { SearchScope } from "../db/search-scope.ts";
import type { Embedder } from "../model/embeddings.ts";
import type { Reranker } from "../model/reranker.ts";

export interface PassageFinder {
  (scope: SearchScope, question: Question, signal: AbortSignal): Promise<SearchHit[]>;
}

export interface Question {
  queries: readonly string[];
  filters?: SearchFilter | undefined;
  limit: number;
  score_threshold?: number | undefined;
  /** How much words and meaning count; without them the same. */
  weights?: FusionWeights | undefined;
  /** False for the ranker `none`. */
  rerank: boolean;
}

export interface PassageFinderDeps {
  search(scope: SearchScope, search: Search): Promise<SearchHit[]>;
  embedder: Embedder | undefined;
  reranker: Reranker | undefined;
  /** Told when a search was made without one of the two because it failed. */
  onDegraded(without: "embeddings" | "reranker", error: unknown): void;
}

/** Makes the function that searches. It throws only what the database throws, and the signal's reason. */
export function createPassageFinder({ search, embedder, reranker, onDegraded }: PassageFinderDeps): PassageFinder {
  async function embed(queries: readonly string[], signal: AbortSignal): Promise<(Float32Array | undefined)[]> {
    if (embedder === undefined) return [];
    try {
      return await embedder.embed(queries, signal);
    } catch (error) {
      signal.throwIfAborted();
      onDegraded("embeddings", error);
      return [];
    }
  }

  async function order(reranker: Reranker, hits: SearchHit[], { question, signal }: Order): Promise<SearchHit[]> {
    try {
      const texts = hits.map((hit) => hit.text);
      const scores = await reranker.rerank(question.queries.join("\n"), texts, signal);
      const judged = hits.map((hit, index) => ({ ...hit, score: scores[index] ?? 0 }));
      return judged.toSorted((a, b) => b.score - a.score);
    } catch (error) {
      signal.throwIfAborted();
      onDegraded("reranker", error);
      return hits;
    }
  }

  return async function findPassages(scope, question, signal) {
    const { filters, limit, weights, score_threshold = 0 } = question;
    const isByWords = weights !== undefined && weights.vectors === 0 && weights.words > 0;
    const vectors = isByWords ? [] : await embed(question.queries, signal);
    const queries = question.queries.map((text, index) => ({ text, embedding: vectors[index] ?? null }));
    const judge = question.rerank ? reranker : undefined;
    const hits = await search(scope, {
      queries,
      filters,
      weights,
      limit: judge === undefined ? limit : MAX_RERANKED_CHUNKS,
      embedding_model: embedder?.model,
    });
    const ordered = judge === undefined ? hits : await order(judge, hits, { question, signal });
    return ordered.filter((hit) => hit.score >= score_threshold).slice(0, limit);
  };
}

interface Order {
  question: Question;
  signal: AbortSignal;
}
