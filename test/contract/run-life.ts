// The life of a run: what each of its fields says at each moment, and what becomes of its steps and messages.
import assert from "node:assert/strict";
import { send } from "../api/raw.ts";
import { callsOf, pathOf } from "./life.ts";
import type { Call, Life, Moment, MomentName, StreamOf } from "./life.ts";
import { rule } from "./row.ts";
import type { Case, Field, Row } from "./row.ts";
import type { Made } from "./world.ts";

// --- 3.2: time stamps by moment ------------------------------------------------------------------

/** What a cell of the table says of a field. Undefined when it is right. */
type Cell = (value: unknown, moment: Moment, before: Moment | undefined, field: string) => string | undefined;

const wrong = (value: unknown, wanted: string) => `is ${JSON.stringify(value)} and not ${wanted}`;

const NULL: Cell = (value) => (value === null ? undefined : wrong(value, "null"));
const SET: Cell = (value) => (typeof value === "object" && value !== null ? undefined : wrong(value, "set"));
const SET_OR_NULL: Cell = (value) => (typeof value === "object" ? undefined : wrong(value, "set or null"));
/** Between what brought the run here and the look at it. */
const NOW: Cell = (value, { from, to }) =>
  Number(value) >= from && Number(value) <= to ? undefined : wrong(value, `between ${from} and ${to}`);
/** As at the moment before. */
const KEPT: Cell = (value, _moment, before, field) => {
  const kept = before?.run[field];
  return typeof kept === "number" && value === kept ? undefined : wrong(value, `${String(kept)}, as it was`);
};
const LIFETIME: Cell = (value, { run }) =>
  value === Number(run["created_at"]) + 600 ? undefined : wrong(value, "created_at + 600");

const COLUMNS = [
  "started_at",
  "expires_at",
  "completed_at",
  "failed_at",
  "cancelled_at",
  "required_action",
  "usage",
] as const;

type Cells = readonly [Cell, Cell, Cell, Cell, Cell, Cell, Cell];

interface Line {
  moment: MomentName;
  status: string;
  /** The moment that "kept" means. */
  after?: MomentName;
  source?: string;
  cells: Cells;
}

/** Line by line as the contract has it; the moments that it does not tell apart follow the same line. */
const LINES: readonly Line[] = [
  { moment: "create", status: "queued", cells: [NULL, LIFETIME, NULL, NULL, NULL, NULL, NULL] },
  { moment: "start", status: "in_progress", cells: [NOW, LIFETIME, NULL, NULL, NULL, NULL, NULL] },
  { moment: "needs functions", status: "requires_action", cells: [NOW, LIFETIME, NULL, NULL, NULL, SET, NULL] },
  { moment: "needs a function", status: "requires_action", cells: [NOW, LIFETIME, NULL, NULL, NULL, SET, NULL] },
  {
    moment: "outputs submitted",
    status: "queued",
    after: "needs functions",
    cells: [KEPT, KEPT, NULL, NULL, NULL, NULL, NULL],
  },
  {
    moment: "restarted",
    status: "in_progress",
    after: "outputs submitted",
    cells: [NOW, KEPT, NULL, NULL, NULL, NULL, NULL],
  },
  { moment: "done", status: "completed", cells: [NOW, NULL, NOW, NULL, NULL, NULL, SET] },
  {
    moment: "done after functions",
    status: "completed",
    after: "restarted",
    cells: [KEPT, NULL, NOW, NULL, NULL, NULL, SET],
  },
  { moment: "failed", status: "failed", cells: [NOW, NULL, NULL, NOW, NULL, NULL, SET] },
  { moment: "failed while speaking", status: "failed", cells: [NOW, NULL, NULL, NOW, NULL, NULL, SET] },
  { moment: "cancel", status: "cancelling", after: "start", cells: [KEPT, KEPT, NULL, NULL, NULL, NULL, NULL] },
  {
    moment: "cancel of a waiting run",
    status: "cancelling",
    after: "needs a function",
    source: "8 #25",
    cells: [KEPT, KEPT, NULL, NULL, NULL, NULL, NULL],
  },
  {
    moment: "cancelled",
    status: "cancelled",
    after: "cancel",
    cells: [KEPT, NULL, NULL, NULL, NOW, NULL, SET_OR_NULL],
  },
  {
    moment: "cancelled while waiting",
    status: "cancelled",
    after: "cancel of a waiting run",
    cells: [KEPT, NULL, NULL, NULL, NOW, NULL, SET_OR_NULL],
  },
  {
    moment: "completion tokens used up",
    status: "incomplete",
    source: "8 #23",
    cells: [NOW, NULL, NULL, NULL, NULL, NULL, SET],
  },
  {
    moment: "prompt tokens used up",
    status: "incomplete",
    source: "8 #23",
    cells: [NOW, NULL, NULL, NULL, NULL, NULL, SET],
  },
  { moment: "expired while waiting", status: "expired", source: "8 #24", cells: expired() },
  { moment: "expired while speaking", status: "expired", source: "8 #24", cells: expired() },
];

