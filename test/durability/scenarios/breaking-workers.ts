// Workers that break at the points of a plan: between statements of an activity, before it has begun, and when it is done
// and Temporal does not know.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { PLAN_VARIABLE, RECORD_VARIABLE } from "../failpoints/failpoint.ts";
import type { Deed, Moment, RecordedStatement, WorkerPoint } from "../failpoints/failpoint.ts";
import { PRELOAD } from "../failpoints/preload-path.ts";
import type { Stage } from "../faults/scenario.ts";

const WORKERS = 3;

export type At = WorkerPoint["at"];

/** Around everything that an activity does. */
export const OUTER_POINTS: readonly At[] = [
  { kind: "begin" },
  { kind: "return", moment: "before" },
  { kind: "return", moment: "during" },
];

/** Before each of so many statements, and during and after the last one, which is a commit; by death and by a cut. */
export function statementPoints(count: number): At[] {
  const all = Array.from({ length: count }, (_, index) => ({ nth: index + 1, moment: "before" as Moment }));
  const last = (["during", "after"] satisfies Moment[]).map((moment) => ({ nth: count, moment }));
  return (["kill", "cut"] satisfies Deed[]).flatMap((deed) =>
    [...all, ...last].map((point): At => ({ kind: "statement", ...point, deed })),
  );
}

/** A process takes seconds to start: of the deaths among many points so many are died unless there is plenty of time. */
const DEATHS = 0.35;

/** Some are enough for a taste; which ones, the seed says. */
export function choosePoints<Point>(
  { extent, random }: Stage,
  points: readonly Point[],
  { tasted, isDeath }: { tasted: number; isDeath: (point: Point) => boolean },
): Point[] {
  if (extent === "taste") return points.filter(() => random.chance(tasted / points.length));
  return extent === "long" ? [...points] : points.filter((point) => !isDeath(point) || random.chance(DEATHS));
}

/** Has a worker do `work`. Returns how many statements each activity took, by `workflow id` and number with a space between. */
export async function countStatements(
  stage: Stage,
  file: string,
  work: () => Promise<unknown>,
): Promise<Map<string, number>> {
  writeFileSync(file, "");
  const worker = await stage.world.stack.startWorker({
    NODE_OPTIONS: `--import=${PRELOAD}`,
    [RECORD_VARIABLE]: file,
  });
  await work();
  await worker.stop();
  const counts = new Map<string, number>();
  for (const line of readFileSync(file, "utf8").trim().split("\n")) {
    const { runId, activity, nth } = JSON.parse(line) as RecordedStatement;
    const name = `${runId} ${activity}`;
    counts.set(name, Math.max(counts.get(name) ?? 0, nth));
  }
  return counts;
}

interface Breaking {
  points: readonly WorkerPoint[];
  /** Path for the plan. */
  file: string;
  /** Resolves when the workers are not needed any more. */
  work: () => Promise<unknown>;
}

/** Keeps workers that break at these points, each once, while `work` goes on. */
export async function breakWorkers(stage: Stage, { points, file, work }: Breaking): Promise<void> {
  const { stack } = stage.world;
  writeFileSync(file, JSON.stringify({ points }));
  let isOver = false;
  const over = Promise.withResolvers<void>();
  /** A worker makes one turn, or has one file, at a time, so that its death is that of one. */
  async function keepOneWorker(): Promise<void> {
    while (!isOver) {
      const worker = await stack.startWorker({
        NODE_OPTIONS: `--import=${PRELOAD}`,
        WORKER_MAX_CONCURRENT_TURNS: "1",
        WORKER_MAX_CONCURRENT_FILES: "1",
        [PLAN_VARIABLE]: file,
      });
      await Promise.race([worker.exited, over.promise]);
    }
  }
  const workers = Promise.all(Array.from({ length: WORKERS }, keepOneWorker));
  await work();
  isOver = true;
  over.resolve();
  await workers;
  await Promise.all(stack.workers.map((worker) => worker.stop()));
  // A point that lies behind the end of its run, such as a second flush, is never reached.
  for (const runId of new Set(points.map((point) => point.runId))) if (existsSync(`${file}.${runId}`)) stage.struck();
}
