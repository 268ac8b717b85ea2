// Keyset pages: every list is read from its cursor on, so a page costs the same at any depth.
import { unknownCursor } from "../contract/errors.ts";
import type { Page, PageQuery } from "../contract/list.ts";
import type { Queryable } from "./pool.ts";

export interface PageSource {
  /** Table to read; it has the columns `id` and `seq`. */
  table: string;
  /** The columns of one item, as SQL. */
  columns: string;
  /** SQL condition with parameters from $1 on that scopes the list, project included. */
  where: string;
  values: readonly unknown[];
}

/** Reads one page of a list. A cursor that is not in the list is an error of the caller (400). */
export async function readPage<T>(db: Queryable, source: PageSource, query: PageQuery): Promise<Page<T>> {
  const { table, columns, where } = source;
  const values = [...source.values];
  const conditions = [where];
  for (const param of ["after", "before"] as const) {
    const cursor = query[param];
    if (cursor === undefined) continue;
    const { rows } = await db.query<{ seq: number }>(
      `select seq from ${table} where (${where}) and id = $${source.values.length + 1}`,
      [...source.values, cursor],
    );
    const found = rows[0];
    if (found === undefined) throw unknownCursor(param, cursor);
    values.push(found.seq);
    const newer = (param === "after") === (query.order === "asc");
    conditions.push(`seq ${newer ? ">" : "<"} $${values.length}`);
  }

  // With only `before`, the page is what directly precedes the cursor: read towards it, then turned round.
  const backwards = query.before !== undefined && query.after === undefined;
  const descending = (query.order === "desc") !== backwards;
  const { rows } = await db.query<T & object>(
    `select ${columns} from ${table} where ${conditions.map((c) => `(${c})`).join(" and ")}
     order by seq ${descending ? "desc" : "asc"} limit ${query.limit + 1}`,
    values,
  );
  const has_more = rows.length > query.limit;
  const data = rows.slice(0, query.limit);
  return { data: backwards ? data.reverse() : data, has_more };
}
