// Cells of code that say who they are, and what a run has to show for them: each once and in order, whole, or cut off for a
// reason that the model was told; variables that are there, or whose loss it was told; and everything that it can download.
import { createHash } from "node:crypto";
import type { Message } from "../../../contract/message.ts";
import type { RunStep, StepToolCall } from "../../../contract/run-step.ts";
import type { Run } from "../../../contract/run.ts";
import { pathOf } from "./conversations.ts";
import type { Talk } from "./conversations.ts";
import type { PlantedFile } from "./planted-files.ts";
import type { Random } from "./random.ts";
import { bodyOf } from "./stored-files.ts";

export interface Cell {
  /** Comes in all that it prints, draws and writes, and nowhere else. */
  token: string;
  code: string;
  /** What it shows, with [image] for an image, when its Python has run so many cells. */
  shows: (cells: number) => string;
  isEndless?: boolean;
  /** What it writes, if it does. */
  file?: { name: string; content: Buffer };
}

interface Wishes {
  draws?: boolean;
  /** Bytes of a file. */
  writes?: number | undefined;
  reads?: PlantedFile | undefined;
  /** How long it takes at least. */
  ms?: number;
}

/** What is known of the Python of a thread. */
export interface KnownPython {
  /** How many cells it has run. */
  cells: number;
  /** The model was told that it may be another one now. */
  mayBeLost?: boolean;
}

const NEW_PYTHON = "This is a new Python";
const ENDED = "The Python has ended";
const FAILED = "The tool failed";
const INTERRUPTED = "[… interrupted here";
const END_OF_PNG = "IEND";

export function planCell(random: Random, { draws = false, writes, reads, ms = 0 }: Wishes): Cell {
  const token = `t${random.key().slice(0, 12)}`;
  const name = `${token}.csv`;
  const lines = [
    "import ctypes, hashlib, time",
    `ctypes.CDLL(None).prctl(15, b"${token}", 0, 0, 0)`, // its process is found by it
    `cells = globals().get("cells", 0) + 1`,
    `print("${token} has begun", cells)`,
    `time.sleep(${ms / 1000})`,
  ];
  if (draws) lines.push("import matplotlib.pyplot as plt", `plt.plot([1, 4, 9]); plt.title("${token}"); plt.show()`);
  if (reads) lines.push(`print(hashlib.sha256(open("/mnt/data/${reads.filename}", "rb").read()).hexdigest())`);
  if (writes) lines.push(`print(open("/mnt/data/${name}", "w").write("${token}," * ${Math.ceil(writes / 14)}))`);
  lines.push(`print("${token} has ended")`);
  const content = Buffer.from(`${token},`.repeat(Math.ceil((writes ?? 0) / 14)));
  const shown = [
    draws ? "[image]" : "",
    reads ? `${createHash("sha256").update(reads.content).digest("hex")}\n` : "",
    writes ? `${content.length}\n` : "",
    `${token} has ended\n`,
  ].join("");
  return {
    token,
    code: lines.join("\n"),
    shows: (cells) => `${token} has begun ${cells}\n${shown}`,
    ...(writes ? { file: { name, content } } : {}),
  };
}

/** One that never ends by itself, and may take no notice of being told to. */
export function planEndlessCell(random: Random): Cell {
  const cell = planCell(random, {});
  const stubborn = "while True:\n  try:\n    while True: pass\n  except BaseException: pass";
  const ending = random.chance(0.5) ? stubborn : "while True: pass";
  return { ...cell, code: `${cell.code}\n${ending}`, isEndless: true };
}

/** Whether a process is named after a cell. */
export const isToken = (name: string): boolean => /^t[0-9a-f]{12}$/.test(name);

export function callOf({ code }: Cell) {
  return { name: "code_interpreter", arguments: { code } };
}

export function linkTo({ token, file }: Cell): string {
  return file === undefined ? "" : ` [${token}](sandbox:/mnt/data/${file.name})`;
}

interface Played {
  run: Run;
  /** Of the script. */
  key: string;
  cells: readonly Cell[];
  /** Earlier cells of the thread whose files the answer links, too. */
  linked?: readonly Cell[];
  python: KnownPython;
}

type CodeCall = Extract<StepToolCall, { type: "code_interpreter" }>;

/** A completed run has made each call once, in order, and shows what came of it. Returns the cells that ran to their end. */
export async function expectCells(talk: Talk, played: Played): Promise<Cell[]> {
  const { run, key, cells, python } = played;
  const { told } = talk.client;
  const calls = await codeCallsOf(talk, run);
  const planned = JSON.stringify(cells.map(({ code }) => code));
  if (JSON.stringify(calls.map((call) => call.code_interpreter.input)) !== planned) {
    told.complain(`${run.id} shows ${calls.length} calls of code that are not the ${cells.length} that were made`);
    return [];
  }
  const outputs = talk.inside.toldToModel(key);
  const done = cells.filter((cell, index) => {
    const call = calls[index] as CodeCall;
    const end = judgeCell(cell, { call, told: outputs.get(call.id) }, python);
    told.ended(`cell ${end.how}`);
    if (end.complaint !== undefined) told.complain(`${call.id} of ${run.id} ${end.complaint}: ${describe(call)}`);
    return end.how === "done";
  });
  await expectAnswers(talk, played, calls, done);
  return done;
}

interface CellEnd {
  how: "done" | "cut off" | "interrupted" | "given up" | "unlike any";
  complaint?: string;
}

