// Tells the API which models there are: workers know the endpoints, the API only reads the table.
import type { Logger } from "pino";
import { MAX_MODELS } from "../contract/limits.ts";
import type { Model } from "../contract/model.ts";
import { saveModels } from "../db/models.ts";
import type { Pool } from "../db/pool.ts";
import type { Routes } from "../model/router.ts";

const REFRESH_MS = 10 * 60_000;
const TIMEOUT_MS = 10_000;

export interface ModelListOptions {
  pool: Pool;
  routes: Routes;
  fallback: { base_url: string; api_key: string };
  log: Logger;
}

/** Writes the routed names and what the default endpoint lists, now and every ten minutes. Returns the stop function. */
export function keepModelList(options: ModelListOptions): () => void {
  const refresh = () =>
    refreshModels(options).catch((error: unknown) =>
      options.log.warn({ err: error }, "the models could not be listed"),
    );
  void refresh();
  const timer = setInterval(refresh, REFRESH_MS);
  return () => clearInterval(timer);
}

async function refreshModels({ pool, routes, fallback }: ModelListOptions): Promise<void> {
  const routed = routes.map((route): Model => ({
    id: route.name,
    object: "model",
    created: 0,
    owned_by: "configured",
  }));
  if (routed.length > 0) await saveModels(pool, routed);
  const response = await fetch(`${fallback.base_url.replace(/\/$/, "")}/models`, {
    headers: { authorization: `Bearer ${fallback.api_key}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`the model endpoint answered ${response.status} to GET /models`);
  const { data } = (await response.json()) as { data?: Partial<Model>[] };
  const listed = (data ?? []).slice(0, MAX_MODELS).flatMap(({ id, created, owned_by }): Model[] => {
    if (typeof id !== "string" || id === "") return [];
    return [
      {
        id,
        object: "model",
        created: toSeconds(created),
        owned_by: typeof owned_by === "string" ? owned_by : "unknown",
      },
    ];
  });
  if (listed.length > 0) await saveModels(pool, listed);
}

function toSeconds(created: unknown): number {
  return Number.isInteger(created) && (created as number) >= 0 && (created as number) < 2 ** 31
    ? (created as number)
    : 0;
}
