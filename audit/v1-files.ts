// The lists of files that version 1 shows for assistants, messages and runs.
import type { RowInvariant } from "./row-check.ts";

export const V1_FILE_INVARIANTS: readonly RowInvariant[] = [
  {
    name: "v1-files",
    says: "A list of files for version 1 has files in it, each once, with its id and its time.",
    checks: [ofTable("assistants"), ofTable("messages"), ofTable("runs")],
  },
];

function ofTable(over: "assistants" | "messages" | "runs"): RowInvariant["checks"][number] {
  return {
    over,
    sql: `
      select id, case
        when json_typeof(v1_files) <> 'array' or json_array_length(v1_files) = 0 then 'has a list that is none'
        when (select count(distinct file ->> 'id') from json_array_elements(v1_files) file)
          <> json_array_length(v1_files) then 'lists a file twice, or one without an id'
        when exists (select 1 from json_array_elements(v1_files) file
          where json_typeof(file -> 'created_at') is distinct from 'number') then 'lists a file without its time'
        end as reason
      from ${over} where id = any($1) and v1_files is not null`,
  };
}
