// The kinds of conversation in which the model runs code, whatever happens to the server meanwhile.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Run } from "../../../contract/run.ts";
import { accumulate, withoutIndexes } from "../../support/delta-accumulation.ts";
import { calls, lookup, scripted } from "../../support/scripts.ts";
import type { ScriptedTurn } from "../../support/scripts.ts";
import type { SentEvent } from "../../support/sse.ts";
import { waitUntil } from "../../support/wait-until.ts";
import { callOf, expectCells, linkTo, planCell, planEndlessCell } from "./cells.ts";
import type { Cell, KnownPython } from "./cells.ts";
import {
  accepted,
  cancel,
  expectAnswer,
  expectEnd,
  lastRun,
  outputsFor,
  speak,
  trySubmit,
  untilEnd,
  untilRest,
} from "./conversations.ts";
import type { Conversation, Talk } from "./conversations.ts";
import { plantFile } from "./planted-files.ts";
import type { PlantedFile } from "./planted-files.ts";
import { bodyOf, deleteFile, deleteOne, uploadFile } from "./stored-files.ts";

/** Each with how often it comes, compared with the others. */
export const CODE_CONVERSATIONS = {
  "code in one run": { weight: 4, hold: codeInOneRun },
  "code in several runs": { weight: 5, hold: codeInSeveralRuns },
  "streamed code": { weight: 4, hold: streamedCode },
  "code beside searches and functions": { weight: 3, hold: codeBesideOthers },
  "cancelled while code runs": { weight: 3, hold: cancelledRunning },
  "expired while code runs": { weight: 3, hold: expiredRunning },
  "thread deleted while code runs": { weight: 2, hold: threadDeleted },
  "assistant deleted while code runs": { weight: 1, hold: assistantDeleted },
  "file deleted while code runs": { weight: 1, hold: fileDeleted },
} satisfies Record<string, { weight: number; hold: Conversation }>;

/** A short cell may be over before it is seen. */
const SEEN_MS = 8000;
const LARGE_BYTES = 3_000_000;
const CODE = { type: "code_interpreter" };

async function codeInOneRun(talk: Talk): Promise<void> {
  const given = await giveFile(talk);
  const script = planScript(talk, { reads: given?.planted });
  const thread = { messages: [messageOf(script, given?.id)] };
  const run = await untilRest(talk, accepted(talk, await post(talk, "/threads/runs", { thread })));
  await expectScript(talk, script, run, { cells: 0 });
}

/** Variables stay, or the model is told; what was written stays, and is the same File when it is linked again. */
async function codeInSeveralRuns(talk: Talk): Promise<void> {
  const { body } = await talk.client.post<{ id: string }>("/threads", {});
  const python: KnownPython = { cells: 0 };
  let linked: Cell[] = [];
  for (let left = talk.random.int(2, 4); left > 0; left -= 1) {
    const script = planScript(talk, { linked });
    bodyOf("a message", await talk.client.post(`/threads/${body.id}/messages`, messageOf(script)));
    const run = await untilRest(talk, accepted(talk, await post(talk, `/threads/${body.id}/runs`)));
    const done = await expectScript(talk, script, run, python);
    linked = [...linked, ...done.filter(({ file }) => file !== undefined)].slice(-3);
  }
}

async function streamedCode(talk: Talk): Promise<void> {
  const script = planScript(talk);
  const body = { assistant_id: talk.assistantId, tools: [CODE], thread: { messages: [messageOf(script)] } };
  const answer = await talk.client.stream("/threads/runs", body);
  if ("refused" in answer) {
    return talk.client.told.complain(`a streamed run was refused: ${JSON.stringify(answer.refused)}`);
  }
  const run = lastRun(answer.events);
  talk.client.told.run(run);
  expectWholeSteps(talk, run, answer.events);
  await expectScript(talk, script, run, { cells: 0 });
}

