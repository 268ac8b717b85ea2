// Models that the workers' endpoints offer. They belong to the server, so this is the one table without projects.
import { MAX_MODELS } from "../contract/limits.ts";
import type { Model } from "../contract/model.ts";
import type { Queryable } from "./pool.ts";

const MODEL_COLUMNS = "id, 'model' as object, created, owned_by";

export async function listModels(db: Queryable): Promise<Model[]> {
  const { rows } = await db.query<Model>(`select ${MODEL_COLUMNS} from models order by id limit ${MAX_MODELS}`);
  return rows;
}

export async function findModel(db: Queryable, id: string): Promise<Model | undefined> {
  const { rows } = await db.query<Model>(`select ${MODEL_COLUMNS} from models where id = $1`, [id]);
  return rows[0];
}

/** Adds what an endpoint offers now, or refreshes it. */
export async function saveModels(db: Queryable, models: readonly Model[]): Promise<void> {
  await db.query(
    `insert into models (id, created, owned_by)
     select distinct on (id) id, created, owned_by from unnest($1::text[], $2::integer[], $3::text[]) as m (id, created, owned_by)
     order by id
     on conflict (id) do update set created = excluded.created, owned_by = excluded.owned_by, seen_at = now()`,
    [models.map((model) => model.id), models.map((model) => model.created), models.map((model) => model.owned_by)],
  );
}
