// Outputs of function calls, as a client hands them in.
import assert from "node:assert/strict";
import { assertRefused, badRequest, stringTooLong } from "./refusals.ts";
import { requestRows } from "./request-rows.ts";
import type { Endpoint } from "./request-rows.ts";
import { rule } from "./row.ts";
import type { Row } from "./row.ts";
import { streamFlag } from "./tool-fields.ts";
import { list, object, required, text } from "./values.ts";
import type { Spec } from "./values.ts";
import { CALL_A, CALL_B, newWaitingRun, runPath } from "./waiting-run.ts";
import type { InThread, World } from "./world.ts";

const waiting = (world: World) => world.once("quiet waiting run", () => newWaitingRun(world));

const submit: Endpoint = {
  id: "runs.submit",
  source: "3.4",
  schema: "SubmitToolOutputs",
  base: async () => ({ tool_outputs: [OUTPUT_A, { tool_call_id: CALL_B, output: "18" }] }),
  target: async (world) => `${runPath(await newWaitingRun(world))}/submit_tool_outputs`,
  refusedAt: async (world) => `${runPath(await waiting(world))}/submit_tool_outputs`,
  view: async (world, run) => {
    const { data } = await world.get<{ data: Step[] }>(`${runPath(run as InThread)}/steps`);
    const calls = data[0]?.step_details.tool_calls ?? [];
    return { tool_outputs: calls.map((call) => ({ tool_call_id: call.id, output: call.function.output })) };
  },
};

interface Step {
  step_details: { tool_calls: { id: string; function: { output: string } }[] };
}

const OUTPUT_A = { tool_call_id: CALL_A, output: "17" };

const MISMATCH = (got: string) =>
  badRequest(`Expected tool outputs for call_ids ['${CALL_A}', '${CALL_B}'], got [${got}]`);

const callId: Spec = {
  ...text({ sample: CALL_B }),
  words: "the id of a call that the run waits for",
  absenceUnknown: true,
  accepts: [{ value: CALL_B, echo: CALL_B }],
  refuses: [
    { value: CALL_A, what: "the same call again", refusal: () => MISMATCH(`'${CALL_A}', '${CALL_A}'`) },
    { value: "call_unknown", refusal: () => MISMATCH(`'${CALL_A}', 'call_unknown'`) },
  ],
};

const OUTPUT_MAX = 1_048_576;
/** All outputs together have to stay below 512 kB; 17 is there already. */
const LONGEST = 512 * 1024 - 1 - 2;

const output: Spec = {
  ...text({ sample: "18" }),
  words: `a text of at most ${OUTPUT_MAX} characters`,
  fallback: "",
  accepts: ["18", "", '{"degrees":18}', "x".repeat(LONGEST)].map((value) => ({ value, echo: value })),
  refuses: [
    {
      what: `${OUTPUT_MAX + 1} characters`,
      value: "x".repeat(OUTPUT_MAX + 1),
      refusal: (param) => stringTooLong(param, OUTPUT_MAX, OUTPUT_MAX + 1),
    },
  ],
};

const toolOutput: Spec = {
  ...object({ tool_call_id: callId, output }),
  sample: { tool_call_id: CALL_B },
  accepts: [{ value: { tool_call_id: CALL_B }, echo: { tool_call_id: CALL_B, output: "" } }],
};

/** The calls' order does not matter; that all of them are there does. */
const toolOutputs: Spec = required({
  ...list(toolOutput, { neighbour: OUTPUT_A }),
  words: "a list of an output for every call that the run waits for",
  accepts: [
    {
      value: [{ tool_call_id: CALL_B, output: "b" }, OUTPUT_A],
      echo: [OUTPUT_A, { tool_call_id: CALL_B, output: "b" }],
    },
  ],
  refuses: [
    { value: [], refusal: () => MISMATCH("") },
    { value: [OUTPUT_A], refusal: () => MISMATCH(`'${CALL_A}'`) },
    {
      value: [OUTPUT_A, { tool_call_id: CALL_B }, { tool_call_id: "call_more" }],
      refusal: () => MISMATCH(`'${CALL_A}', '${CALL_B}', 'call_more'`),
    },
  ],
});

const rules: Row<World>[] = [
  rule("runs.submit.order", "3.4", "outputs may come in any order", async (world) => {
    const run = await newWaitingRun(world);
    const tool_outputs = [{ tool_call_id: CALL_B }, { tool_call_id: CALL_A }];
    const queued = await world.post(`${runPath(run)}/submit_tool_outputs`, { tool_outputs });
    assert.partialDeepStrictEqual(queued, { id: run.id, status: "queued", required_action: null });
    assert.deepEqual(await world.get(runPath(run)), queued, "no read says requires_action any more");
  }),
  rule("runs.submit.refused", "3.4", "outputs that are refused change nothing", async (world) => {
    const run = await waiting(world);
    const answer = await world.call("POST", `${runPath(run)}/submit_tool_outputs`, {
      body: { tool_outputs: [OUTPUT_A] },
    });
    assertRefused(answer, MISMATCH(`'${CALL_A}'`));
    assert.deepEqual(await world.get(runPath(run)), run);
  }),
];

export const submitRows: Row<World>[] = [
  ...requestRows(submit, { tool_outputs: toolOutputs, stream: streamFlag }),
  ...rules,
];