function judgeCell(cell: Cell, { call, told }: { call: CodeCall; told: string | undefined }, python: KnownPython) {
  const [said = ""] = textOf(call).split(INTERRUPTED);
  const cells = Number(new RegExp(`^${cell.token} has begun (\\d+)\n`).exec(said)?.[1] ?? 0);
  const end = judgeEnd(cell, { said, isWhole: said === cell.shows(cells) && said === textOf(call), told });
  if (end.complaint !== undefined) return end;
  if (!cell.shows(cells).startsWith(said)) return { ...end, complaint: "shows what it cannot have put out" };
  const expected = python.cells + 1;
  // An interrupted one is told to have lost what it had, in whichever Python that was.
  const isTold = python.mayBeLost === true || end.how === "interrupted" || told?.includes(NEW_PYTHON) === true;
  python.mayBeLost = end.how === "interrupted" || (cells === 0 && isTold);
  if (cells === 0) return end;
  python.cells = cells;
  if (cells === 1 && expected > 1 && !isTold) {
    return { ...end, complaint: "has lost the variables, and the model was not told" };
  }
  if (cells === 1 || cells === expected || isTold) return end;
  return { ...end, complaint: `is the cell ${cells} of its Python, and should be the cell ${expected}` };
}

/** By what the model was told. */
function judgeEnd(
  { token, isEndless = false }: Cell,
  { said, isWhole, told }: { said: string; isWhole: boolean; told: string | undefined },
): CellEnd {
  if (told === undefined) return { how: "unlike any", complaint: "was never told to the model" };
  const isToldAll = told.includes(`${token} has begun`) || said === "";
  // It may have said all, and not have been done.
  if (told.includes(INTERRUPTED) && isToldAll) return { how: "interrupted" };
  if (told.includes(ENDED)) return { how: "cut off" };
  if (told.includes(FAILED)) return { how: "given up" };
  if (isWhole && !isEndless && isToldAll && told.includes(`${token} has ended`)) return { how: "done" };
  return { how: "unlike any", complaint: `was told to the model as ${told.slice(0, 500)}` };
}

/** The images of the calls are at the beginning of messages, each once, and links lead to what code has written. */
async function expectAnswers(talk: Talk, { run, cells, linked = [] }: Played, calls: CodeCall[], done: Cell[]) {
  const { told } = talk.client;
  const path = `/threads/${run.thread_id}/messages?run_id=${run.id}&order=asc&limit=100`;
  const { data } = bodyOf(`the messages of ${run.id}`, await talk.client.get<{ data: Message[] }>(path));
  const parts = data.flatMap(({ status, content }) => (status === "completed" ? content : []));
  const drawn = calls.flatMap((call) =>
    call.code_interpreter.outputs.flatMap((output) => (output.type === "image" ? [output.image.file_id] : [])),
  );
  const shown = parts.flatMap((part) => (part.type === "image_file" ? [part.image_file.file_id] : []));
  if (String(drawn) !== String(shown)) told.complain(`${run.id} has drawn ${String(drawn)} and shows ${String(shown)}`);
  for (const id of drawn) await expectImage(talk, id);

  const paths = parts.flatMap((part) =>
    part.type === "text" ? part.text.annotations.filter((one) => one.type === "file_path") : [],
  );
  for (const cell of [...cells, ...linked]) {
    const own = paths.filter(({ text }) => text === `sandbox:/mnt/data/${cell.file?.name}`);
    if (cell.file === undefined) continue;
    const isSure = done.includes(cell) || linked.includes(cell);
    if (isSure && own.length !== 1) told.complain(`${run.id} has ${own.length} links to ${cell.file.name}`);
    for (const { file_path } of own) await expectFile(talk, file_path.file_id, isSure ? cell.file.content : undefined);
  }
}

async function expectImage(talk: Talk, id: string): Promise<void> {
  const bytes = await talk.client.download(`/files/${id}/content`);
  const isImage = bytes?.subarray(1, 4).toString() === "PNG" && bytes.subarray(-8, -4).toString() === END_OF_PNG;
  if (bytes === undefined || !isImage) return talk.client.told.complain(`${id} is not the image that it should be`);
  noteFile(talk, id, bytes);
}

async function expectFile(talk: Talk, id: string, content: Buffer | undefined): Promise<void> {
  const bytes = await talk.client.download(`/files/${id}/content`);
  if (bytes === undefined || (content !== undefined && !bytes.equals(content))) {
    return talk.client.told.complain(`${id} has ${bytes?.length} bytes that are not what code has written`);
  }
  noteFile(talk, id, bytes);
}

/** From here on it has to stay as it is. */
function noteFile({ client: { told } }: Talk, id: string, bytes: Buffer): void {
  if (told.files.get(id)?.equals(bytes) === false) told.complain(`${id} has changed`);
  told.files.set(id, bytes);
}

async function codeCallsOf({ client }: Talk, run: Run): Promise<CodeCall[]> {
  const path = `${pathOf(run)}/steps?limit=100&order=asc`;
  const { data } = bodyOf(`the steps of ${run.id}`, await client.get<{ data: RunStep[] }>(path));
  return data.flatMap(({ step_details: details, status }) =>
    details.type === "tool_calls" && status === "completed"
      ? details.tool_calls.filter((call) => call.type === "code_interpreter")
      : [],
  );
}

function textOf({ code_interpreter: { outputs } }: CodeCall): string {
  return outputs.map((output) => (output.type === "logs" ? output.logs : "[image]")).join("");
}

function describe(call: CodeCall): string {
  return JSON.stringify(textOf(call).slice(0, 500));
}