/** All that is called in one turn. The run waits for outputs of functions when the rest is done. */
async function codeBesideOthers(talk: Talk): Promise<void> {
  const cells = planCells(talk, talk.random.int(1, 2), {});
  const search = { name: "file_search", arguments: { queries: ["rain"] } };
  const [before, after] = talk.random.shuffle([search, ...calls("x").tool_calls]);
  const script = toScript(talk, [{ tool_calls: [before, ...cells.map(callOf), after] }], cells);
  const thread = { messages: [messageOf(script)] };
  const tools = [CODE, { type: "file_search" }, lookup];
  let run = await untilRest(talk, accepted(talk, await post(talk, "/threads/runs", { thread, tools })));
  if (run.status === "requires_action") {
    await trySubmit(talk, run, outputsFor(run, "found"));
    run = await untilRest(talk, run, "a new turn");
  }
  await expectScript(talk, script, run, { cells: 0 });
}

async function cancelledRunning(talk: Talk): Promise<void> {
  const endless = await runEndless(talk);
  await untilSeen(talk, endless.cell);
  await cancel(talk, endless.run);
  await expectStopped(talk, endless, "cancelled");
}

async function expiredRunning(talk: Talk): Promise<void> {
  const endless = await runEndless(talk, { expires_after_seconds: talk.random.int(5, 12) });
  await expectStopped(talk, endless, "expired");
}

async function threadDeleted(talk: Talk): Promise<void> {
  const { run, cell } = await runEndless(talk);
  await untilSeen(talk, cell);
  talk.client.told.deleted.push(run.thread_id);
  await deleteOne(talk.client, `/threads/${run.thread_id}`);
  talk.client.told.ended("deleted");
  await expectNoProcess(talk, cell);
}

/** A run goes on without its assistant. */
async function assistantDeleted(talk: Talk): Promise<void> {
  const body = { model: "gpt-4o", tools: [CODE] };
  const { id } = bodyOf("an assistant", await talk.client.post<{ id: string }>("/assistants", body));
  const script = planScript(talk);
  const started = await post(talk, "/threads/runs", { assistant_id: id, thread: { messages: [messageOf(script)] } });
  const run = accepted(talk, started);
  await untilSeen(talk, script.cells[0] as Cell);
  await deleteOne(talk.client, `/assistants/${id}`);
  await expectScript(talk, script, await untilRest(talk, run), { cells: 0 });
}

async function fileDeleted(talk: Talk): Promise<void> {
  const given = await giveFile(talk, 1);
  // Only the first cell reads it: later ones may find that it is gone.
  const script = planScript(talk, { firstReads: given?.planted });
  const thread = { messages: [messageOf(script, given?.id)] };
  const run = accepted(talk, await post(talk, "/threads/runs", { thread }));
  const [first] = script.cells as [Cell];
  // A cell that was begun has the file; one that has to be begun again may not find it.
  await untilSeen(talk, first);
  await deleteFile(talk, given?.id ?? "");
  await expectEnd(talk, await untilRest(talk, run), ["completed"]);
}

// --- what these conversations are made of --------------------------------------------------------

interface Script {
  key: string;
  text: string;
  cells: readonly Cell[];
  /** Of earlier scripts of the thread. */
  linked: readonly Cell[];
  turns: readonly ScriptedTurn[];
}

interface Wishes {
  /** By some cell of it. */
  reads?: PlantedFile | undefined;
  firstReads?: PlantedFile | undefined;
  linked?: readonly Cell[];
}

/** One to three turns of one to three cells, and an answer that links what they have written. */
function planScript(talk: Talk, wishes: Wishes = {}): Script {
  const { random } = talk;
  const turns = Array.from({ length: random.int(1, 3) }, (_, turn) =>
    planCells(talk, random.int(1, 3), turn === 0 ? wishes : { ...wishes, firstReads: undefined }),
  );
  const cells = turns.flat();
  const asked = turns.map((turn) => ({ tool_calls: turn.map(callOf) }));
  return toScript(talk, asked, cells, wishes.linked);
}

/** With an answer in the end that links whatever code has written. */
function toScript(
  talk: Talk,
  asked: readonly ScriptedTurn[],
  cells: readonly Cell[],
  linked: readonly Cell[] = [],
): Script {
  const said = speak(talk);
  const text = `${said.text}${[...cells, ...linked].map(linkTo).join("")}`;
  const turns = [...asked.map(talk.spoil), ...said.turns.map((turn) => ({ ...turn, text }))];
  return { key: talk.random.key(), text, cells, linked, turns };
}

