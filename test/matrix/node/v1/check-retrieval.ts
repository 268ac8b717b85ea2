// Check 6 through version 1: runs that retrieve from the files of messages and assistants, and quote them.
import assert from "node:assert/strict";
import type { ThreadMessage } from "openai-v4-20/resources/beta/threads/messages/messages";
import { scripted } from "../../../support/scripts.ts";
import { V1_MODEL } from "../../versions.ts";
import { checkCitation, OWL, searchAndCite } from "../../searching.ts";
import { createAndPoll } from "./client.ts";
import type { Sdk } from "./client.ts";

const tools = [{ type: "retrieval" as const }];

export async function checkRetrieval(sdk: Sdk): Promise<void> {
  const { client } = sdk;
  const file = await newFileId(sdk);
  const { id: assistant_id } = await client.beta.assistants.create({ model: V1_MODEL, tools });
  await checkQuoted(sdk, { assistant_id, file }, [file]);

  const { id } = await client.beta.assistants.create({ model: V1_MODEL, tools, file_ids: [file] });
  await checkQuoted(sdk, { assistant_id: id, file }, []);
}

async function newFileId({ client }: Sdk): Promise<string> {
  const file = new File([OWL.text], OWL.name);
  return (await client.files.create({ file, purpose: "assistants" })).id;
}

/** Asks with a message that has these files. */
async function checkQuoted(
  sdk: Sdk,
  { assistant_id, file }: { assistant_id: string; file: string },
  file_ids: string[],
): Promise<void> {
  const { threads } = sdk.client.beta;
  const content = scripted(searchAndCite(OWL));
  const { id } = await threads.create({ messages: [{ role: "user", content, file_ids }] });
  const run = await createAndPoll(sdk, id, { assistant_id });
  assert.equal(run.status, "completed");
  const [step] = (await threads.runs.steps.list(id, run.id, { order: "asc" })).data;
  assert.ok(step?.step_details.type === "tool_calls");
  const [call, ...others] = step.step_details.tool_calls;
  assert.deepEqual(call, { id: call?.id, type: "retrieval", retrieval: {} });
  assert.equal(others.length, 0);
  const [answer] = (await threads.messages.list(id)).data;
  checkCitation(textOf(answer), OWL, { file_id: file, quote: OWL.text });
}

function textOf(message: ThreadMessage | undefined) {
  const [part, ...others] = message?.content ?? [];
  assert.ok(part?.type === "text" && others.length === 0);
  return part.text;
}
