// C4: what Code Interpreter is used for most. A table is uploaded, and a run draws it and gives back a tidy one: how much of
// the run is not the model's, and where that goes.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MAX_CODE_FILE_BYTES } from "../contract/limits.ts";
import { DEFAULT_LIMITS } from "../sandbox/default-limits.ts";
import { ENVIRONMENTS_FOLDER } from "../sandbox/environments-folder.ts";
import { LocalDriver } from "../sandbox/local-driver.ts";
import { makeEnvironment } from "../sandbox/python-environment.ts";
import { call, stream } from "./http-client.ts";
import type { Target } from "./http-client.ts";
import { createAssistant, scripted } from "./load.ts";
import type { Report } from "./report.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";
import { countWork } from "./statements.ts";
import { percentile, range, sum } from "./stats.ts";

const ROUNDS = 3;
const PER_ROUND = 15;
const WARM_UP = 3;
const ROWS = 1000;
const TABLE = `day,sales\n${Array.from({ length: ROWS }, (_, n) => `${n},${n % 10 === 0 ? "" : n * 3}\n`).join("")}`;
const TIDY_ROWS = ROWS - ROWS / 10;
const CODE = `import matplotlib.pyplot as plt
import pandas as pd
table = pd.read_csv("/mnt/data/sales.csv")
clean = table.dropna()
clean.to_csv("/mnt/data/clean.csv", index=False)
clean.plot(x="day", y="sales")
plt.show()
print(len(clean))`;
const LINK = "sandbox:/mnt/data/clean.csv";
const CALL = { name: "code_interpreter", arguments: { code: CODE } };
const content = scripted({ tool_calls: [CALL] }, { text: `[The table](${LINK})` });

/** Milliseconds of one run and of what it is made of. */
const PARTS = [
  "upload of the table, before the run",
  "the run",
  "of which the model's own time",
  "until the call has begun",
  "until its code is there",
  "the call: session, files in, code, files and picture out, rows",
  "the answer, with its link and picture",
  "download of table and picture, after it",
  "the sandbox alone: new session",
  "file in",
  "code",
  "files out",
] as const;
type Part = (typeof PARTS)[number];
type Times = Record<Part, number>;

interface Found {
  times: Times[];
  /** Milliseconds that Postgres worked, and transactions that wrote, per run with its upload and downloads. */
  databaseMs: number;
  writes: number;
}

