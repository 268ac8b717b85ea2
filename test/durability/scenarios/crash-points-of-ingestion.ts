// Every step that makes a file searchable breaks between every two of its statements, before it has begun, and when it is
// done and Temporal does not know: one file for each point, and each point breaks once.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WorkerPoint } from "../failpoints/failpoint.ts";
import { ingestWorkflowId } from "../../../workflows/definitions.ts";
import { plantBadFile, plantFile } from "../faults/planted-files.ts";
import type { PlantedFile } from "../faults/planted-files.ts";
import type { Random } from "../faults/random.ts";
import { talkOf } from "../faults/scenario.ts";
import type { Scenario, Stage } from "../faults/scenario.ts";
import { addFile, createStore, expectIngested, uploadFile } from "../faults/stored-files.ts";
import { breakWorkers, choosePoints, countStatements, OUTER_POINTS, statementPoints } from "./breaking-workers.ts";
import type { At } from "./breaking-workers.ts";

/** A step may be tried several times for each, one after the other. */
const REST_MS = 600_000;
const PAGE_BYTES = 6000;

interface Life {
  name: string;
  plant: (random: Random) => PlantedFile;
  /** Numbers of the activities in the workflow. */
  breaking: readonly number[];
}

const LIVES: readonly Life[] = [
  { name: "read and embedded", plant: plantPage, breaking: [1, 2] },
  { name: "refused by its parser", plant: (random) => plantFailing(random, "invalid_file"), breaking: [1] },
  { name: "refused by the endpoint", plant: (random) => plantFailing(random, "server_error"), breaking: [2] },
];

/** A file in a store, and the workflow that is to make it searchable. */
interface Added {
  store: string;
  id: string;
  planted: PlantedFile;
  workflowId: string;
}

export const ingestCrashPoints: Scenario = {
  name: "files: crash points of ingestion",
  fault:
    "a worker loses its connection between every two statements of reading, embedding, completing and failing a file; or it dies there, or before a step, or before Temporal hears of its end: at a third of these points, which the seed chooses",
  world: { apis: 1, workers: 0 },
  async play(stage) {
    const folder = mkdtempSync(join(tmpdir(), "failpoints-"));
    try {
      const cases = await casesOf(stage, join(folder, "record"));
      const isDeath = ({ at }: Case) => at.kind !== "statement" || at.deed === "kill";
      const chosen = choosePoints(stage, cases, { tasted: 6, isDeath });
      // All are accepted before there is a worker, so that each point is known when its file is taken in hand.
      const added: Added[] = [];
      for (const { life } of chosen) added.push(await add(stage, life));
      const points = chosen.map(({ activity, at }, index): WorkerPoint => ({
        runId: added[index]?.workflowId ?? "",
        activity,
        at,
      }));
      await breakWorkers(stage, {
        points,
        file: join(folder, "plan"),
        work: () => Promise.all(added.map((one) => see(stage, one))),
      });
      // For what is left to do behind the ends of files.
      await stage.world.stack.startWorker();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

interface Case {
  life: Life;
  activity: number;
  at: At;
}

async function casesOf(stage: Stage, file: string): Promise<Case[]> {
  const added = await Promise.all(LIVES.map((life) => add(stage, life)));
  const counts = await countStatements(stage, file, () => Promise.all(added.map((one) => see(stage, one))));
  return LIVES.flatMap((life, index) =>
    life.breaking.flatMap((activity) => {
      const count = counts.get(`${added[index]?.workflowId} ${activity}`) ?? 0;
      if (count === 0) throw new Error(`${life.name}: no statement of activity ${activity} was recorded`);
      return [...OUTER_POINTS, ...statementPoints(count)].map((at) => ({ life, activity, at }));
    }),
  );
}

async function add(stage: Stage, { plant }: Life): Promise<Added> {
  const talk = talkOf(stage, REST_MS);
  const planted = plant(stage.random);
  const [id, store] = [await uploadFile(talk, planted), await createStore(talk)];
  await addFile(talk, store, id);
  const { rows } = await stage.world.stack.db.query<{ id: number }>(
    "select id::int from vector_store_files where vector_store_id = $1 and file_id = $2",
    [store, id],
  );
  const workflowId = ingestWorkflowId({ id: rows[0]?.id ?? 0, vector_store_id: store, file_id: id });
  return { store, id, planted, workflowId };
}

async function see(stage: Stage, { store, id, planted, workflowId }: Added): Promise<void> {
  await expectIngested(talkOf(stage, REST_MS), store, id, planted).catch((error: unknown) =>
    stage.told.complain(`${workflowId}: ${String(error)}`),
  );
}

function plantPage(random: Random): PlantedFile {
  for (;;) {
    const planted = plantFile(random);
    if (planted.content.length < PAGE_BYTES) return planted;
  }
}

function plantFailing(random: Random, code: PlantedFile["fails"]): PlantedFile {
  for (;;) {
    const planted = plantBadFile(random);
    if (planted.fails === code) return planted;
  }
}
