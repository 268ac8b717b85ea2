// How long it takes after a fault until every run and every file that it may have stopped has moved on.
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";

const POLL_MS = 100;
const GIVE_UP_MS = 180_000;

interface Progress {
  id: string;
  status: string;
  epoch: number;
  seq: number;
}

const PROGRESS = `
  select id, status, epoch, greatest(
    (select coalesce(max(seq), 0) from run_events e where e.run_id = r.id),
    (select coalesce(max(seq), 0) from run_deltas d where d.run_id = r.id)) as seq
  from runs r`;
/** A file moves on with each try and each chunk. */
const FILE_PROGRESS = `
  select id::text, status, epoch, (select count(*) from chunks c where c.vector_store_file_id = f.id) as seq
  from vector_store_files f`;

export interface RecoveryWatch {
  /** A fault has ended, or a process was killed: the runs that are under way at this moment are followed. */
  mark(): void;
  /** Resolves to the milliseconds that each of them took, when all have moved on. */
  all(): Promise<number[]>;
}

/** @param db must not go through the fault */
export function watchRecovery(db: pg.Pool): RecoveryWatch {
  const marks: Promise<number[]>[] = [];
  return {
    mark() {
      const followed = follow(db, Date.now());
      followed.catch(() => undefined); // `all` throws it
      marks.push(followed);
    },
    all: async () => (await Promise.all(marks)).flat(),
  };
}

async function follow(db: pg.Pool, endedAt: number): Promise<number[]> {
  const before = new Map((await readProgress(db, "status in ('queued', 'in_progress', 'cancelling')")).map(toEntry));
  const took: number[] = [];
  while (before.size > 0 && Date.now() - endedAt < GIVE_UP_MS) {
    await sleep(POLL_MS);
    const now = new Map((await readProgress(db, "id::text = any($1)", [[...before.keys()]])).map(toEntry));
    for (const [id, was] of before) {
      if (!hasMoved(was, now.get(id))) continue;
      before.delete(id);
      took.push(Date.now() - endedAt);
    }
  }
  // Those that never moved are found by the deadline and the audit.
  return [...took, ...Array.from(before, () => Date.now() - endedAt)];
}

function hasMoved(was: Progress, now: Progress | undefined): boolean {
  return now === undefined || now.status !== was.status || now.epoch !== was.epoch || now.seq > was.seq;
}

/** The database may be coming back only now. */
async function readProgress(db: pg.Pool, where: string, values: unknown[] = []): Promise<Progress[]> {
  const since = Date.now();
  for (;;) {
    try {
      const { rows } = await db.query<Progress>(
        `${PROGRESS} where ${where} union all ${FILE_PROGRESS} where ${where}`,
        values,
      );
      return rows.map((row) => ({ ...row, seq: Number(row.seq) }));
    } catch (error) {
      if (Date.now() - since > GIVE_UP_MS) throw error;
      await sleep(POLL_MS);
    }
  }
}

function toEntry(progress: Progress): [string, Progress] {
  return [progress.id, progress];
}
