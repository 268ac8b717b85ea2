// A run that kills the worker that makes its turn, every time, and beside it a slow innocent, which is in the hands of
// the same workers again and again.
import type { Run } from "../../../contract/run.ts";
import { scripted } from "../../support/scripts.ts";
import type { ScriptedTurn } from "../../support/scripts.ts";
import { waitUntil } from "../../support/wait-until.ts";
import { POISON } from "../failpoints/failpoint.ts";
import type { Blow } from "../faults/blow.ts";
import type { Stage } from "../faults/scenario.ts";

const END_MS = 300_000;

const slowly: ScriptedTurn = { text: "word ".repeat(100), chunk_chars: 5, chunk_ms: 40 };

export const poison: Blow = {
  hits: ["runs"],
  world: { fromWithin: true },
  async strike(stage) {
    stage.struck();
    const [innocent, poisoned] = await Promise.all([
      runToEnd(stage, [slowly]),
      runToEnd(stage, [{ text: POISON, chunk_chars: 20 }]),
    ]);
    const { told } = stage;
    if (poisoned.status !== "failed") told.complain(`the poison ${poisoned.id} is ${poisoned.status}`);
    if (innocent.status !== "completed") {
      told.complain(`${innocent.id} went with it: ${innocent.status} ${JSON.stringify(innocent.last_error)}`);
    }
  },
};

async function runToEnd({ client, told, assistantId }: Stage, turns: readonly ScriptedTurn[]): Promise<Run> {
  const thread = { messages: [{ role: "user", content: scripted(turns) }] };
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
