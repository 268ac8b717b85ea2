// B8: growth. The same runs on a database that has served for long, compared with a new one.
import { createAssistant, createThreads, inParallel, scripted, timeRun } from "./load.ts";
import type { RunTimes } from "./load.ts";
import type { Report } from "./report.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";
import { median, percentile, range } from "./stats.ts";

const OLD_THREADS = 50_000;
const RUNS_PER_THREAD = 4;
/** A question and an answer for each run, and twelve more messages on every thread. */
const MESSAGES_PER_THREAD = 20;
/** Ended within the last day: their events are still there. */
const RUNS_WITH_EVENTS = 20_000;
const ROUNDS = 6;
const SEQUENTIAL = 20;
const CONCURRENCY = 20;
const CONCURRENT = 120;
const WARM_UP = 40;
const MAX_RATIO = 1.2;

interface Side {
  name: "new" | "old";
  stack: Stack;
  assistant_id: string;
  threads: string[];
}

interface Phase {
  p50: number;
  perSecond: number;
}

export async function measureGrowth(): Promise<Report> {
  const stacks: Stack[] = [];
  try {
    for (let count = 0; count < 2; count += 1) stacks.push(await startStack());
    const [fresh, grown] = stacks as [Stack, Stack];
    const size = await grow(grown);
    const sides = [await prepare("new", fresh), await prepare("old", grown)];
    const rounds: Record<Side["name"], Phase>[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      // In turns, and each first as often as the other.
      const order = round % 2 === 0 ? sides : sides.toReversed();
      const found: Partial<Record<Side["name"], Phase>> = {};
      for (const side of order) found[side.name] = await measure(side);
      rounds.push(found as Record<Side["name"], Phase>);
    }
    return toReport(rounds, size);
  } finally {
    for (const stack of stacks) await stack.stop();
  }
}

async function prepare(name: Side["name"], stack: Stack): Promise<Side> {
  const assistant_id = await createAssistant(stack.api);
  const count = WARM_UP + ROUNDS * (SEQUENTIAL + CONCURRENT);
  const threads = await createThreads(stack.api, count, scripted({ text: "Four." }));
  const side = { name, stack, assistant_id, threads };
  await inParallel(CONCURRENCY, WARM_UP, () => run(side));
  return side;
}

function run({ stack, threads, assistant_id }: Side): Promise<RunTimes> {
  return timeRun(stack.api, threads.pop() as string, { assistant_id });
}

async function measure(side: Side): Promise<Phase> {
  const latencies: number[] = [];
  await inParallel(1, SEQUENTIAL, async () => latencies.push((await run(side)).completed));
  const ms = await inParallel(CONCURRENCY, CONCURRENT, () => run(side));
  return { p50: percentile(latencies, 0.5), perSecond: (CONCURRENT * 1000) / ms };
}