/** These runs were given two seconds to live, which they keep as the moment of their end. */
function expired(): Cells {
  const ended: Cell = (value, { run }) =>
    value === Number(run["created_at"]) + 2 ? undefined : wrong(value, "the moment of expiry");
  return [NOW, ended, NULL, NULL, NULL, NULL, SET];
}

function toRow({ moment, status, after, source = "3.2", cells }: Line): Row<Life> {
  const look = (life: Life, field: string, cell: Cell) => {
    const problem = cell(
      life.moments[moment].run[field],
      life.moments[moment],
      after === undefined ? undefined : life.moments[after],
      field,
    );
    assert.equal(problem, undefined);
  };
  return {
    id: `run-life.${moment.replaceAll(" ", "-")}`,
    source,
    title: `at the moment of "${moment}" the run is ${status}, with its time stamps, required_action and usage`,
    kind: "rule",
    cases: [
      { what: "status", check: (life) => assert.equal(life.moments[moment].run["status"], status) },
      ...COLUMNS.map((field, index): Case<Life> => ({
        what: field,
        check: (life) => look(life, field, cells[index] as Cell),
      })),
    ],
  };
}

// --- what becomes of the rest ----------------------------------------------------------------------

const fact = (id: string, source: string, title: string, check: (life: Life) => void | Promise<void>): Row<Life> =>
  rule(`run-life.${id}`, source, title, check);

const last = (moment: Moment): { step: Made; message: Made } => ({
  step: moment.steps.at(-1) as Made,
  message: moment.messages.at(-1) as Made,
});

interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

/** How a run's open message and step end with it. */
const CLOSED: readonly [MomentName, string, string, string][] = [
  ["cancelled", "run_cancelled", "cancelled", "3.5"],
  ["expired while speaking", "run_expired", "expired", "4.4"],
  ["completion tokens used up", "max_tokens", "completed", "8 #22"],
  ["failed while speaking", "content_filter", "failed", "4.4"],
];

