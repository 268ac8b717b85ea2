// Every request that accepts something breaks between every two of its statements, once by the death of the process and
// once by the loss of its connection to Postgres. Then the client sends it again.
import type { Run } from "../../../contract/run.ts";
import { calls, lookup, scripted } from "../../support/scripts.ts";
import type { ScriptedTurn } from "../../support/scripts.ts";
import { waitUntil } from "../../support/wait-until.ts";
import { BREAK_HEADER, COUNT_HEADER } from "../failpoints/failpoint.ts";
import type { Deed, StatementPoint } from "../failpoints/failpoint.ts";
import type { Scenario, Stage } from "../faults/scenario.ts";

const REST_MS = 60_000;
/** They take turns in dying, so that one can be started while another one is broken. */
const APIS = 3;

/** A request that is made ready anew for each point, and what is to become of its run. */
interface Accepting {
  name: string;
  prepare(stage: Stage): Promise<{ path: string; body: unknown; run?: Run }>;
  right: Run["status"];
}

const ACCEPTING: readonly Accepting[] = [
  {
    name: "create a run",
    async prepare(stage) {
      const thread = await stage.client.post<{ id: string }>("/threads", say([{ text: "done" }]));
      const body = {
        assistant_id: stage.assistantId,
        additional_messages: [{ role: "user", content: scripted([{ text: "done" }]) }],
      };
      return { path: `/threads/${thread.body.id}/runs`, body };
    },
    right: "completed",
  },
  {
    name: "create a thread and run it",
    prepare: async (stage) => ({
      path: "/threads/runs",
      body: { assistant_id: stage.assistantId, thread: say([{ text: "done" }]) },
    }),
    right: "completed",
  },
  {
    name: "add a message",
    async prepare(stage) {
      const thread = await stage.client.post<{ id: string }>("/threads", {});
      return { path: `/threads/${thread.body.id}/messages`, body: { role: "user", content: "One more." } };
    },
    right: "completed",
  },
  {
    name: "submit outputs",
    async prepare(stage) {
      const run = await startAndWait(stage, [calls("a", "b"), { text: "done" }], "requires_action");
      const pending = run.required_action?.submit_tool_outputs.tool_calls ?? [];
      const tool_outputs = pending.map(({ id }) => ({ tool_call_id: id, output: `found ${id}` }));
      return { path: `${pathOf(run)}/submit_tool_outputs`, body: { tool_outputs }, run };
    },
    right: "completed",
  },
  {
    name: "cancel a run that waits",
    async prepare(stage) {
      const run = await startAndWait(stage, [calls("a")], "requires_action");
      return { path: `${pathOf(run)}/cancel`, body: {}, run };
    },
    right: "cancelled",
  },
  {
    name: "cancel a run that speaks",
    async prepare(stage) {
      const slow = { text: "word ".repeat(200), chunk_chars: 5, chunk_ms: 100 };
      const run = await startAndWait(stage, [slow], "in_progress");
      return { path: `${pathOf(run)}/cancel`, body: {}, run };
    },
    right: "cancelled",
  },
];

export const apiCrashPoints: Scenario = {
  name: "every crash point of accepting",
  fault: "an API dies, or loses its connection, between every two statements of six kinds of requests",
  world: { apis: APIS, workers: 1, fromWithin: true },
  async play(stage) {
    const replacing: Promise<void>[] = [];
    let turn = 0;
    for (const accepting of ACCEPTING) {
      await Promise.all(replacing);
      const points = await pointsOf(stage, accepting);
      const chosen = stage.extent === "taste" ? [stage.random.pick(points)] : points;
      for (const point of chosen) {
        const index = turn++ % APIS;
        await replacing[index];
        const isDead = await breakOnce(stage, accepting, point, index);
        if (isDead) replacing[index] = stage.world.replaceApi(index);
      }
    }
    await Promise.all(replacing);
  },
};

