// /v1/vector_stores/{vector_store_id}/search
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { storeHasExpired, vectorStoreNotFound } from "../../contract/errors.ts";
import { SearchResultsPage, SearchVectorStore } from "../../contract/vector-store-search.ts";
import type { StoreScope } from "../../db/scope.ts";
import { findStoreStanding, touchStores } from "../../db/vector-stores.ts";
import { answerOnce } from "../commit.ts";
import type { Deps } from "../deps.ts";
import { OneStore } from "./vector-stores.ts";

const tags = ["Vector stores"];

export const vectorStoreSearchRoutes =
  ({ db, findPassages, rewriteQueries }: Deps): FastifyPluginAsyncZod =>
  async (app) => {
    app.post(
      "/vector_stores/:vector_store_id/search",
      {
        schema: {
          tags,
          summary: "Search a vector store",
          params: OneStore,
          body: SearchVectorStore,
          response: { 200: SearchResultsPage },
        },
      },
      async (request) =>
        answerOnce(db, request, (signal) => search({ ...request.caller, ...request.params }, request.body, signal)),
    );

    async function search(
      { project_id, vector_store_id }: StoreScope,
      { query, rewrite_query, filters, max_num_results, ranking_options }: SearchVectorStore,
      signal: AbortSignal,
    ): Promise<SearchResultsPage> {
      const store = await findStoreStanding(db, { project_id, vector_store_id });
      if (store === undefined) throw vectorStoreNotFound(vector_store_id);
      if (store.is_expired) throw storeHasExpired(vector_store_id);
      await touchStores(db, project_id, [vector_store_id]);
      const given = typeof query === "string" ? [query] : query;
      const queries = rewrite_query ? await rewriteQueries(given, signal) : given;
      const scope = { project_id, vector_store_ids: [vector_store_id] };
      const question = {
        queries,
        filters: filters ?? undefined,
        limit: max_num_results,
        score_threshold: ranking_options.score_threshold,
        rerank: ranking_options.ranker !== "none",
      };
      const hits = await findPassages(scope, question, signal);
      return {
        object: "vector_store.search_results.page",
        search_query: queries,
        data: hits.map(({ file_id, filename, score, attributes, text }) => ({
          file_id,
          filename,
          score,
          attributes,
          content: [{ type: "text", text }],
        })),
        has_more: false,
        next_page: null,
      };
    }
  };
