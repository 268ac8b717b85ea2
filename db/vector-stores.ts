// The rows of vector stores. Whoever adds files to a store holds its row, so that one of two comes after the other.
import { newId } from "../contract/ids.ts";
import { STORE_ACTIVITY_MS } from "../contract/limits.ts";
import type { Page, PageQuery } from "../contract/list.ts";
import type { CreateVectorStore, ModifyVectorStore, VectorStore } from "../contract/vector-store.ts";
import { readPage } from "./page.ts";
import type { Queryable } from "./pool.ts";
import type { StoreScope } from "./scope.ts";

/** Counts of the files for which a condition holds, as JSON. They are counted when they are asked for, so always right. */
export const countFiles = (condition: string): string => `
  (select json_build_object(
    'in_progress', count(*) filter (where f.status = 'in_progress'),
    'completed', count(*) filter (where f.status = 'completed'),
    'failed', count(*) filter (where f.status = 'failed'),
    'cancelled', count(*) filter (where f.status = 'cancelled'),
    'total', count(*)) from vector_store_files f where ${condition})`;

const EXPIRES_AT = "store_expires_at(last_active_at, expires_after_days)";
/** In a statement about stores. */
const IS_EXPIRED = `coalesce(${EXPIRES_AT} <= now(), false)`;

const STORE_COLUMNS = `
  id, 'vector_store' as object, unix(created_at) as created_at, name, description,
  (select coalesce(sum(f.usage_bytes), 0)::bigint from vector_store_files f
   where f.vector_store_id = vector_stores.id) as usage_bytes,
  ${countFiles("f.vector_store_id = vector_stores.id")} as file_counts,
  case when ${IS_EXPIRED} then 'expired'
    when exists (select 1 from vector_store_files f
      where f.vector_store_id = vector_stores.id and f.status = 'in_progress') then 'in_progress'
    else 'completed' end as status,
  case when expires_after_days is not null
    then json_build_object('anchor', 'last_active_at', 'days', expires_after_days) end as expires_after,
  unix(${EXPIRES_AT}) as expires_at, unix(last_active_at) as last_active_at, metadata`;

export interface NewStore extends Omit<CreateVectorStore, "file_ids" | "chunking_strategy"> {
  project_id: string;
}

/** Inserts an empty store and returns its id. */
export async function insertStore(tx: Queryable, { project_id, ...input }: NewStore): Promise<string> {
  const id = newId("vs_");
  await tx.query(
    `insert into vector_stores (created_at, last_active_at, id, project_id, name, description, metadata, expires_after_days)
     select now, now, $1, $2, $3, $4, $5, $6 from (select clock_timestamp() as now) as moment`,
    [
      id,
      project_id,
      input.name ?? null,
      input.description ?? null,
      JSON.stringify(input.metadata ?? {}),
      input.expires_after?.days ?? null,
    ],
  );
  return id;
}

export async function findStore(db: Queryable, scope: StoreScope): Promise<VectorStore | undefined> {
  const { rows } = await db.query<VectorStore>(
    `select ${STORE_COLUMNS} from vector_stores where project_id = $1 and id = $2`,
    [scope.project_id, scope.vector_store_id],
  );
  return rows[0];
}

export async function listStores(db: Queryable, project_id: string, query: PageQuery): Promise<Page<VectorStore>> {
  const source = { table: "vector_stores", columns: STORE_COLUMNS, where: "project_id = $1", values: [project_id] };
  return readPage<VectorStore>(db, source, query);
}

export interface StoreStanding {
  is_expired: boolean;
}

/** Whether a store can be used; undefined when there is none. */
export async function findStoreStanding(db: Queryable, scope: StoreScope): Promise<StoreStanding | undefined> {
  const { rows } = await db.query<StoreStanding>(
    `select ${IS_EXPIRED} as is_expired from vector_stores where project_id = $1 and id = $2`,
    [scope.project_id, scope.vector_store_id],
  );
  return rows[0];
}

/** The same, and holds the store's row until the transaction ends. */
export async function lockStore(tx: Queryable, scope: StoreScope): Promise<StoreStanding | undefined> {
  const { rows } = await tx.query<StoreStanding>(
    `select ${IS_EXPIRED} as is_expired from vector_stores where project_id = $1 and id = $2 for no key update`,
    [scope.project_id, scope.vector_store_id],
  );
  return rows[0];
}

/** Changes what `change` names, in a store that the transaction holds. */
export async function updateStore(tx: Queryable, scope: StoreScope, change: ModifyVectorStore): Promise<void> {
  const { name, expires_after, metadata } = change;
  await tx.query(
    `update vector_stores set
       name = case when $3 then $4 else name end,
       expires_after_days = case when $5 then $6::integer else expires_after_days end,
       metadata = case when $7 then $8::json else metadata end
     where project_id = $1 and id = $2`,
    [
      scope.project_id,
      scope.vector_store_id,
      name !== undefined,
      name ?? null,
      expires_after !== undefined,
      expires_after?.days ?? null,
      metadata !== undefined,
      JSON.stringify(metadata ?? {}),
    ],
  );
}

/** Notes that stores were used: their expiry counts from now on. An expired one stays so. */
export async function touchStores(db: Queryable, project_id: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await db.query(
    `with used as (
       select id from vector_stores
       where project_id = $1 and id = any($2) and not ${IS_EXPIRED}
         and last_active_at < clock_timestamp() - interval '${STORE_ACTIVITY_MS} ms'
       order by id for no key update
     )
     update vector_stores set last_active_at = clock_timestamp() from used
     where vector_stores.project_id = $1 and vector_stores.id = used.id`,
    [project_id, ids],
  );
}
