// Loaded into API and worker processes with --import, by tests only: breaks the process, or its connection to Postgres,
// between two statements. The product knows nothing of it.
import { AsyncLocalStorage } from "node:async_hooks";
import childProcess from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import fs from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { syncBuiltinESMExports } from "node:module";
import { isMainThread } from "node:worker_threads";
import { Context } from "@temporalio/activity";
import type { ActivityExecuteInput } from "@temporalio/worker";
import pg from "pg";
import { EventChannel } from "../../../db/event-writer.ts";
import { IngestWorkflows } from "../../../api/ingest-workflows.ts";
import { RunWorkflows } from "../../../api/run-workflows.ts";
import { createRandom } from "../faults/random.ts";
import {
  BREAK_HEADER,
  COUNT_HEADER,
  PLAN_VARIABLE,
  POISON,
  RECORD_VARIABLE,
  SEED_VARIABLE,
  TROUBLES_VARIABLE,
} from "./failpoint.ts";
import type { RecordedStatement, StatementPoint, Trouble, WorkerPlan, WorkerPoint } from "./failpoint.ts";

const CLOCK_STEP_MS = 500;
const CLOCK_FURTHEST_MS = 3_600_000;
/** How late a parser may be killed: it is still starting, or already at work. */
const PARSER_LATEST_MS = 600;

/** One request, or one try of one activity. */
interface Scope {
  count: number;
  point: StatementPoint | undefined;
  /** Told of every statement. */
  note: (text: string, nth: number) => void;
  /** Whose point it is, for a worker. */
  runId?: string;
  /** Blobs that a worker has written. */
  blobs?: number;
}

const requests = new AsyncLocalStorage<Scope | undefined>();
const activities = new WeakMap<Context, Scope>();
const flushes = new Map<string, number>();

const random = createRandom(Number(process.env[SEED_VARIABLE] ?? 0));

if (isMainThread) {
  await breakActivities();
  breakRequests();
  breakStatements();
  breakTurns();
  breakNudges();
  breakIngestNudges();
  breakClock();
  breakParsers();
  breakDisk();
}

// --- requests ------------------------------------------------------------------------------------

function breakRequests(): void {
  subscribe("http.server.request.start", (message) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    const header = request.headers[BREAK_HEADER];
    requests.enterWith(typeof header === "string" ? scopeOfRequest(header, response) : undefined);
  });
}

function scopeOfRequest(header: string, response: ServerResponse): Scope {
  return {
    count: 0,
    point: header === "count" ? undefined : (JSON.parse(header) as StatementPoint),
    note(_text, nth) {
      if (!response.headersSent) response.setHeader(COUNT_HEADER, nth);
    },
  };
}

// --- activities ----------------------------------------------------------------------------------

function scopeOfActivity(): Scope | undefined {
  const context = currentContext();
  if (context === undefined) return undefined;
  const known = activities.get(context);
  if (known !== undefined) return known;
  const { info } = context;
  const runId = info.workflowExecution?.workflowId ?? "";
  const activity = Number(info.activityId);
  const at = findPoint(runId, activity);
  if (at?.kind === "heartbeat") dieAtHeartbeat(context, runId, at.nth);
  const scope: Scope = {
    runId,
    count: 0,
    point: at?.kind === "statement" ? at : undefined,
    note(text, nth) {
      record({ runId, activity, attempt: info.attempt, nth, text });
    },
  };
  activities.set(context, scope);
  return scope;
}

/** Only inside of an activity. */
function activityNow(): { runId: string; activity: number } {
  const { info } = Context.current();
  return { runId: info.workflowExecution?.workflowId ?? "", activity: Number(info.activityId) };
}

function currentContext(): Context | undefined {
  try {
    return Context.current();
  } catch {
    return undefined;
  }
}

/** The point of this run, if it is one of this activity and has not done its work yet: each breaks once. */
function findPoint(runId: string, activity?: number): WorkerPoint["at"] | undefined {
  const file = process.env[PLAN_VARIABLE];
  if (file === undefined || existsSync(`${file}.${runId}`)) return undefined;
  const { points } = JSON.parse(readFileSync(file, "utf8")) as WorkerPlan;
  return points.find((point) => point.runId === runId && (activity ?? point.activity) === point.activity)?.at;
}

function spend(runId: string): void {
  writeFileSync(`${process.env[PLAN_VARIABLE]}.${runId}`, "");
}

