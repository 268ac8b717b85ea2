// What citations quote: version 1 shows it, and only the results of the run's searches hold it.
import { MAX_CITATION_QUOTE_LENGTH } from "../contract/limits.ts";
import type { Queryable } from "./pool.ts";

/** The beginning of a passage, by its run and its two numbers in markers. */
export interface Passage {
  run_id: string;
  call: number;
  passage: number;
  text: string;
}

/** The passages that the searches of these runs have found. */
export async function readPassages(db: Queryable, project_id: string, runIds: readonly string[]): Promise<Passage[]> {
  if (runIds.length === 0) return [];
  const { rows } = await db.query<Passage>(
    `select c.run_id, c.number as call, result.position - 1 as passage,
       left(result.value #>> '{content,0,text}', ${MAX_CITATION_QUOTE_LENGTH}) as text
     from built_in_calls c
     join run_steps s on s.id = c.run_step_id
     cross join json_array_elements(s.step_details -> 'tool_calls') as shown
     cross join json_array_elements(shown #> '{file_search,results}') with ordinality as result (value, position)
     where c.project_id = $1 and c.run_id = any($2) and c.tool = 'file_search' and shown ->> 'id' = c.call_id`,
    [project_id, runIds],
  );
  return rows;
}
