// A run that kills the worker that makes its turn, every time.
import type { Run } from "../../../contract/run.ts";
import { scripted } from "../../support/scripts.ts";
import { waitUntil } from "../../support/wait-until.ts";
import { POISON_VARIABLE } from "../failpoints/failpoint.ts";
import { PRELOAD } from "../failpoints/preload-path.ts";
import type { Scenario, Stage } from "../faults/scenario.ts";
import { mixed } from "./mixed.ts";

const POISON = "hemlock";
const END_MS = 300_000;

export const poison: Scenario = {
  name: "poison run",
  fault: "runs that kill their worker each time they are tried; the others go on beside them",
  world: { workers: 2, settings: { NODE_OPTIONS: `--import=${PRELOAD}`, [POISON_VARIABLE]: POISON } },
  load: mixed({ taste: 15, bounded: 60, long: 200 }),
  async play(stage) {
    let isOver = false;
    const supervised = keepWorkers(stage, () => isOver);
    const count = { taste: 1, bounded: 2, long: 4 }[stage.extent];
    // A slow innocent beside each: it is in the hands of the same workers, again and again.
    const ends = await Promise.all(
      Array.from({ length: count }, async () => {
        const innocent = runToEnd(stage, [{ text: "word ".repeat(100), chunk_chars: 5, chunk_ms: 40 }]);
        const poisoned = runToEnd(stage, [{ text: POISON, chunk_chars: 20 }]);
        return { innocent: await innocent, poisoned: await poisoned };
      }),
    );
    isOver = true;
    await supervised;
    for (const { poisoned, innocent } of ends) {
      if (poisoned.status !== "failed") stage.told.complain(`the poison ${poisoned.id} is ${poisoned.status}`);
      if (innocent.status !== "completed") {
        stage.told.complain(`${innocent.id} went with it: ${innocent.status} ${JSON.stringify(innocent.last_error)}`);
      }
    }
  },
};

/** Starts a worker in the place of each that dies. */
async function keepWorkers(stage: Stage, isOver: () => boolean): Promise<void> {
  const { stack } = stage.world;
  while (!isOver()) {
    await waitUntil("a worker is missing, or all is over", () => isOver() || stack.workers.length < 2, END_MS);
    if (isOver()) return;
    stage.struck();
    stage.healed();
    await stack.startWorker();
  }
}

async function runToEnd({ client, told, assistantId }: Stage, turns: object[]): Promise<Run> {
  const thread = { messages: [{ role: "user", content: scripted(turns as Record<string, unknown>[]) }] };
  const { body: run } = await client.post<Run>("/threads/runs", { assistant_id: assistantId, thread });
  told.run(run);
  return waitUntil(
    `${run.id} has ended`,
    async () => {
      const { body } = await client.get<Run>(`/threads/${run.thread_id}/runs/${run.id}`);
      return ["completed", "failed", "expired"].includes(body.status) && body;
    },
    END_MS,
  );
}
