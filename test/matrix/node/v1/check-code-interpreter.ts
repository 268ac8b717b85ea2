// Check 7 through version 1: runs that run code over the files of assistants and messages.
import assert from "node:assert/strict";
import { scripted } from "../../../support/scripts.ts";
import { checkCall, checkFiles, checkLink, codeAndLink, TABLE } from "../../coding.ts";
import { V1_MODEL } from "../../versions.ts";
import { createAndPoll } from "./client.ts";
import type { Sdk } from "./client.ts";

const tools = [{ type: "code_interpreter" as const }];

export async function checkCodeInterpreter(sdk: Sdk): Promise<void> {
  const file = new File([TABLE.text], TABLE.name);
  const { id } = await sdk.client.files.create({ file, purpose: "assistants" });
  await checkRun(sdk, { of_assistant: [id], of_message: [] });
  await checkRun(sdk, { of_assistant: [], of_message: [id] });
}

async function checkRun(sdk: Sdk, files: { of_assistant: string[]; of_message: string[] }): Promise<void> {
  const { client } = sdk;
  const { assistants, threads } = client.beta;
  const assistant = await assistants.create({ model: V1_MODEL, tools, file_ids: files.of_assistant });
  const content = scripted(codeAndLink());
  const { id } = await threads.create({ messages: [{ role: "user", content, file_ids: files.of_message }] });
  const run = await createAndPoll(sdk, id, { assistant_id: assistant.id });
  assert.equal(run.status, "completed", JSON.stringify(run.last_error));
  const [step] = (await threads.runs.steps.list(id, run.id, { order: "asc" })).data;
  assert.ok(step?.step_details.type === "tool_calls");
  const [call, ...others] = step.step_details.tool_calls;
  assert.ok(call?.type === "code_interpreter" && others.length === 0);
  const image = checkCall(call);
  const [message] = (await threads.messages.list(id)).data;
  const written = checkLink(message?.content ?? [], image);
  await checkFiles(await client.files.content(image), await client.files.content(written));
}
