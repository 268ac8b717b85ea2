// After a scenario: whether files and their contents are what clients were told, and nothing is left of others once the
// janitor has been there.
import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import type pg from "pg";
import { removeOrphans } from "../../../activities/remove-orphans.ts";
import type { AuditedBlobs } from "../../../audit/blobs.ts";
import type { Blobs } from "../../../blobs/blobs.ts";
import { ORPHAN_AFTER_MS } from "../../../contract/limits.ts";
import { createPool } from "../../../db/pool.ts";
import type { Told } from "./told.ts";
import type { World } from "./world.ts";

/** As old as the janitor, and the audit, want orphans to be. */
const AGED_MS = 3 * ORPHAN_AFTER_MS;

export interface FileVerdict {
  /** Files that were stored, those that were deleted since included. */
  files: number;
  /** How files in vector stores ended, by status, and how many of each. */
  ended: Record<string, number>;
  complaints: string[];
}

/** @param faults how often something was broken */
export async function judgeFiles({ stack, blobs, sandboxes }: World, told: Told, faults: number): Promise<FileVerdict> {
  // A call of code that is made again leaves what it had written before, and how often that was, nobody counts.
  const mayLeaveAny = sandboxes !== undefined && faults > 0;
  const complaints = [
    ...(await complainOfFiles(stack.db, blobs, told)),
    ...(await complainOfOrphans(stack.databaseUrl, blobs, mayLeaveAny ? Number.POSITIVE_INFINITY : excusedBlobs(told))),
  ];
  return { files: told.files.size, ended: await countEnds(stack.db), complaints };
}

/** The same blobs, as if time had gone by. */
export function age(blobs: Blobs): AuditedBlobs & Blobs {
  return {
    write: (...args) => blobs.write(...args),
    read: (...args) => blobs.read(...args),
    delete: (key) => blobs.delete(key),
    removeUnfinished: (begunBefore) => blobs.removeUnfinished(new Date(begunBefore.getTime() + AGED_MS)),
    async *list() {
      for await (const { key, writtenAt } of blobs.list()) {
        yield { key, writtenAt: new Date(writtenAt.getTime() - AGED_MS) };
      }
    },
  };
}

/** What a 2xx was given for is there, byte by byte; what was deleted is not. */
async function complainOfFiles(db: pg.Pool, blobs: Blobs, { files, deletedFiles }: Told): Promise<string[]> {
  const { rows } = await db.query<{ id: string; blob: string; sha256: Buffer }>("select id, blob, sha256 from files");
  const stored = new Map(rows.map((row) => [row.id, row]));
  const complaints: string[] = [];
  for (const [id, content] of files) {
    const row = stored.get(id);
    const isDeleted = deletedFiles.has(id);
    if (isDeleted !== (row === undefined)) {
      complaints.push(`${id} ${isDeleted ? "was deleted, and is there" : "was accepted, and is not there"}`);
    }
    if (row === undefined) continue;
    const sha256 = createHash("sha256").update(content).digest();
    const bytes = await buffer(await blobs.read(row.blob)).catch(() => undefined);
    if (!row.sha256.equals(sha256) || bytes === undefined || !bytes.equals(content)) {
      complaints.push(`${id} does not have the content that was sent`);
    }
  }
  return complaints;
}

/** Only a request that broke off may have left one, and a deletion whose blob the store did not let go. */
function excusedBlobs({ troubles, brokenUploads, deletedFiles }: Told): number {
  return troubles.size === 0 ? 0 : brokenUploads + deletedFiles.size;
}

/** Lets the janitor remove the orphans: behind it the audit finds none. */
async function complainOfOrphans(url: string, blobs: Blobs, excused: number): Promise<string[]> {
  const pool = createPool({ url, max: 2, name: "test", onError: () => undefined });
  try {
    const { orphanedBlobs } = await removeOrphans({ pool, blobs: age(blobs) });
    if (orphanedBlobs <= excused) return [];
    return [`${orphanedBlobs} blobs are without a row, and only ${excused} requests can have left one`];
  } finally {
    await pool.end();
  }
}

async function countEnds(db: pg.Pool): Promise<Record<string, number>> {
  const { rows } = await db.query<{ status: string; files: number }>(
    "select status, count(*)::int as files from vector_store_files group by status order by files desc, status",
  );
  return Object.fromEntries(rows.map(({ status, files }) => [status, files]));
}
