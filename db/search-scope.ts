// The files that a search may find something in, as SQL that begins each of its statements.
import type { SearchFilter } from "../contract/search-filter.ts";
import { toFilterPath } from "./search-filter.ts";

export interface SearchScope {
  project_id: string;
  vector_store_ids: readonly string[];
}

/** Completed files of these stores, of this project, whose attributes fit. Parameters $1 to $4. */
export const FILES = `files as materialized (
  select id, file_id from vector_store_files
  where project_id = $1 and vector_store_id = any($2::text[]) and status = 'completed'
    and ($3::text is null or jsonb_path_match(attributes, $3::text::jsonpath, $4::text::jsonb, true) is true))`;

/** The values of $1 to $4. */
export function scopeValues(scope: SearchScope, filters: SearchFilter | undefined): unknown[] {
  const filter = filters === undefined ? undefined : toFilterPath(filters);
  return [scope.project_id, [...scope.vector_store_ids], filter?.path ?? null, filter?.values ?? null];
}

/** A chunk that one half of the search has found. */
export interface Candidate {
  id: number;
  file_id: string;
  chunk_index: number;
}