const facts: Row<Life>[] = [
  ...CLOSED.map(([name, reason, status, source]) =>
    fact(
      `open-work.${name.replaceAll(" ", "-")}`,
      source,
      `of a run that is ${name} the open message is incomplete (${reason}) and the open step ${status}`,
      ({ moments }) => {
        const { step, message } = last(moments[name]);
        assert.deepEqual(
          [message["status"], message["incomplete_details"], message["completed_at"]],
          ["incomplete", { reason }, null],
        );
        assert.equal(typeof message["incomplete_at"], "number");
        assert.equal(step["status"], status);
        for (const other of ["cancelled", "expired", "completed", "failed"]) {
          const moment = other === status ? "number" : "object";
          assert.equal(typeof step[`${other}_at`], moment, `${other}_at is ${JSON.stringify(step[`${other}_at`])}`);
        }
        assert.equal(step["last_error"] === null, status !== "failed");
      },
    ),
  ),
  fact(
    "open-work.expired-while-waiting",
    "4.4",
    "of a run that expires while it waits the step is expired",
    ({ moments }) => {
      const { step } = last(moments["expired while waiting"]);
      assert.equal(step["status"], "expired");
      assert.equal(typeof step["expired_at"], "number");
    },
  ),
  fact(
    "incomplete_details",
    "1.4",
    "an incomplete run says which budget it has used up, and no other run does",
    ({ moments }) => {
      for (const [name, { run }] of Object.entries(moments)) {
        const reason = name.startsWith("completion") ? "max_completion_tokens" : "max_prompt_tokens";
        const expected = run["status"] === "incomplete" ? { reason } : null;
        assert.deepEqual(run["incomplete_details"], expected, name);
      }
    },
  ),
  fact("last_error", "3.6", "a failed run says what went wrong, and no other run does", ({ moments }) => {
    for (const [name, { run }] of Object.entries(moments)) {
      assert.equal(run["last_error"] !== null, run["status"] === "failed", name);
    }
  }),
  fact("last_error.quota", "3.6", "an upstream quota that is used up is rate_limit_exceeded", ({ moments }) => {
    const error = moments["out of quota"].run["last_error"] as { code: string; message: string };
    assert.equal(error.code, "rate_limit_exceeded");
    assert.match(error.message, /^You exceeded your current quota, please check your plan and billing details\./);
  }),
  fact(
    "required_action",
    "3.3",
    "a waiting run names every call, without an output, and its step the same with null",
    ({ moments }) => {
      const { run, steps } = moments["needs functions"];
      const calls = callsOf(run);
      assert.deepEqual(
        calls.map((call) => [call.type, call.function.name, JSON.parse(call.function.arguments)]),
        ["a", "b"].map((q) => ["function", "lookup", { q }]),
      );
      assert.ok(calls.every((call) => !("output" in call.function)));
      const step = steps.at(-1) as Made;
      assert.equal(step["status"], "in_progress");
      const details = step["step_details"] as { tool_calls: Call[] };
      assert.deepEqual(
        details.tool_calls,
        calls.map((call) => ({ ...call, function: { ...call.function, output: null } })),
      );
    },
  ),
  fact(
    "outputs.step",
    "3.4",
    "submitted outputs complete the step, at that moment and with its usage",
    ({ moments }) => {
      const { from, to } = moments["outputs submitted"];
      const step = moments.restarted.steps.find((item) => item["type"] === "tool_calls") as Made;
      const completedAt = Number(step["completed_at"]);
      assert.equal(step["status"], "completed");
      assert.ok(completedAt >= from && completedAt <= to, `completed at ${completedAt}, submitted ${from} to ${to}`);
      assert.ok(step["usage"]);
      const details = step["step_details"] as { tool_calls: Call[] };
      assert.deepEqual(
        details.tool_calls.map((call) => call.function.output),
        ["17", "17"],
      );
    },
  ),
  fact(
    "parallel-calls",
    "1.5",
    "parallel calls are one step, and a text before them a message and a step of its own",
    ({ moments }) => {
      const { steps, messages } = moments["needs functions"];
      assert.deepEqual(
        steps.map((step) => [step["type"], step["status"]]),
        [
          ["message_creation", "completed"],
          ["tool_calls", "in_progress"],
        ],
      );
      assert.equal(messages.length, 1);
      assert.deepEqual((steps[0] as Made)["step_details"], {
        type: "message_creation",
        message_creation: { message_id: messages[0]?.id },
      });
    },
  ),
  fact("messages", "1.3", "what a run writes is its assistant's, and was made when its step was", ({ moments }) => {
    for (const { run, steps, messages } of Object.values(moments)) {
      for (const message of messages) {
        assert.partialDeepStrictEqual(message, {
          role: "assistant",
          run_id: run.id,
          assistant_id: run["assistant_id"],
          thread_id: run.thread_id,
        });
        const step = steps.find((item) => JSON.stringify(item["step_details"]).includes(message.id));
        const late = Number(message["created_at"]) - Number(step?.["created_at"]);
        assert.ok(late === 0 || late === 1, `${late} s after its step`);
      }
    }
  }),
  fact(
    "messages.in_progress",
    "1.3",
    "a message that is being written is in_progress, and neither completed nor incomplete",
    ({ moments }) => {
      assert.partialDeepStrictEqual(last(moments.start).message, {
        status: "in_progress",
        completed_at: null,
        incomplete_at: null,
        incomplete_details: null,
      });
    },
  ),
  fact("messages.completed", "1.3", "a message that was written to its end is completed", ({ moments }) => {
    const { message } = last(moments.done);
    assert.partialDeepStrictEqual(message, {
      status: "completed",
      incomplete_at: null,
      incomplete_details: null,
      content: [{ type: "text", text: { value: "Done.", annotations: [] } }],
    });
    assert.equal(typeof message["completed_at"], "number");
  }),
  fact("steps.open", "1.5", "an open step has the run's expires_at, no usage and no end", ({ moments }) => {
    for (const name of ["start", "needs functions", "restarted"] as const) {
      const { run, steps } = moments[name];
      const ends = { cancelled_at: null, completed_at: null, expired_at: null, failed_at: null, last_error: null };
      const open = steps.filter((step) => step["status"] === "in_progress");
      for (const step of open) {
        assert.partialDeepStrictEqual(step, { ...ends, usage: null, expires_at: run["expires_at"] });
      }
      assert.ok(open.length <= 1 && (open.length === 1 || name === "restarted"));
    }
  }),
  fact("steps.closed", "1.5", "a closed step has its usage, one end, and no expires_at", ({ moments }) => {
    for (const { steps } of Object.values(moments)) {
      for (const step of steps.filter((item) => item["status"] !== "in_progress")) {
        assert.equal(step["expires_at"], null);
        assert.ok(step["usage"], `${String(step["status"])} without usage`);
        const ends = ["cancelled_at", "completed_at", "expired_at", "failed_at"].filter((end) => step[end] !== null);
        assert.deepEqual(ends, [`${String(step["status"])}_at`]);
      }
    }
  }),
  fact("steps.metadata", "8 #8", "a step shows metadata, which is empty", ({ specimens }) => {
    for (const { value } of specimens.step) assert.deepEqual((value as Made)["metadata"], {});
  }),
  fact("usage.sum", "3.7", "the usage of a run is the sum of its steps'", ({ moments }) => {
    for (const name of ["done", "done after functions", "completion tokens used up"] as const) {
      const { run, steps } = moments[name];
      const sum = (key: keyof Usage) =>
        steps.reduce((total, step) => total + ((step["usage"] as Usage | null)?.[key] ?? 0), 0);
      const usage = run["usage"] as Usage;
      assert.deepEqual(
        [usage.prompt_tokens, usage.completion_tokens, usage.total_tokens],
        [sum("prompt_tokens"), sum("completion_tokens"), sum("total_tokens")],
        name,
      );
      assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
      assert.ok(usage.prompt_tokens > 0 && usage.completion_tokens > 0);
    }
  }),
  fact("status", "3.1", "no run ever shows a status that clients do not know", ({ specimens }) => {
    const known = "queued in_progress requires_action cancelling cancelled failed completed incomplete expired".split(
      " ",
    );
    for (const { value } of specimens.run) assert.ok(known.includes(String((value as Made)["status"])));
  }),
  fact("terminal", "3.1", "a run that has ended is never changed again", async ({ stack, moments }) => {
    for (const [name, { run }] of Object.entries(moments)) {
      if (!["cancelled", "failed", "completed", "incomplete", "expired"].includes(String(run["status"]))) continue;
      assert.deepEqual((await send(stack, pathOf(run))).body, run, name);
    }
  }),
  fact("deleted-message", "8 #51", "a step keeps the id of a message that was deleted", async ({ stack, moments }) => {
    const { run, steps, messages } = moments["done after functions"];
    const path = `/threads/${run.thread_id}/messages/${String(messages[0]?.id)}`;
    assert.equal((await send(stack, path, { method: "DELETE" })).status, 200);
    const { body } = await send(stack, `${pathOf(run)}/steps/${String(steps[0]?.id)}`);
    assert.deepEqual(body, steps[0]);
  }),
  fact("free", "3.5", "the thread of a run that has ended takes messages and runs", async ({ stack, moments }) => {
    const { run } = moments["expired while waiting"];
    const thread = `/threads/${run.thread_id}`;
    const post = (path: string, body: object) => send(stack, path, { method: "POST", body });
    assert.equal((await post(`${thread}/messages`, { role: "user", content: "x" })).status, 200);
    assert.equal((await post(`${thread}/runs`, { assistant_id: run["assistant_id"] })).status, 200);
  }),
];

