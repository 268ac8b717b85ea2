// Code Interpreter in a run: the model writes code, the server runs it, and the answer shows what came of it.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import OpenAI, { toFile } from "openai";
import type { AssistantStreamEvent } from "openai/resources/beta/assistants";
import type { Message } from "openai/resources/beta/threads/messages";
import type { Run } from "openai/resources/beta/threads/runs/runs";
import type { RunStep } from "openai/resources/beta/threads/runs/steps";
import { accumulate, withoutIndexes } from "../support/delta-accumulation.ts";
import { checkDeltaForms } from "../support/delta-forms.ts";
import { checkOrder } from "../support/event-grammar.ts";
import { codeSettings } from "../support/code-settings.ts";
import { computingUnder } from "../support/sandbox.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { waitUntil } from "../support/wait-until.ts";
import { CODE, finish, goOn, logsOf, outputsOf, runs, toldTo } from "./code.ts";
import { askWeather, script, startConversation, WEATHER } from "./conversation.ts";
import type { ScriptedTurn } from "./conversation.ts";
import { GENERATIONS, openSdk, QUICK } from "./sdk.ts";
import { find, MESSAGE, outline, readAll } from "./stream.ts";

let stack: Stack;
before(async () => {
  stack = await startStack({ settings: await codeSettings() });
});
after(() => stack.stop());

const SIGNATURE_OF_PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47]);

async function answerOf(run: Run): Promise<Message> {
  const { data } = await stack.openai.beta.threads.messages.list(run.thread_id, { run_id: run.id });
  assert.equal(data.length, 1);
  return data[0] as Message;
}

function textOf(message: Message) {
  const part = message.content.find(({ type }) => type === "text");
  assert.ok(part?.type === "text");
  return part.text;
}

async function download(file_id: string): Promise<Buffer> {
  return Buffer.from(await (await stack.openai.files.content(file_id)).arrayBuffer());
}

const PLOT = "import matplotlib.pyplot as plt\nplt.plot([1, 4, 9])\nplt.show()";