/** Fills the database as that many runs would have left it: by SQL, through the API it would take hours. Returns its size in MiB. */
async function grow({ db }: Stack): Promise<number> {
  const [project] = (await db.query<{ id: string }>("select id from projects")).rows;
  const text = "A sentence of ordinary words, as people write them to one another when they have the time to do so.";
  const content = JSON.stringify([{ type: "text", text: { value: text, annotations: [] } }]);
  const fill = (sql: string, ...values: unknown[]) => db.query(sql, [project?.id, ...values]);
  await fill(
    `insert into threads (id, project_id, metadata, tool_resources, message_count)
     select 'thread_old' || n, $1, '{}', '{}', $3 from generate_series(1, $2::int) n`,
    OLD_THREADS,
    MESSAGES_PER_THREAD,
  );
  await fill(
    `insert into runs (id, project_id, thread_id, assistant_id, status, created_at, expires_at, started_at, completed_at,
       model, instructions, tools, tool_resources, metadata, temperature, top_p, response_format, tool_choice,
       parallel_tool_calls, truncation_strategy, turn, epoch, check_at, events_until)
     select 'run_old' || n, $1, 'thread_old' || 1 + n % $2, 'asst_old', 'completed', now(), now(), now(), now(),
       'gpt-4o', 'You are brief.', '[]', '{}', '{}', 1, 1, '"auto"', '"auto"',
       true, '{"type":"auto","last_messages":null}', 1, 2, now(),
       case when n <= $4 then now() + interval '1 day' end
     from generate_series(1, $2::int * $3::int) n`,
    OLD_THREADS,
    RUNS_PER_THREAD,
    RUNS_WITH_EVENTS,
  );
  await fill(
    `insert into messages (id, project_id, thread_id, created_at, completed_at, role, status, content, attachments,
       metadata, run_id, tokens)
     select 'msg_old' || n, $1, 'thread_old' || 1 + n % $2, now(), now(),
       case when n <= $2 * $4 then 'assistant' else 'user' end, 'completed', $5, '[]', '{}',
       case when n <= $2 * $4 then 'run_old' || n end, 24
     from generate_series(1, $2::int * $3::int) n`,
    OLD_THREADS,
    MESSAGES_PER_THREAD,
    RUNS_PER_THREAD,
    content,
  );
  await fill(
    `insert into run_steps (id, project_id, run_id, thread_id, assistant_id, turn, type, status, completed_at,
       step_details)
     select 'step_old' || n, $1, 'run_old' || n, 'thread_old' || 1 + n % $2, 'asst_old', 1, 'message_creation',
       'completed', now(),
       json_build_object('type', 'message_creation', 'message_creation', json_build_object('message_id', 'msg_old' || n))
     from generate_series(1, $2::int * $3::int) n`,
    OLD_THREADS,
    RUNS_PER_THREAD,
  );
  for (const table of ["run_events", "run_deltas"]) {
    await db.query(
      `insert into ${table} (run_id, seq, event, data)
       select 'run_old' || n, ${table === "run_deltas" ? 100 : 0} + s, 'thread.message.delta', '{"id":"msg_old"}'
       from generate_series(1, $1::int) n, generate_series(1, 10) s`,
      [RUNS_WITH_EVENTS],
    );
  }
  await db.query("vacuum analyze"); // what autovacuum has done by then
  const { rows } = await db.query<{ mib: number }>("select pg_database_size(current_database()) / 1048576 as mib");
  return rows[0]?.mib ?? Number.NaN;
}

function toReport(rounds: readonly Record<Side["name"], Phase>[], mib: number): Report {
  const latency = rounds.map((round) => round.old.p50 / round.new.p50);
  const throughput = rounds.map((round) => round.old.perSecond / round.new.perSecond);
  const runs = (OLD_THREADS * RUNS_PER_THREAD).toLocaleString("en");
  const messages = (OLD_THREADS * MESSAGES_PER_THREAD).toLocaleString("en");
  const row = (what: string, of: (phase: Phase) => number) => [
    what,
    range(rounds.map((round) => of(round.old))),
    range(rounds.map((round) => of(round.new))),
  ];
  return {
    name: "b8",
    title: "Growth",
    method:
      `Plain runs by turns on two servers: one whose database holds ${messages} messages and ${runs} runs on ` +
      `${OLD_THREADS.toLocaleString("en")} threads (${mib} MiB, filled by SQL), and a new one. ${ROUNDS} rounds of ` +
      `${SEQUENTIAL} one after the other and ${CONCURRENT} at concurrency ${CONCURRENCY}.`,
    goals: [
      {
        what: "latency p50, one at a time: old / new",
        found: range(latency, 2),
        goal: `≤ ${MAX_RATIO}`,
        met: median(latency) <= MAX_RATIO,
      },
      {
        what: `throughput at concurrency ${CONCURRENCY}: old / new`,
        found: range(throughput, 2),
        goal: `≥ ${(1 / MAX_RATIO).toFixed(2)}`,
        met: median(throughput) >= 1 / MAX_RATIO,
      },
    ],
    tables: [
      {
        title: "Latency in ms, and runs per second",
        columns: ["", "old", "new"],
        rows: [row("latency p50", (phase) => phase.p50), row("runs per second", (phase) => phase.perSecond)],
      },
    ],
  };
}