// --- streams -----------------------------------------------------------------------------------------

const STREAM: Field[] = ["CreateRun", "CreateThreadAndRun", "SubmitToolOutputs"].map((schema) => ({
  schema,
  path: "stream",
}));

const names = ({ events }: StreamOf) => events.map(({ event }) => event);

interface CallDelta {
  index: number;
  id?: string;
  function: { name?: string; arguments: string };
}

const streams: Row<Life>[] = [
  rule(
    "runs.stream",
    "4.1",
    "with stream: true runs and submissions answer with events, whatever the client accepts, and end with done",
    ({ streams: all }) => {
      // Status, content type, x-request-id and framing were checked while the streams were read.
      for (const stream of Object.values(all)) {
        assert.deepEqual(stream.events.at(-1), { id: undefined, event: "done", data: "[DONE]" });
        assert.equal(names(stream).filter((name) => name === "done").length, 1);
      }
    },
    { kind: "request", covers: STREAM },
  ),
  rule(
    "runs.stream.begin",
    "4.4",
    "a stream begins with what was made: the run, or the thread and the run",
    ({ streams: { run, threadAndRun } }) => {
      const begin = ["thread.run.created", "thread.run.queued", "thread.run.in_progress"];
      assert.deepEqual(names(run).slice(0, 3), begin);
      assert.deepEqual(names(threadAndRun).slice(0, 4), ["thread.created", ...begin]);
    },
  ),
  rule(
    "runs.stream.submit",
    "9",
    "a stream of submitted outputs begins with the completed step",
    ({ streams: { outputs } }) => {
      assert.deepEqual(names(outputs).slice(0, 3), [
        "thread.run.step.completed",
        "thread.run.queued",
        "thread.run.in_progress",
      ]);
      assert.ok(!names(outputs).includes("thread.run.created"));
      assert.equal(names(outputs).at(-2), "thread.run.completed");
    },
  ),
  rule(
    "runs.stream.state-before-event",
    "9",
    "a run says requires_action before its stream does",
    ({ streams: { run } }) => {
      assert.equal(names(run).at(-2), "thread.run.requires_action");
      assert.equal(run.statusWhenToldToAct, "requires_action");
    },
  ),
  rule(
    "runs.stream.one-open-step",
    "9",
    "one step is open at a time, and every id is created once",
    ({ streams: all }) => {
      for (const stream of Object.values(all)) {
        const created = new Set<string>();
        let open: string | undefined = stream === all.outputs ? "the step of the calls" : undefined;
        for (const { event, data } of stream.events) {
          if (event === "thread.run.step.created") {
            const { id } = data as Made;
            assert.equal(open, undefined, "another step is open");
            assert.ok(!created.has(id));
            created.add(id);
            open = id;
          }
          if (/^thread\.run\.step\.(completed|failed|cancelled|expired)$/.test(event)) open = undefined;
        }
      }
    },
  ),
  rule(
    "runs.stream.first-delta",
    "9",
    "the first delta of a call has its id, its name and no arguments yet",
    ({ streams: { run } }) => {
      const deltas = run.events
        .filter(({ event }) => event === "thread.run.step.delta")
        .flatMap(
          ({ data }) =>
            (data as { delta: { step_details: { tool_calls: CallDelta[] } } }).delta.step_details.tool_calls,
        );
      const [first, ...others] = deltas;
      assert.deepEqual([first?.function.name, first?.function.arguments], ["lookup", ""]);
      assert.match(first?.id ?? "", /^call_/);
      assert.ok(others.every((delta) => delta.id === undefined && delta.function.name === undefined));
      assert.deepEqual(JSON.parse(deltas.map((delta) => delta.function.arguments).join("")), { q: "a" });
    },
  ),
  rule("runs.stream.text", "9", "the deltas of a message add up to its text", ({ streams: all }) => {
    for (const { events } of Object.values(all)) {
      const told = events
        .filter(({ event }) => event === "thread.message.delta")
        .map(({ data }) => (data as { delta: { content: { text: { value: string } }[] } }).delta.content[0]?.text.value)
        .join("");
      const completed = events.find(({ event }) => event === "thread.message.completed")?.data as Made;
      assert.equal((completed["content"] as { text: { value: string } }[])[0]?.text.value, told);
    }
  }),
  rule("runs.stream.disconnect", "8 #43", "a run goes on when its reader leaves", ({ moments }) => {
    assert.equal(moments["left by its reader"].run["status"], "completed");
  }),
  rule(
    "runs.events.after",
    "docs/extensions.md",
    "after is the position behind which a run's events are read again",
    async ({ stack, streams: { threadAndRun } }) => {
      const path = `${pathOf(threadAndRun.run)}/events`;
      for (const wrong of ["-1", "x", "1.5"]) assert.equal((await send(stack, `${path}?after=${wrong}`)).status, 400);
      const headers = { authorization: `Bearer ${stack.apiKey}`, "openai-beta": "assistants=v2" };
      const answer = await (await fetch(`${stack.baseURL}${path}?after=2`, { headers })).text();
      assert.match(answer, /^id: 3\nevent: thread\.run\.queued\n/);
    },
    { kind: "request", covers: [{ schema: "EventsQuery", path: "after" }] },
  ),
];

export const runLifeRows: Row<Life>[] = [...LINES.map(toRow), ...facts, ...streams];