function record(statement: RecordedStatement): void {
  const file = process.env[RECORD_VARIABLE];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(statement)}\n`);
}

function dieAtHeartbeat(context: Context, runId: string, nth: number): void {
  const { heartbeat } = context;
  let count = 0;
  function beatAndDie(details?: unknown): void {
    heartbeat(details);
    count += 1;
    if (count !== nth) return;
    spend(runId);
    setImmediate(die);
  }
  Object.assign(context, { heartbeat: beatAndDie });
}

function breakTurns(): void {
  const { append } = EventChannel.prototype;
  const pieces = new WeakMap<EventChannel, number>();
  EventChannel.prototype.append = function (this: EventChannel, ...args) {
    append.apply(this, args);
    if (args[1].includes(POISON)) die();
    const nth = (pieces.get(this) ?? 0) + 1;
    pieces.set(this, nth);
    const point = findPoint(this.runId, Number(currentContext()?.info.activityId));
    if (point?.kind !== "piece" || point.nth !== nth) return;
    spend(this.runId);
    die();
  };
}

/** An interceptor stands where the SDK calls the activity, and has its result before Temporal is told. */
async function breakActivities(): Promise<void> {
  // An API has no activities, and should not load what workers need.
  if (process.env[PLAN_VARIABLE] === undefined) return;
  const { Worker } = await import("@temporalio/worker");
  const { create } = Worker;
  Worker.create = (options) => {
    const { interceptors = {} } = options;
    const { activity = [] } = interceptors;
    // The first one is around all others.
    const around = [() => ({ inbound: { execute: breakActivity } }), ...activity];
    return create.call(Worker, { ...options, interceptors: { ...interceptors, activity: around } });
  };
}

async function breakActivity(
  input: ActivityExecuteInput,
  next: (input: ActivityExecuteInput) => Promise<unknown>,
): Promise<unknown> {
  const { runId, activity } = activityNow();
  const at = findPoint(runId, activity);
  if (at?.kind === "begin") dieOnce(runId);
  const result = await next(input);
  if (at?.kind !== "return") return result;
  if (at.moment === "before") dieOnce(runId);
  setImmediate(dieOnce, runId); // the SDK has passed the result on by then, and it may or may not have been sent
  return result;
}

function dieOnce(runId: string): void {
  spend(runId);
  die();
}

// --- statements ----------------------------------------------------------------------------------

type Query = (...args: unknown[]) => unknown;

function breakStatements(): void {
  const prototype = pg.Client.prototype as unknown as { query: Query };
  const { query } = prototype;
  prototype.query = function (this: pg.Client, ...args) {
    const send = (changed: unknown[] = args) => query.apply(this, changed);
    const point = isFlush(args[0]) ? flushPoint(args[0]) : statementPoint(textOf(args[0]));
    return point === undefined ? send() : breakAt(point, this, args, send);
  };
}

function statementPoint(text: string): StatementPoint | undefined {
  const scope = requests.getStore() ?? scopeOfActivity();
  if (scope === undefined) return undefined;
  scope.count += 1;
  scope.note(text, scope.count);
  if (scope.point?.nth !== scope.count) return undefined;
  if (scope.runId !== undefined) spend(scope.runId);
  return scope.point;
}

interface Flush {
  name: "flush";
  values: [string[], number[], string[]];
}

function isFlush(query: unknown): query is Flush {
  return (query as { name?: string } | null)?.name === "flush";
}

/** A flush belongs to no activity: those that have something of the run in them are counted. */
function flushPoint({ values: [, , runIds] }: Flush): StatementPoint | undefined {
  for (const runId of new Set(runIds)) {
    const at = findPoint(runId);
    if (at?.kind !== "flush") continue;
    const nth = (flushes.get(runId) ?? 0) + 1;
    flushes.set(runId, nth);
    if (nth !== at.nth) continue;
    spend(runId);
    return at;
  }
  return undefined;
}

function textOf(query: unknown): string {
  return typeof query === "string" ? query : ((query as { text?: string } | null)?.text ?? "");
}

function breakAt(point: StatementPoint, client: pg.Client, args: unknown[], send: (args?: unknown[]) => unknown) {
  const doIt = point.deed === "kill" ? die : () => cut(client);
  if (point.moment === "before") {
    doIt();
    return send();
  }
  if (point.moment === "during") {
    const sent = send();
    setImmediate(doIt); // what is written is in the kernel's hands by then
    return sent;
  }
  const done = args.at(-1);
  if (typeof done === "function") {
    return send([
      ...args.slice(0, -1),
      (error: unknown) => {
        doIt();
        (done as (error: unknown) => void)(error ?? new Error("the answer was lost"));
      },
    ]);
  }
  return (send() as Promise<unknown>).then(() => {
    doIt();
    throw new Error("Connection terminated unexpectedly");
  });
}

function cut(client: pg.Client): void {
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}

function die(): void {
  process.kill(process.pid, "SIGKILL");
}

// --- what the API tells Temporal -----------------------------------------------------------------

type Nudge = (this: RunWorkflows, ...args: unknown[]) => void;

/** Only the nudges behind requests; what the sweep sends goes another way. */
function breakNudges(): void {
  const prototype = RunWorkflows.prototype as unknown as Record<"start" | "wake" | "cancel", Nudge>;
  for (const name of ["start", "wake", "cancel"] as const) {
    const nudge = prototype[name];
    prototype[name] = function (...args) {
      const troubles = readTroubles();
      if (troubles.includes("nudges lost") && random.chance(0.5)) return;
      for (let time = troubles.includes("nudges doubled") ? 3 : 1; time > 0; time -= 1) nudge.apply(this, args);
    };
  }
}

/** Those behind requests and those of the sweep go one way here, so a lost one is made good by the sweep's next. */
function breakIngestNudges(): void {
  const { look, cancel } = IngestWorkflows.prototype;
  IngestWorkflows.prototype.look = function (this: IngestWorkflows) {
    if (!readTroubles().includes("nudges lost") || random.chance(0.5)) look.call(this);
  };
  IngestWorkflows.prototype.cancel = function (this: IngestWorkflows, files) {
    const troubles = readTroubles();
    if (troubles.includes("nudges lost") && random.chance(0.5)) return;
    for (let time = troubles.includes("nudges doubled") ? 3 : 1; time > 0; time -= 1) cancel.call(this, files);
  };
}

// --- clocks --------------------------------------------------------------------------------------

function breakClock(): void {
  if (process.env[TROUBLES_VARIABLE] === undefined) return;
  const RealDate = Date;
  const jumps = random.fork();
  let offsetMs = 0;
  class SteppingDate extends RealDate {
    constructor(...args: ConstructorParameters<typeof RealDate> | []) {
      super(...((args.length === 0 ? [SteppingDate.now()] : args) as [number]));
    }
    static override now(): number {
      return RealDate.now() + offsetMs;
    }
  }
  globalThis.Date = SteppingDate as DateConstructor;
  setInterval(() => {
    const isStepping = readTroubles().includes("clock steps");
    offsetMs = isStepping ? jumps.int(-CLOCK_FURTHEST_MS, CLOCK_FURTHEST_MS) : 0;
  }, CLOCK_STEP_MS).unref();
}

// --- parsers -------------------------------------------------------------------------------------

function breakParsers(): void {
  const { spawn } = childProcess;
  const deaths = random.fork();
  const spawnAndKill = (...args: Parameters<typeof spawn>) => {
    const child = spawn(...args);
    const isParser = args[1].some((argument) => argument.endsWith("documents/parser/main.ts"));
    if (isParser && readTroubles().includes("parsers die") && deaths.chance(0.5)) {
      setTimeout(() => child.kill("SIGKILL"), deaths.int(0, PARSER_LATEST_MS));
    }
    return child;
  };
  childProcess.spawn = spawnAndKill as typeof spawn;
  syncBuiltinESMExports();
}

// --- the disk of the blobs -----------------------------------------------------------------------

/** Only where the blobs are: logs and the like go on. */
function breakDisk(): void {
  const folder = process.env["BLOB_DIR"];
  if (folder === undefined) return;
  const { open, rename, rm } = fs;
  const failures = random.fork();
  function failSometimes(path: unknown, codes: readonly ("ENOSPC" | "EIO")[]): void {
    if (!String(path).startsWith(folder as string) || !readTroubles().includes("disk fails")) return;
    if (failures.chance(1 / 3)) throw Object.assign(new Error("the disk fails"), { code: failures.pick(codes) });
  }
  fs.open = async (path, flags, mode) => {
    failSometimes(path, flags === "r" ? ["EIO"] : ["ENOSPC", "EIO"]);
    const file = await open(path, flags, mode);
    const { sync } = file;
    const writeFile = file.writeFile.bind(file) as FileHandle["writeFile"];
    file.writeFile = async (...args) => {
      await writeFile(...args); // some of it, as far as the disk knows
      failSometimes(path, ["ENOSPC", "EIO"]);
    };
    file.sync = async () => {
      await sync.call(file);
      failSometimes(path, ["EIO"]);
    };
    return file;
  };
  fs.rename = async (from, to) => {
    failSometimes(from, ["ENOSPC", "EIO"]);
    const nth = String(to).startsWith(folder) ? countBlob() : 0;
    dieAtBlob(nth, "before");
    await rename(from, to);
    dieAtBlob(nth, "after");
  };
  fs.rm = async (path, options) => {
    failSometimes(path, ["EIO"]);
    await rm(path, options);
  };
  syncBuiltinESMExports();
}

function countBlob(): number {
  const scope = scopeOfActivity();
  if (scope === undefined) return 0;
  scope.blobs = (scope.blobs ?? 0) + 1;
  return scope.blobs;
}

function dieAtBlob(nth: number, moment: "before" | "after"): void {
  if (nth === 0) return;
  const { runId, activity } = activityNow();
  const at = findPoint(runId, activity);
  if (at?.kind === "blob" && at.nth === nth && at.moment === moment) dieOnce(runId);
}

// --- troubles ------------------------------------------------------------------------------------

function readTroubles(): Trouble[] {
  const file = process.env[TROUBLES_VARIABLE];
  return file === undefined || !existsSync(file) ? [] : (JSON.parse(readFileSync(file, "utf8")) as Trouble[]);
}
