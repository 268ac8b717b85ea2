// Files and their contents: the list of all blobs and the rows that name them, walked side by side in the order of the
// keys. Neither is ever whole in memory.
import type { BlobEntry, Blobs } from "../blobs/blobs.ts";
import { JANITOR_INTERVAL_MS, ORPHAN_AFTER_MS, ORPHAN_SEARCH_INTERVAL_MS } from "../contract/limits.ts";
import type { Pool } from "../db/pool.ts";
import type { Catalogue, Tally, Violation } from "./tally.ts";

export const BLOB_CATALOGUE: Catalogue = {
  "file-has-blob":
    "The content of every file, of every part of an upload, and of all that code has written, is in the blob store.",
  "blob-has-row": "A blob that none of these names is removed by the janitor when it is old.",
};

/** What is looked at between two questions to the database. */
const BATCH = 500;
/** The janitor looks for orphans in intervals; one of its rounds may have been missed. */
const ORPHAN_IS_LATE_MS = ORPHAN_AFTER_MS + 2 * ORPHAN_SEARCH_INTERVAL_MS + JANITOR_INTERVAL_MS;

export type AuditedBlobs = Pick<Blobs, "list" | "read">;

interface Named {
  id: string;
  blob: string;
}

/** Everything that names a blob, in the order of the keys. */
const NAMED = `
  select id, blob from (
    select id, blob from files union all
    select id, blob from upload_parts union all
    select file_id, blob from code_files c where not exists (select 1 from files f where f.blob = c.blob)
  ) named where blob collate "C" > $1 order by blob collate "C" limit $2`;

export async function checkBlobs(db: Pool, tally: Tally, blobs: AuditedBlobs, graceMs: number): Promise<void> {
  const orphanBefore = Date.now() - ORPHAN_IS_LATE_MS - graceMs;
  const rows = createReader(db);
  let row = await rows();
  for await (const entry of blobs.list()) {
    while (row !== undefined && row.blob < entry.key) {
      tally.add("file-has-blob", await judgeRow(db, blobs, row));
      row = await rows();
    }
    const isNamed = row?.blob === entry.key;
    if (isNamed) {
      tally.add("file-has-blob", { checked: 1, violations: [] });
      row = await rows();
    }
    const isLate = !isNamed && entry.writtenAt.getTime() < orphanBefore;
    tally.add("blob-has-row", { checked: 1, violations: isLate ? await judgeOrphan(db, entry) : [] });
  }
  for (; row !== undefined; row = await rows()) tally.add("file-has-blob", await judgeRow(db, blobs, row));
}

/** Gives one row after the other, and undefined in the end. */
function createReader(db: Pool): () => Promise<Named | undefined> {
  let batch: Named[] = [];
  let last = "";
  let isEnd = false;
  return async () => {
    if (batch.length === 0 && !isEnd) {
      ({ rows: batch } = await db.query<Named>(NAMED, [last, BATCH]));
      isEnd = batch.length < BATCH;
      last = batch.at(-1)?.blob ?? last;
    }
    return batch.shift();
  };
}

/** Not in the list: it is asked for by its key, and the row is looked at again, for it may have gone meanwhile. */
async function judgeRow(
  db: Pool,
  blobs: AuditedBlobs,
  { id, blob }: Named,
): Promise<{ checked: number; violations: Violation[] }> {
  const content = await blobs.read(blob).catch(() => undefined);
  content?.destroy();
  const isFine = content !== undefined || !(await isNamedNow(db, blob));
  return { checked: 1, violations: isFine ? [] : [{ id, reason: `its content, ${blob}, is gone` }] };
}

/** A row that was made after the walk had begun may name it. */
async function judgeOrphan(db: Pool, { key, writtenAt }: BlobEntry): Promise<Violation[]> {
  if (await isNamedNow(db, key)) return [];
  return [{ id: key, reason: `was written at ${writtenAt.toISOString()}, and nothing names it` }];
}

async function isNamedNow(db: Pool, blob: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `select 1 from files where blob = $1 union all select 1 from upload_parts where blob = $1
     union all select 1 from code_files where blob = $1`,
    [blob],
  );
  return rowCount !== 0;
}