suite("a run that runs code", { concurrency: 2 }, () => {
  test("streams the code while it is written, what it prints, and an answer with image and file", async () => {
    const code = `${PLOT}\nopen("/mnt/data/out é.csv", "w").write("a,b\\n1,2\\n")\nprint("größe 😀")\n1 + 1`;
    const said = "😀 Done: [the file](sandbox:/mnt/data/out é.csv), [none](sandbox:/mnt/data/none.csv).";
    const conversation = await startConversation(
      stack,
      [runs(code), { chunks: Array.from(said, (letter) => letter), chunk_ms: 1 }],
      CODE,
    );
    const { assistant_id, thread_id } = conversation;
    const stream = await stack.openai.beta.threads.runs.create(thread_id, { assistant_id, stream: true });
    const events = await readAll(stream);
    checkOrder(events, { kind: "create run" });
    checkDeltaForms(events);
    assert.deepEqual(outline(events), [
      "run.created",
      "run.queued",
      "run.in_progress",
      "run.step.created",
      "run.step.in_progress",
      "run.step.delta",
      "run.step.completed",
      ...MESSAGE,
      "run.completed",
    ]);

    const step = find(events, "thread.run.step.completed") as RunStep;
    assert.ok(step.step_details.type === "tool_calls");
    const [call] = step.step_details.tool_calls;
    assert.ok(call?.type === "code_interpreter");
    assert.equal(call.code_interpreter.input, code);
    const [image, logs, ...others] = call.code_interpreter.outputs;
    assert.ok(image?.type === "image", JSON.stringify(call.code_interpreter.outputs));
    assert.deepEqual([logs, others], [{ type: "logs", logs: "größe 😀\n2\n" }, []]);
    const built = accumulate(events).get(step.id) as { step_details: unknown };
    assert.deepEqual(withoutIndexes(built.step_details), step.step_details);

    const message = await answerOf(find(events, "thread.run.completed"));
    const [shown, text] = message.content;
    const { file_id } = image.image ?? {};
    assert.ok(file_id);
    assert.deepEqual([shown, message.content.length], [{ type: "image_file", image_file: { file_id } }, 2]);
    assert.ok(text?.type === "text");
    assert.equal(text.text.value, said);
    const [path, ...more] = text.text.annotations;
    assert.ok(path?.type === "file_path" && more.length === 0, JSON.stringify(text.text.annotations));
    assert.equal(path.text, "sandbox:/mnt/data/out é.csv");
    assert.equal(Array.from(said).slice(path.start_index, path.end_index).join(""), path.text);
    const builtMessage = accumulate(events).get(message.id) as { content: unknown };
    assert.deepEqual(withoutIndexes(builtMessage.content), message.content);

    assert.equal((await download(path.file_path.file_id)).toString(), "a,b\n1,2\n");
    assert.deepEqual((await download(file_id)).subarray(0, 4), SIGNATURE_OF_PNG);
    for (const id of [file_id, path.file_path.file_id]) {
      assert.equal((await stack.openai.files.retrieve(id)).purpose, "assistants_output");
    }
    assert.match(toldTo(conversation)[0] ?? "", /an image.*\ngröße 😀\n2\n/s);
  });

  test("keeps variables from call to call and from run to run, and threads apart", async () => {
    const conversation = await startConversation(stack, [runs("x = 41", "x += 1"), runs("x"), { text: "ok" }], CODE);
    assert.deepEqual(await logsOf(stack.openai, await finish(stack.openai, conversation)), ["", "", "42\n"]);
    assert.deepEqual(
      await logsOf(stack.openai, await goOn(stack.openai, conversation, [runs("x + 1"), { text: "ok" }])),
      ["43\n"],
    );
    const other = await startConversation(stack, [runs("x"), { text: "ok" }], CODE);
    assert.match(
      (await logsOf(stack.openai, await finish(stack.openai, other)))[0] ?? "",
      /NameError: name 'x' is not defined/,
    );
  });

  test("tells the model of errors in its code, which are no end of the run", async () => {
    const conversation = await startConversation(stack, [runs("1 / 0"), runs("1 / 1"), { text: "ok" }], CODE);
    const [failed, done] = await logsOf(stack.openai, await finish(stack.openai, conversation));
    assert.match(failed ?? "", /ZeroDivisionError: division by zero/);
    assert.equal(done, "1.0\n");
    assert.match(toldTo(conversation)[0] ?? "", /ZeroDivisionError/);
  });

  test("takes code without JSON, and tells the model when there is none", async () => {
    const turns = [
      { tool_calls: [{ name: "code_interpreter", arguments: "print(7)" }] },
      { tool_calls: [{ name: "code_interpreter", arguments: { python: "1" } }] },
      { text: "ok" },
    ];
    const conversation = await startConversation(stack, turns, CODE);
    assert.deepEqual(await logsOf(stack.openai, await finish(stack.openai, conversation)), ["7\n", ""]);
    assert.match(toldTo(conversation)[1] ?? "", /Nothing was run.*"code"/);
  });

  test("finds the files of assistant and thread by their names and ids, each once", async () => {
    const upload = async (name: string, text: string) =>
      (await stack.openai.files.create({ file: await toFile(Buffer.from(text), name), purpose: "assistants" })).id;
    const [one, two, late] = await Promise.all([upload("a.csv", "1"), upload("a.csv", "2"), upload("b.txt", "late")]);
    const read = `import os; print(sorted(os.listdir("/mnt/data"))); print(open("/mnt/data/a.csv").read(), open("/mnt/data/a (2).csv").read(), open("/mnt/data/${one}").read())`;
    const conversation = await startConversation(stack, [runs(read), { text: "ok" }], {
      ...CODE,
      tool_resources: { code_interpreter: { file_ids: [one, two] } },
    });
    const [logs] = await logsOf(stack.openai, await finish(stack.openai, conversation));
    assert.match(logs ?? "", /'a \(2\)\.csv'.*'a\.csv'/);
    assert.match(logs ?? "", /^1 2 1$/m);
    const offered = conversation.request().tools?.[0];
    assert.ok(offered?.type === "function");
    assert.match(offered.function.description ?? "", /"\/mnt\/data\/a\.csv", "\/mnt\/data\/a \(2\)\.csv"/);

    await stack.openai.beta.threads.messages.create(conversation.thread_id, {
      role: "user",
      content: script([runs('print(open("/mnt/data/b.txt").read())'), { text: "ok" }]),
      attachments: [{ file_id: late, tools: [{ type: "code_interpreter" }] }],
    });
    assert.deepEqual(await logsOf(stack.openai, await finish(stack.openai, conversation)), ["late\n"]);
  });

  test("shows what code puts out while it runs, piece by piece and each piece once", async () => {
    const code = `${PLOT}\nimport time\nfor n in range(4):\n    print("at", n)\n    time.sleep(0.5)`;
    const conversation = await startConversation(stack, [runs(code), { text: "ok" }], CODE);
    const { assistant_id, thread_id } = conversation;
    const events = await readAll(
      await stack.openai.beta.threads.runs.create(thread_id, { assistant_id, stream: true }),
    );
    const step = find(events, "thread.run.step.completed") as RunStep;
    const shown = events.filter(({ data }) => JSON.stringify(data).includes('"outputs":[{"index"'));
    assert.ok(shown.length > 2, outline(events).join(", "));
    const built = accumulate(events).get(step.id) as { step_details: unknown };
    assert.deepEqual(withoutIndexes(built.step_details), step.step_details);
    const run = find(events, "thread.run.completed");
    assert.deepEqual(await logsOf(stack.openai, run), ["[image]at 0\nat 1\nat 2\nat 3\n"]);
  });

  test("cancelled, the run keeps what its code has put out, with the image", async () => {
    const conversation = await startConversation(
      stack,
      [runs(`${PLOT}\nprint("be" + "gun")\nwhile True: pass`), { text: "ok" }],
      CODE,
    );
    const { assistant_id, thread_id } = conversation;
    const stream = await stack.openai.beta.threads.runs.create(thread_id, { assistant_id, stream: true });
    const events: AssistantStreamEvent[] = [];
    for await (const event of stream) {
      events.push(event);
      if (event.event !== "thread.run.step.delta" || !JSON.stringify(event).includes("begun")) continue;
      await stack.openai.beta.threads.runs.cancel(find(events, "thread.run.created").id, { thread_id });
    }
    const run = find(events, "thread.run.cancelled");
    const [[image, logs] = []] = await outputsOf(stack.openai, run);
    assert.deepEqual(logs, { type: "logs", logs: "begun\n" });
    assert.ok(image?.type === "image");
    assert.deepEqual((await download(image.image?.file_id ?? "")).subarray(0, 4), SIGNATURE_OF_PNG);
  });

  test("is cancelled while its code runs, which stops, however little it wants to", async () => {
    const stubborn = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass";
    const conversation = await startConversation(stack, [runs(stubborn), { text: "ok" }], CODE);
    const { assistant_id, thread_id } = conversation;
    const run = await stack.openai.beta.threads.runs.create(thread_id, { assistant_id });
    const worker = stack.workers[0]?.pid ?? 0;
    await waitUntil("the code runs", async () => {
      const { rows } = await stack.db.query("select 1 from built_in_calls where run_id = $1 and epoch > 0", [run.id]);
      return rows.length > 0 && (await computingUnder(worker)).length > 0;
    });
    await stack.openai.beta.threads.runs.cancel(run.id, { thread_id });
    const cancelled = await stack.openai.beta.threads.runs.poll(run.id, { thread_id }, QUICK);
    assert.equal(cancelled.status, "cancelled");
    await waitUntil("nothing computes", async () => (await computingUnder(worker)).length === 0);
    assert.deepEqual(
      await logsOf(stack.openai, await goOn(stack.openai, conversation, [runs("print('alive')"), { text: "ok" }])),
      ["alive\n"],
    );
  });

  test("works beside functions in one turn: first the code, then the function is asked for", async () => {
    const both: ScriptedTurn = {
      tool_calls: [...(runs("6 * 7").tool_calls ?? []), ...(askWeather("Paris").tool_calls ?? [])],
    };
    const conversation = await startConversation(stack, [both, { text: "ok" }], {
      tools: [{ type: "code_interpreter" }, WEATHER],
    });
    const waiting = await finish(stack.openai, conversation);
    assert.equal(waiting.status, "requires_action");
    const [call] = waiting.required_action?.submit_tool_outputs.tool_calls ?? [];
    const run = await stack.openai.beta.threads.runs.submitToolOutputsAndPoll(
      waiting.id,
      { thread_id: waiting.thread_id, tool_outputs: [{ tool_call_id: call?.id ?? "", output: "sunny" }] },
      QUICK,
    );
    assert.equal((await logsOf(stack.openai, run))[0], "42\n");
    assert.deepEqual(toldTo(conversation), ["42\n", "sunny"]);
  });

  test("a file that was given to the user and is deleted is gone from the thread's workspace, too", async () => {
    const conversation = await startConversation(
      stack,
      [runs('open("/mnt/data/x.txt", "w").write("x")'), { text: "sandbox:/mnt/data/x.txt" }],
      CODE,
    );
    const [path] = textOf(await answerOf(await finish(stack.openai, conversation))).annotations;
    assert.ok(path?.type === "file_path");
    await stack.openai.files.delete(path.file_path.file_id);
    const { rows } = await stack.db.query("select 1 from code_files where thread_id = $1", [conversation.thread_id]);
    assert.equal(rows.length, 0);
  });

  for (const generation of GENERATIONS) {
    test(`${generation}: prints code and outputs as the quickstart does, through the stream's helper`, async () => {
      const code = "x = (14 - 11) / 3\nprint('x =', x)";
      const conversation = await startConversation(stack, [runs(code), { text: "x is 1." }], CODE);
      const { assistant_id, thread_id } = conversation;
      const { client } = openSdk(stack, generation);
      const stream = client.beta.threads.runs.stream(thread_id, { assistant_id });
      const printed: string[] = [];
      stream.on("textDelta", ({ value }) => printed.push(value ?? ""));
      stream.on("toolCallCreated", ({ type }) => printed.push(`[${type}]\n`));
      stream.on("toolCallDelta", (delta) => {
        if (delta.type !== "code_interpreter") return;
        printed.push(delta.code_interpreter?.input ?? "");
        for (const output of delta.code_interpreter?.outputs ?? []) {
          if (output.type === "logs") printed.push(`\n-> ${output.logs}`);
        }
      });
      assert.equal((await stream.finalRun()).status, "completed");
      assert.equal(printed.join(""), `[code_interpreter]\n${code}\n-> x = 1.0\nx is 1.`);
    });
  }

  test("in version 1, the assistant's files are there, and an answer shows image and file", async () => {
    const { id: file } = await stack.openai.files.create({
      file: await toFile(Buffer.from("city,days\nParis,3\n"), "days.csv"),
      purpose: "assistants",
    });
    const v1 = new OpenAI({
      baseURL: stack.baseURL,
      apiKey: stack.apiKey,
      maxRetries: 0,
      defaultHeaders: { "OpenAI-Beta": "assistants=v1" },
    });
    const headers = { "OpenAI-Beta": "assistants=v1" };
    const read = `import csv\nrows = list(csv.reader(open("/mnt/data/days.csv")))\nprint(rows)\n${PLOT}\nopen("/mnt/data/o.txt", "w").write("o")`;
    const turns = [runs(read), { text: "[o](sandbox:/mnt/data/o.txt)" }];
    const body = { model: "gpt-4", tools: [{ type: "code_interpreter" as const }], file_ids: [file] };
    const { id: assistant_id } = await v1.beta.assistants.create(body, { headers });
    const thread = await v1.beta.threads.create({ messages: [{ role: "user", content: script(turns) }] }, { headers });
    const made = await v1.beta.threads.runs.create(thread.id, { assistant_id }, { headers });
    const run = await stack.openai.beta.threads.runs.poll(made.id, { thread_id: thread.id }, QUICK);
    assert.match((await logsOf(stack.openai, run))[0] ?? "", /\['Paris', '3'\]/);
    const { data } = await v1.beta.threads.messages.list(thread.id, { run_id: run.id }, { headers });
    const [image, text] = data[0]?.content ?? [];
    assert.equal(image?.type, "image_file");
    assert.ok(text?.type === "text" && text.text.annotations[0]?.type === "file_path");
    assert.equal((await download(text.text.annotations[0].file_path.file_id)).toString(), "o");
  });
});
