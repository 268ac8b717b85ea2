// Errors of state: which statuses of a run forbid a message, another run, a cancel or outputs, and how that is said.
import assert from "node:assert/strict";
import { RunStatus } from "../../contract/run-state.ts";
import { error, text } from "./error-rows.ts";
import type { Ask } from "./error-rows.ts";
import { assertRefused, badRequest } from "./refusals.ts";
import type { Row } from "./row.ts";
import { CALL_A, CALL_B, newRunIn, newWaitingRun, runPath } from "./waiting-run.ts";
import { quietAssistant } from "./world.ts";
import type { World } from "./world.ts";

const ACTIVE: readonly RunStatus[] = ["queued", "in_progress", "requires_action", "cancelling"];

const states: Row<World>[] = RunStatus.options.flatMap((status) => {
  const rows: Row<World>[] = [];
  if (ACTIVE.includes(status)) {
    rows.push(
      error(`lock.run.${status}`, "3.5", `a thread with a run that is ${status} takes no other run`, async (world) => {
        const { id, thread_id } = await newRunIn(world, status);
        const body = { assistant_id: (await quietAssistant(world)).id };
        assertRefused(
          await world.call("POST", `/threads/${thread_id}/runs`, { body }),
          badRequest(`Thread ${thread_id} already has an active run ${id}.`),
        );
      }),
      error(
        `lock.message.${status}`,
        "3.5",
        `a thread with a run that is ${status} takes no message`,
        async (world) => {
          const { id, thread_id } = await newRunIn(world, status);
          assertRefused(
            await world.call("POST", `/threads/${thread_id}/messages`, {
              body: { role: "user", content: "x" },
            }),
            badRequest(`Can't add messages to ${thread_id} while a run ${id} is active.`),
          );
        },
      ),
    );
  }
  if (status === "queued" || status === "in_progress" || status === "requires_action") {
    rows.push(
      error(
        `cancel.${status}`,
        "3.5",
        `a run that is ${status} can be cancelled once, and says cancelling`,
        async (world) => {
          const run = await newRunIn(world, status);
          const answer = await world.post(`${runPath(run)}/cancel`);
          assert.deepEqual(answer, { ...run, status: "cancelling", required_action: null });
          const again = await world.call("POST", `${runPath(run)}/cancel`);
          const now = (await world.get(runPath(run)))["status"];
          assertRefused(again, badRequest(`Cannot cancel run with status '${String(now)}'.`));
        },
      ),
    );
  } else {
    rows.push(
      text(
        `cancel.${status}`,
        "3.5",
        async (world) => world.call("POST", `${runPath(await newRunIn(world, status))}/cancel`),
        badRequest(`Cannot cancel run with status '${status}'.`),
      ),
    );
  }
  if (status !== "requires_action") {
    rows.push(
      text(
        `submit.${status}`,
        "3.4",
        async (world) =>
          world.call("POST", `${runPath(await newRunIn(world, status))}/submit_tool_outputs`, {
            body: { tool_outputs: [{ tool_call_id: CALL_A, output: "x" }] },
          }),
        badRequest(`Runs in status "${status}" do not accept tool outputs.`),
      ),
    );
  }
  return rows;
});

const submit =
  (tool_outputs: unknown): Ask =>
  async (world) => {
    const run = await world.once("quiet waiting run for errors", () => newWaitingRun(world));
    return world.call("POST", `${runPath(run)}/submit_tool_outputs`, { body: { tool_outputs } });
  };

const outputs: Row<World>[] = [
  ...(
    [
      ["incomplete", [CALL_A], `['${CALL_A}']`],
      ["none", [], "[]"],
      ["unknown", [CALL_A, "call_z"], `['${CALL_A}', 'call_z']`],
      ["more", [CALL_A, CALL_B, "call_z"], `['${CALL_A}', '${CALL_B}', 'call_z']`],
      ["duplicate", [CALL_A, CALL_A], `['${CALL_A}', '${CALL_A}']`],
      ["duplicate-and-more", [CALL_A, CALL_B, CALL_B], `['${CALL_A}', '${CALL_B}', '${CALL_B}']`],
    ] as const
  ).map(([id, given, got]) =>
    text(
      `outputs.${id}`,
      id === "incomplete" ? "3.4" : "8 #35",
      submit(given.map((tool_call_id) => ({ tool_call_id, output: "x" }))),
      badRequest(`Expected tool outputs for call_ids ['${CALL_A}', '${CALL_B}'], got ${got}`),
    ),
  ),
  text(
    "outputs.too-long",
    "3.4",
    submit([{ output: "" }, { output: "" }, { tool_call_id: CALL_A, output: "x".repeat(1_048_580) }]),
    badRequest(
      "Invalid 'tool_outputs[2].output': string too long. Expected a string with maximum length 1048576, but got a string with length 1048580 instead.",
      "tool_outputs[2].output",
      "string_above_max_length",
    ),
  ),
  ...[512 * 1024, 1_048_576].map((length) =>
    text(
      `outputs.too-large.${length}`,
      "3.4",
      submit([
        { tool_call_id: CALL_A, output: "" },
        { tool_call_id: CALL_B, output: "x".repeat(length) },
      ]),
      badRequest(
        "'tool_outputs' too large: the combined tool outputs must be less than 512kb.",
        "tool_outputs",
        "invalid_value",
      ),
    ),
  ),
  text(
    "outputs.too-large.together",
    "3.4",
    submit([
      { tool_call_id: CALL_A, output: "x".repeat(256 * 1024) },
      { tool_call_id: CALL_B, output: "x".repeat(256 * 1024) },
    ]),
    badRequest(
      "'tool_outputs' too large: the combined tool outputs must be less than 512kb.",
      "tool_outputs",
      "invalid_value",
    ),
  ),
  text(
    "outputs.after-expiry",
    "3.4",
    async (world) => {
      const run = await newWaitingRun(world);
      await world.app.db.query("update runs set expires_at = now() - interval '1 second' where id = $1", [run.id]);
      const body = { tool_outputs: [{ tool_call_id: CALL_A }, { tool_call_id: CALL_B }] };
      return world.call("POST", `${runPath(run)}/submit_tool_outputs`, { body });
    },
    badRequest('Runs in status "expired" do not accept tool outputs.'),
  ),
];

export const stateErrorRows: Row<World>[] = [...states, ...outputs];