/** Before each statement, during and after the last one, which is the commit. */
async function pointsOf(stage: Stage, accepting: Accepting): Promise<StatementPoint[]> {
  const { path, body, run } = await accepting.prepare(stage);
  const answer = await send(stage, { index: 0, path, body, key: stage.random.key(), breaking: "count" });
  const count = Number(answer?.headers.get(COUNT_HEADER));
  if (!(count > 0)) throw new Error(`${accepting.name}: no statement was counted`);
  await settle(stage, accepting, await readBody(answer), run);
  const all = Array.from({ length: count }, (_, index) => ({ nth: index + 1, moment: "before" as const }));
  const last = [
    { nth: count, moment: "during" as const },
    { nth: count, moment: "after" as const },
  ];
  return (["kill", "cut"] satisfies Deed[]).flatMap((deed) => [...all, ...last].map((point) => ({ ...point, deed })));
}

/** Returns whether the API is dead now. */
async function breakOnce(stage: Stage, accepting: Accepting, point: StatementPoint, index: number): Promise<boolean> {
  const { world, client, told } = stage;
  const { path, body, run } = await accepting.prepare(stage);
  const key = stage.random.key();
  const victim = world.stack.apis.find(({ url }) => `${url}/v1` === world.apiUrls()[index]);
  const answer = await send(stage, { index, path, body, key, breaking: JSON.stringify(point) });
  const where = `${accepting.name}, ${point.deed} ${point.moment} statement ${point.nth}`;
  if (answer !== undefined && answer.status < 500) {
    told.complain(`${where}: it was answered all the same`);
    return false;
  }
  stage.struck();
  if (point.deed === "kill") {
    await victim?.exited;
    stage.healed();
  }
  const repeated = await client.post<Run>(path, body, key);
  if (repeated.status !== 200) told.complain(`${where}: the repeat was answered ${JSON.stringify(repeated)}`);
  else await settle(stage, accepting, repeated.body, run);
  return point.deed === "kill";
}

/** Tells what was accepted, and waits for what is to become of it. */
async function settle(stage: Stage, { name, right }: Accepting, body: Run, before?: Run): Promise<void> {
  const { told } = stage;
  if (name === "add a message") return void told.messages.push({ id: body.id, thread_id: body.thread_id });
  if (before === undefined) told.run(body);
  if (name === "submit outputs") {
    for (const { id } of before?.required_action?.submit_tool_outputs.tool_calls ?? []) {
      told.outputs.push({ run_id: body.id, thread_id: body.thread_id, tool_call_id: id, output: `found ${id}` });
    }
  }
  told.status(await untilStatus(stage, body, right));
}

/** Goes to one API: its process is the victim. Undefined when no answer came. */
async function send(
  { world }: Stage,
  { index, path, body, key, breaking }: { index: number; path: string; body: unknown; key: string; breaking: string },
): Promise<Response | undefined> {
  const api = world.apiUrls()[index];
  const authorization = `Bearer ${world.stack.apiKey}`;
  // A process looks a key up once in a while: now, so that the request takes as many statements each time.
  await fetch(`${api}/assistants?limit=1`, { headers: { authorization, "openai-beta": "assistants=v2" } });
  return fetch(`${api}${path}`, {
    method: "POST",
    headers: {
      authorization,
      "openai-beta": "assistants=v2",
      "content-type": "application/json",
      "idempotency-key": key,
      [BREAK_HEADER]: breaking,
    },
    body: JSON.stringify(body),
  }).catch(() => undefined);
}

async function readBody(response: Response | undefined): Promise<Run> {
  if (response?.status !== 200) throw new Error(`an unbroken request was answered ${response?.status}`);
  return (await response.json()) as Run;
}

function say(turns: readonly ScriptedTurn[]) {
  return { messages: [{ role: "user", content: scripted(turns) }] };
}

function pathOf({ id, thread_id }: Run): string {
  return `/threads/${thread_id}/runs/${id}`;
}

async function startAndWait(stage: Stage, turns: readonly ScriptedTurn[], status: Run["status"]): Promise<Run> {
  const body = { assistant_id: stage.assistantId, tools: [lookup], thread: say(turns) };
  const answer = await stage.client.post<Run>("/threads/runs", body);
  stage.told.run(answer.body);
  return untilStatus(stage, answer.body, status);
}

function untilStatus({ client }: Stage, run: Run, status: Run["status"]): Promise<Run> {
  return waitUntil(
    `${run.id} is ${status}`,
    async () => {
      const { body } = await client.get<Run>(pathOf(run));
      return body.status === status && body;
    },
    REST_MS,
  );
}
