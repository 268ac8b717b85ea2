// File Search in a run: one call of the model's, made into passages that it may cite.
import type { Tool } from "../contract/tool.ts";
import type { TakenCall } from "../db/built-in-calls.ts";
import { readRunStores } from "../db/run-stores.ts";
import { storeExpired } from "../db/run-turns.ts";
import { touchStores } from "../db/vector-stores.ts";
import type { PassageFinder } from "../tools/find-passages.ts";
import { limitsOf, readQueries, toDetails, weightsOf } from "../tools/file-search.ts";
import { callTool } from "./call-tool.ts";
import type { CallInput, CallOutcome, ToolOutcome } from "./call-tool.ts";
import type { ActivityDeps } from "./generate.ts";

export interface SearchDeps extends ActivityDeps {
  findPassages: PassageFinder;
}

export async function searchFiles(deps: SearchDeps, input: CallInput): Promise<CallOutcome> {
  return callTool(deps, input, (call, signal) => search(deps, call, signal));
}

async function search(deps: SearchDeps, call: TakenCall, signal: AbortSignal): Promise<ToolOutcome> {
  const tool = call.run.tools.find((one): one is Extract<Tool, { type: "file_search" }> => one.type === "file_search");
  if (tool === undefined) throw new Error(`run ${call.run.id} cannot search files`);
  const stores = await readRunStores(deps.pool, call.run);
  const expired = stores.find((store) => store.is_expired);
  if (expired !== undefined) return { error: storeExpired(expired.id) };
  const queries = readQueries(call.arguments);
  if (typeof queries === "string") return { told: queries, results: 0 };
  if (stores.length === 0) return { told: "The search was not made: there are no files.", results: 0 };

  const ids = stores.map((store) => store.id);
  await touchStores(deps.pool, call.run.project_id, ids);
  const limits = limitsOf(tool.file_search, call.run.model, deps.model.contextWindow(call.run.model));
  const found = await deps.findPassages(
    { project_id: call.run.project_id, vector_store_ids: ids },
    {
      queries,
      limit: limits.passages,
      score_threshold: limits.score_threshold,
      weights: weightsOf(tool.file_search),
      rerank: true,
    },
    signal,
  );
  const file_search = toDetails(tool.file_search, found, limits);
  return {
    shown: { id: call.key.callId, type: "file_search", file_search },
    results: file_search.results.length,
  };
}
