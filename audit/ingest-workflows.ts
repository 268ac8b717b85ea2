// Files on their way into vector stores and their workflows, from both sides. What looks wrong is looked at again after a
// while, and the file's row is read last: it ends before its workflow does.
import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "../db/pool.ts";
import { ingestWorkflowId } from "../workflows/definitions.ts";
import type { Tally } from "./tally.ts";
import { describeWorkflow, listOpenIds } from "./workflow-view.ts";
import type { WorkflowAccess } from "./workflow-view.ts";

export const INGEST_CATALOGUE = {
  "ingest-has-file": "An open workflow of a file has a file that is on its way.",
  "file-has-ingest": "A file that is on its way has an open workflow.",
};

const BATCH = 500;

export interface IngestCheckOptions {
  access: WorkflowAccess;
  /** How old a file must be to have a workflow. */
  graceMs: number;
  /** How long something must look wrong to be wrong. */
  confirmAfterMs: number;
}

export async function checkIngests(db: Pool, tally: Tally, options: IngestCheckOptions): Promise<void> {
  await checkOpen(db, tally, options);
  await checkFiles(db, tally, options);
}

async function checkOpen(db: Pool, tally: Tally, { access, confirmAfterMs }: IngestCheckOptions): Promise<void> {
  for await (const ids of listOpenIds(access, "ingestWorkflow")) {
    tally.checked("ingest-has-file", ids.length);
    const suspects = await withoutFile(db, ids);
    if (suspects.length === 0) continue;
    await sleep(confirmAfterMs);
    for (const id of await withoutFile(db, suspects)) {
      if ((await describeWorkflow(access, id))?.isOpen !== true) continue;
      tally.violation("ingest-has-file", id, "is open, and there is no such file on its way");
    }
  }
}

/** Those of the workflows whose file is not on its way. */
async function withoutFile(db: Pool, workflowIds: readonly string[]): Promise<string[]> {
  const numbers = workflowIds.map((id) => Number(/_(\d+)$/.exec(id)?.[1] ?? 0));
  const { rows } = await db.query<{ id: number; vector_store_id: string; file_id: string }>(
    "select id, vector_store_id, file_id from vector_store_files where id = any($1::bigint[]) and status = 'in_progress'",
    [numbers],
  );
  const known = new Set(rows.map(ingestWorkflowId));
  return workflowIds.filter((id) => !known.has(id));
}

async function checkFiles(db: Pool, tally: Tally, options: IngestCheckOptions): Promise<void> {
  const { access, graceMs, confirmAfterMs } = options;
  for (let after = 0; ;) {
    const files = await readOnTheirWay(db, graceMs, after);
    tally.checked("file-has-ingest", files.length);
    const suspects = [];
    for (const file of files) if (!(await isOpen(access, file))) suspects.push(file);
    if (suspects.length > 0) await sleep(confirmAfterMs);
    for (const file of suspects) {
      if (await isOpen(access, file)) continue;
      const still = await db.query("select 1 from vector_store_files where id = $1 and status = 'in_progress'", [
        file.id,
      ]);
      if (still.rowCount === 1)
        tally.violation("file-has-ingest", String(file.id), "is on its way, and has no workflow");
    }
    const last = files.at(-1);
    if (last === undefined || files.length < BATCH) return;
    after = last.id;
  }
}

interface FileOnItsWay {
  id: number;
  vector_store_id: string;
  file_id: string;
}

async function readOnTheirWay(db: Pool, graceMs: number, after: number): Promise<FileOnItsWay[]> {
  const { rows } = await db.query<FileOnItsWay>(
    `select id, vector_store_id, file_id from vector_store_files
     where status = 'in_progress' and id > $1 and created_at < now() - $2::double precision * interval '1 ms'
     order by id limit ${BATCH}`,
    [after, graceMs],
  );
  return rows;
}

async function isOpen(access: WorkflowAccess, file: FileOnItsWay): Promise<boolean> {
  return (await describeWorkflow(access, ingestWorkflowId(file)))?.isOpen === true;
}
