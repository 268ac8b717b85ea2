// Check 7: runs that run code over a file, and show what it has drawn and written.
import assert from "node:assert/strict";
import { scripted } from "../../support/scripts.ts";
import { checkCall, checkDeltas, checkFiles, checkLink, codeAndLink, TABLE } from "../coding.ts";
import type { CodeOutput } from "../coding.ts";
import type { Server } from "../program.ts";
import { V1_HEADERS, V1_MODEL } from "../versions.ts";
import { curl, curlJson } from "./curl.ts";
import { createAndPoll, post, streamOf } from "./objects.ts";
import type { List, Run } from "./objects.ts";

const V1 = { headers: V1_HEADERS };
const tools = [{ type: "code_interpreter" }];

interface Identified {
  id: string;
}

interface StepDelta {
  delta: {
    step_details: { tool_calls: { code_interpreter?: { input?: string; outputs?: CodeOutput[] } }[] };
  };
}

interface Step {
  step_details: { tool_calls: Parameters<typeof checkCall>[0][] };
}

interface Answer {
  content: Parameters<typeof checkLink>[0];
}

export async function checkCodeInterpreter(server: Server): Promise<void> {
  const form = ["purpose=assistants", `file=${TABLE.text};filename=${TABLE.name}`];
  const { id: file } = await curlJson<Identified>(server, "/files", { method: "POST", form });
  await checkPolled(server, file);
  await checkStreamed(server, file);
  await checkVersion1(server, file);
}

async function checkPolled(server: Server, file: string): Promise<void> {
  const tool_resources = { code_interpreter: { file_ids: [file] } };
  const assistant = await curlJson<Identified>(server, "/assistants", post({ model: "gpt-4o", tools, tool_resources }));
  const messages = [{ role: "user", content: scripted(codeAndLink()) }];
  const { id } = await curlJson<Identified>(server, "/threads", post({ messages }));
  await checkAnswer(server, await createAndPoll(server, id, { assistant_id: assistant.id }));
}

async function checkStreamed(server: Server, file_id: string): Promise<void> {
  const { id: assistant_id } = await curlJson<Identified>(server, "/assistants", post({ model: "gpt-4o", tools }));
  const attachments = [{ file_id, tools }];
  const thread = { messages: [{ role: "user", content: scripted(codeAndLink()), attachments }] };
  const events = await streamOf(server, "/threads/runs", { assistant_id, thread, stream: true });
  const calls = events
    .filter(({ event }) => event === "thread.run.step.delta")
    .flatMap(({ data }) => (data as StepDelta).delta.step_details.tool_calls);
  const outputs = calls.flatMap((call) => call.code_interpreter?.outputs ?? []);
  checkDeltas(
    calls.flatMap(({ code_interpreter: { input } = {} }) => (input ? [input] : [])),
    outputs.flatMap((output) => (output.type === "logs" ? [output.logs] : [])),
  );
  await checkAnswer(server, events.at(-2)?.data as Run);
}

async function checkVersion1(server: Server, file: string): Promise<void> {
  const body = { model: V1_MODEL, tools, file_ids: [file] };
  const assistant = await curlJson<Identified>(server, "/assistants", { ...post(body), ...V1 });
  const messages = [{ role: "user", content: scripted(codeAndLink()) }];
  const { id } = await curlJson<Identified>(server, "/threads", { ...post({ messages }), ...V1 });
  await checkAnswer(server, await createAndPoll(server, id, { assistant_id: assistant.id }), V1);
}

async function checkAnswer(server: Server, run: Run, view = {}): Promise<void> {
  assert.equal(run.status, "completed", JSON.stringify(run));
  const thread = `/threads/${run.thread_id}`;
  const steps = await curlJson<List<Step>>(server, `${thread}/runs/${run.id}/steps?order=asc`, view);
  const [call, ...others] = steps.data[0]?.step_details.tool_calls ?? [];
  assert.ok(call !== undefined && others.length === 0);
  const image = checkCall(call);
  const messages = await curlJson<List<Answer>>(server, `${thread}/messages?run_id=${run.id}`, view);
  const written = checkLink(messages.data[0]?.content ?? [], image);
  const download = (id: string) => curl(server, `/files/${id}/content`);
  await checkFiles(await download(image), await download(written));
}