function planCells({ random }: Talk, count: number, { reads, firstReads }: Wishes): Cell[] {
  return Array.from({ length: count }, (_, index) =>
    planCell(random, {
      draws: random.chance(0.4),
      writes: random.chance(0.5) ? (random.chance(0.2) ? LARGE_BYTES : random.int(100, 20_000)) : undefined,
      reads: index === 0 && firstReads ? firstReads : random.chance(0.5) ? reads : undefined,
      ms: random.chance(0.4) ? random.int(500, 2500) : random.int(0, 100),
    }),
  );
}

async function giveFile(talk: Talk, chance = 0.5): Promise<{ id: string; planted: PlantedFile } | undefined> {
  if (!talk.random.chance(chance)) return undefined;
  const planted = plantFile(talk.random);
  return { id: await uploadFile(talk, planted), planted };
}

function messageOf({ key, turns }: Pick<Script, "key" | "turns">, file_id?: string) {
  const attachments = file_id === undefined ? {} : { attachments: [{ file_id, tools: [CODE] }] };
  return { role: "user", content: scripted(turns, key), ...attachments };
}

function post({ client, assistantId }: Talk, path: string, body: object = {}) {
  return client.post<Run>(path, { assistant_id: assistantId, tools: [CODE], ...body });
}

/** Returns the cells that ran to their end. */
async function expectScript(talk: Talk, script: Script, run: Run, python: KnownPython): Promise<Cell[]> {
  await expectAnswer(talk, run, script.text);
  return run.status === "completed" ? expectCells(talk, { ...script, run, python }) : [];
}

/** What a client has put together of a step is what the step is in the end. */
function expectWholeSteps({ client: { told } }: Talk, run: Run, events: readonly SentEvent[]): void {
  try {
    const built = accumulate(events);
    for (const { event, data } of events) {
      const { id, step_details } = data as { id: string; step_details: { type: string } };
      if (event !== "thread.run.step.completed" || step_details.type !== "tool_calls") continue;
      assert.deepEqual(withoutIndexes(built.get(id)?.["step_details"]), step_details);
    }
  } catch (error) {
    told.complain(`what was streamed of ${run.id} does not add up: ${String(error)}`);
  }
}

interface Endless {
  run: Run;
  key: string;
  cell: Cell;
}

/** A run whose code has no end. */
async function runEndless(talk: Talk, extra: object = {}): Promise<Endless> {
  const cell = planEndlessCell(talk.random);
  const key = talk.random.key();
  const turns = [{ tool_calls: [callOf(cell)] }, { text: "It has ended." }];
  const thread = { messages: [messageOf({ key, turns })] };
  return { run: accepted(talk, await post(talk, "/threads/runs", { thread, ...extra })), key, cell };
}

/** The run ends so, unless its Python was killed before, and nothing of its code goes on. */
async function expectStopped(talk: Talk, { run, key, cell }: Endless, right: "cancelled" | "expired"): Promise<void> {
  const ended = await untilEnd(talk, run);
  await expectEnd(talk, ended, [right, "completed"]);
  if (ended.status === "completed") await expectCells(talk, { run: ended, key, cells: [cell], python: { cells: 0 } });
  await expectNoProcess(talk, cell);
}

/** Waits until the cell has begun, and somewhat longer. Its process may have come and gone. */
async function untilSeen({ inside, random }: Talk, { token }: Cell): Promise<void> {
  const isSeen = () => inside.sandboxes?.list().some(({ name }) => name === token);
  await waitUntil(`${token} runs`, isSeen, SEEN_MS).catch(() => undefined);
  await sleep(random.int(0, 1000));
}

/** No process goes on with a cell that nobody waits for. */
async function expectNoProcess({ inside, client, stopMs }: Talk, { token }: Cell): Promise<void> {
  const own = () => inside.sandboxes?.busySessions().filter(({ name }) => name === token) ?? [];
  await waitUntil(`${token} is stopped`, () => own().length === 0, stopMs).catch(() => {
    const pids = own().map(({ pid }) => pid);
    client.told.complain(`${token} still runs ${stopMs / 1000} s after its run has ended, as ${String(pids)}`);
  });
}