export async function measureTables(): Promise<Report> {
  const python = await makeEnvironment({ folder: ENVIRONMENTS_FOLDER, say: console.error });
  const folder = await mkdtemp(join(tmpdir(), "bench-tables-"));
  const settings = { CODE_INTERPRETER: "local", CODE_INTERPRETER_PYTHON: python };
  const stack = await startStack({ settings: () => settings });
  const driver = new LocalDriver({ findPython: async () => python, folder, maxSessions: 2 });
  try {
    const assistant_id = await createAssistant(stack.api, { tools: [{ type: "code_interpreter" }] });
    const time = () => timeTable(stack, driver, assistant_id);
    for (let index = 0; index < WARM_UP; index += 1) await time();
    const found: Found[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const workDone = await countWork(stack.db);
      const times: Times[] = [];
      for (let index = 0; index < PER_ROUND; index += 1) times.push(await time());
      const { statements, writes } = await workDone();
      const databaseMs = sum(statements.map(({ ms }) => ms)) / PER_ROUND;
      found.push({ times, databaseMs, writes: writes / PER_ROUND });
    }
    return toReport(found);
  } finally {
    await driver.close();
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function timeTable({ api, model }: Stack, driver: LocalDriver, assistant_id: string): Promise<Times> {
  const [file, uploadMs] = await timed(() => upload(api));
  const run = await timeRun(api, assistant_id, file);
  const [, downloadMs] = await timed(() => checkFiles(api, run.answer));
  const alone = await timeSandbox(driver);
  return {
    [PARTS[0]]: uploadMs,
    [PARTS[1]]: run.doneAt,
    [PARTS[2]]: await timeModel(model),
    [PARTS[3]]: run.begunAt,
    [PARTS[4]]: run.writtenAt - run.begunAt,
    [PARTS[5]]: run.calledAt - run.writtenAt,
    [PARTS[6]]: run.doneAt - run.calledAt,
    [PARTS[7]]: downloadMs,
    ...alone,
  } as Times;
}

async function timed<Value>(work: () => Promise<Value>): Promise<[Value, ms: number]> {
  const since = performance.now();
  const value = await work();
  return [value, performance.now() - since];
}

async function upload({ url, key }: Target): Promise<string> {
  const form = new FormData();
  form.set("purpose", "assistants");
  form.set("file", new File([TABLE], "sales.csv"));
  const headers = { authorization: `Bearer ${key}` };
  const answer = await fetch(`${url}/files`, { method: "POST", headers, body: form });
  return ((await answer.json()) as { id: string }).id;
}

interface Answer {
  content: {
    image_file?: { file_id: string };
    text?: { annotations: { file_path: { file_id: string } }[] };
  }[];
}

/** Moments of a run in milliseconds since it was asked for, on a new thread that has the file. */
async function timeRun(api: Target, assistant_id: string, file: string) {
  const { id } = await call<{ id: string }>(api, "POST", "/threads", {
    messages: [{ role: "user", content }],
    tool_resources: { code_interpreter: { file_ids: [file] } },
  });
  const moments = { begunAt: Number.NaN, writtenAt: Number.NaN, calledAt: Number.NaN, doneAt: Number.NaN };
  let answer: Answer = { content: [] };
  const sentAt = performance.now();
  await stream(api, `/threads/${id}/runs`, { stream: true, assistant_id }, (event, data) => {
    const ms = performance.now() - sentAt;
    if (event === "thread.run.step.created" && Number.isNaN(moments.begunAt)) moments.begunAt = ms;
    else if (event === "thread.run.step.delta" && data.includes('"input":')) moments.writtenAt = ms;
    else if (event === "thread.run.step.completed" && Number.isNaN(moments.calledAt)) moments.calledAt = ms;
    else if (event === "thread.message.completed") answer = JSON.parse(data) as Answer;
    else if (event === "thread.run.completed") moments.doneAt = ms;
  });
  if (Number.isNaN(moments.doneAt)) throw new Error(`the run on ${id} did not complete`);
  return { ...moments, answer };
}

/** Throws when one of them is not what it should be. */
async function checkFiles({ url, key }: Target, { content: parts }: Answer): Promise<void> {
  const image = parts.flatMap(({ image_file }) => image_file?.file_id ?? [])[0];
  const table = parts.flatMap(({ text }) => text?.annotations[0]?.file_path.file_id ?? [])[0];
  const headers = { authorization: `Bearer ${key}` };
  const read = async (id = "") =>
    Buffer.from(await (await fetch(`${url}/files/${id}/content`, { headers })).arrayBuffer());
  const rows = (await read(table)).toString().split("\n").length - 2;
  if (rows !== TIDY_ROWS) throw new Error(`the tidy table has ${rows} rows`);
  if ((await read(image)).toString("latin1", 1, 4) !== "PNG") throw new Error("there is no picture");
}

/** What the endpoint takes for the two turns, asked directly. */
async function timeModel(model: Target): Promise<number> {
  const question = { role: "user", content };
  const called = { id: "call_1", type: "function", function: { name: CALL.name, arguments: "{}" } };
  const told = [
    { role: "assistant", tool_calls: [called] },
    { role: "tool", tool_call_id: called.id, content: "900" },
  ];
  const ask = (messages: object[]) =>
    stream(model, "/chat/completions", { model: "gpt-4o", stream: true, messages }, () => undefined);
  const [, ms] = await timed(async () => {
    await ask([question]);
    await ask([question, ...told]);
  });
  return ms;
}

/** The same code in a session that nothing else is done with. */
async function timeSandbox(driver: LocalDriver): Promise<Partial<Times>> {
  const spec = { sessionId: crypto.randomUUID(), limits: DEFAULT_LIMITS };
  const [session, sessionMs] = await timed(() => driver.create(spec));
  const [, fileMs] = await timed(() => session.putFile("sales.csv", pieces()));
  const [, codeMs] = await timed(async () => {
    for await (const event of session.exec(CODE)) {
      if (event.type === "done" && event.status !== "ok") throw new Error(event.traceback ?? event.status);
    }
  });
  const [, outMs] = await timed(async () => {
    await session.listFiles();
    for await (const _ of session.getFile("clean.csv", MAX_CODE_FILE_BYTES));
  });
  await session.destroy();
  return { [PARTS[8]]: sessionMs, [PARTS[9]]: fileMs, [PARTS[10]]: codeMs, [PARTS[11]]: outMs };
}

async function* pieces(): AsyncGenerator<Uint8Array> {
  yield Buffer.from(TABLE);
}

function toReport(found: readonly Found[]): Report {
  const p = (share: number, value: (times: Times) => number) =>
    range(found.map(({ times }) => percentile(times.map(value), share)));
  const rows = (value: (times: Times) => number) => [p(0.5, value), p(0.95, value)];
  return {
    name: "c4",
    title: "A table comes back drawn and tidied",
    method:
      `A CSV of ${ROWS.toLocaleString("en")} rows is uploaded and given to a new thread; its run reads it with pandas, draws it, writes a tidy one ` +
      `and links it; picture and table are downloaded and looked at. The model answers at once. One at a time, followed ` +
      `through the run's stream, ${ROUNDS} rounds of ${PER_ROUND}; each thread has a new session. Beside it the same code in the sandbox alone.`,
    goals: [],
    tables: [
      {
        title: "ms",
        columns: ["", "p50", "p95"],
        rows: [
          ["the run less the model's own time", ...rows((times) => times[PARTS[1]] - times[PARTS[2]])],
          ...PARTS.map((part) => [part, ...rows((times) => times[part])]),
        ],
      },
      {
        title: "Postgres, per upload, run and downloads",
        columns: ["execution, ms", "transactions that write"],
        rows: [[range(found.map(({ databaseMs }) => databaseMs)), range(found.map(({ writes }) => writes))]],
      },
    ],
  };
}
