// File Search in a run: the model asks, the server searches, and the answer cites what was found.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { MAX_TOOL_CALL_TRIES } from "../../contract/limits.ts";
import type { Run } from "openai/resources/beta/threads/runs/runs";
import type { RunStep } from "openai/resources/beta/threads/runs/steps";
import type { Message } from "openai/resources/beta/threads/messages";
import { accumulate, withoutIndexes } from "../support/delta-accumulation.ts";
import { checkDeltaForms } from "../support/delta-forms.ts";
import { checkOrder } from "../support/event-grammar.ts";
import { addChunks, addText, completeFiles, makeStore } from "../support/searchable-files.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { waitUntil } from "../support/wait-until.ts";
import { startConversation, WEATHER } from "./conversation.ts";
import type { Conversation, ScriptedTurn } from "./conversation.ts";
import { GENERATIONS, openSdk, QUICK } from "./sdk.ts";
import { find, MESSAGE, outline, readAll } from "./stream.ts";

let stack: Stack;
let store: string;
let capitals: string;
let rivers: string;
before(async () => {
  stack = await startStack({
    reroute: async (given) => ({ ...given, EMBEDDINGS_BASE_URL: given["OPENAI_BASE_URL"] ?? "" }),
  });
  store = await makeStore(stack, { expiresAfterDays: 7, idleDays: 1 });
  capitals = await addChunks(stack, store, {
    filename: "capitals.txt",
    chunks: ["The capital of France is Paris.", "The capital of Japan is Tokyo."],
    attributes: { topic: "capitals" },
  });
  rivers = await addChunks(stack, store, {
    filename: "Flüsse 😀.md",
    chunks: ["The Seine flows through the capital Paris."],
  });
});
after(() => stack.stop());

const INCLUDE = ["step_details.tool_calls[*].file_search.results[*].content" as const];
const BEGUN = ["run.created", "run.queued", "run.in_progress"];
const SEARCH = ["run.step.created", "run.step.in_progress", "run.step.delta"];

/** A turn that searches, once for each list of queries. */
function searches(...calls: string[][]): ScriptedTurn {
  return { tool_calls: calls.map((queries) => ({ name: "file_search", arguments: { queries } })) };
}

interface Setting {
  stores?: string[];
  threadStores?: string[];
  tools?: object[];
}

async function converse(turns: ScriptedTurn[], { stores = [store], threadStores, tools = [] }: Setting = {}) {
  const conversation = await startConversation(stack, turns, {
    tools: [{ type: "file_search" }, ...(tools as [])],
    tool_resources: { file_search: { vector_store_ids: stores } },
  });
  if (threadStores !== undefined) {
    await stack.openai.beta.threads.update(conversation.thread_id, {
      tool_resources: { file_search: { vector_store_ids: threadStores } },
    });
  }
  return conversation;
}

async function finish({ assistant_id, thread_id }: Conversation, body: object = {}): Promise<Run> {
  return stack.openai.beta.threads.runs.createAndPoll(thread_id, { assistant_id, ...body }, QUICK);
}

async function stepsOf(run: Run, include?: typeof INCLUDE): Promise<RunStep[]> {
  const query = { thread_id: run.thread_id, order: "asc" as const, ...(include === undefined ? {} : { include }) };
  return (await stack.openai.beta.threads.runs.steps.list(run.id, query)).data;
}

async function answerOf(run: Run): Promise<Message> {
  const { data } = await stack.openai.beta.threads.messages.list(run.thread_id, { run_id: run.id });
  assert.equal(data.length, 1);
  return data[0] as Message;
}

function textOf(message: Message) {
  const [part] = message.content;
  assert.ok(part?.type === "text");
  return part.text;
}

function callsOf(step: RunStep | undefined) {
  assert.ok(step?.step_details.type === "tool_calls");
  return step.step_details.tool_calls;
}

/** What the model was told in answer to its calls, in its last request. */
function toldTo(conversation: Conversation): string[] {
  const messages = conversation.requests().at(-1)?.body as { messages: { role: string; content: string }[] };
  return messages.messages.filter(({ role }) => role === "tool").map(({ content }) => content);
}

suite("a run that searches files", { concurrency: 3 }, () => {
  test("streams the search and an answer whose markers are citations, whole and with right indexes", async () => {
    const said = "😀 It is Paris【0:0†capitals.txt】, and not 【9:9†nothing】 or 【this】 — see【0:1†x】【";
    const chunks = Array.from(said, (letter) => letter);
    const conversation = await converse([searches(["capital of France"]), { chunks, chunk_ms: 1 }]);
    const { assistant_id, thread_id } = conversation;
    const stream = await stack.openai.beta.threads.runs.create(thread_id, { assistant_id, stream: true });
    const events = await readAll(stream);
    checkOrder(events, { kind: "create run" });
    checkDeltaForms(events);
    assert.deepEqual(outline(events), [...BEGUN, ...SEARCH, "run.step.completed", ...MESSAGE, "run.completed"]);

    const run = find(events, "thread.run.completed");
    const step = find(events, "thread.run.step.completed");
    const results = [
      { file_id: capitals, file_name: "capitals.txt", attributes: { topic: "capitals" } },
      { file_id: rivers, file_name: "Flüsse 😀.md", attributes: {} },
      { file_id: capitals, file_name: "capitals.txt", attributes: { topic: "capitals" } },
    ];
    const [call] = callsOf(step);
    assert.ok(call?.type === "file_search");
    assert.deepEqual(call.file_search.ranking_options, { ranker: "default_2024_08_21", score_threshold: 0 });
    assert.deepEqual(
      call.file_search.results?.map(({ file_id, file_name }) => [file_id, file_name]).toSorted(),
      results.map(({ file_id, file_name }) => [file_id, file_name]).toSorted(),
    );
    assert.ok(call.file_search.results?.every((result) => !("content" in result)));
    assert.equal(call.file_search.results?.[0]?.file_id, capitals);
    assert.ok((step.usage?.total_tokens ?? 0) > 0);

    const message = await answerOf(run);
    const { value, annotations } = textOf(message);
    assert.equal(value, said);
    const second = call.file_search.results?.[1]?.file_id;
    assert.deepEqual(
      annotations.map(
        (annotation) => annotation.type === "file_citation" && [annotation.text, annotation.file_citation],
      ),
      [
        ["【0:0†capitals.txt】", { file_id: capitals }],
        ["【0:1†x】", { file_id: second }],
      ],
    );
    for (const { text, start_index, end_index } of annotations)
      assert.equal(Array.from(value).slice(start_index, end_index).join(""), text);
    assert.deepEqual(find(events, "thread.message.completed"), message);

    const citing = events.flatMap(({ event, data }) =>
      event === "thread.message.delta"
        ? (data.delta.content ?? []).filter((part) => part.type === "text" && part.text?.annotations?.length)
        : [],
    );
    assert.deepEqual(
      citing.map((part) => part.type === "text" && part.text?.value),
      ["【0:0†capitals.txt】", "【0:1†x】"],
    );
    const built = accumulate(events).get(message.id) as {
      content: { text: { value: string; annotations: object[] } }[];
    };
    assert.deepEqual(withoutIndexes(built.content[0]?.text.annotations), annotations);
    assert.equal(built.content[0]?.text.value, value);

    const [told = ""] = toldTo(conversation);
    assert.match(told, /【0:0†capitals\.txt】\nThe capital of France is Paris\./);
    assert.match(told, /【0:\d†Flüsse 😀\.md】\nThe Seine/);
    assert.match(told, /cite/);
  });

  test("shows the content of what it found to those who ask for it, also in streams", async () => {
    const { assistant_id, thread_id } = await converse([searches(["capital of France"]), { text: "Paris." }]);
    const events = await readAll(
      await stack.openai.beta.threads.runs.create(thread_id, { assistant_id, stream: true, include: INCLUDE }),
    );
    const run = find(events, "thread.run.completed");
    const contentOf = (step: RunStep | undefined) => {
      const [call] = callsOf(step);
      return call?.type === "file_search" ? call.file_search.results?.[0]?.content : undefined;
    };
    const content = [{ type: "text", text: "The capital of France is Paris." }];
    assert.deepEqual(contentOf(find(events, "thread.run.step.completed")), content);
    assert.deepEqual(contentOf((await stepsOf(run, INCLUDE))[0]), content);
    assert.equal(contentOf((await stepsOf(run))[0]), undefined);
  });

  test("moves the expiry of the store that it uses", async () => {
    const lent = await makeStore(stack, { expiresAfterDays: 7, idleDays: 3 });
    await addChunks(stack, lent, { filename: "a.txt", chunks: ["apples"] });
    assert.equal(
      (await finish(await converse([searches(["apples"]), { text: "ok" }], { stores: [lent] }))).status,
      "completed",
    );
    const { rows } = await stack.db.query(
      "select last_active_at > now() - interval '1 hour' as moved from vector_stores where id = $1",
      [lent],
    );
    assert.deepEqual(rows, [{ moved: true }]);
  });

  test("makes all searches of a turn, each with several queries, as one step in the order of the calls", async () => {
    const turns = [searches(["capital of France", "capital of Japan"], ["Seine"]), { text: "A【0:1†a】B【1:0†b】" }];
    const conversation = await converse(turns);
    const run = await finish(conversation);
    assert.equal(run.status, "completed");
    const steps = await stepsOf(run);
    assert.deepEqual(
      steps.map(({ type }) => type),
      ["tool_calls", "message_creation"],
    );
    const calls = callsOf(steps[0]);
    assert.deepEqual(
      calls.map((call) => call.type === "file_search" && (call.file_search.results?.length ?? 0) > 0),
      [true, true],
    );
    const [, last] = calls;
    assert.equal(last?.type === "file_search" && last.file_search.results?.[0]?.file_id, rivers);
    const { annotations } = textOf(await answerOf(run));
    assert.equal(annotations.length, 2);
    assert.equal(annotations[1]?.type === "file_citation" && annotations[1].file_citation.file_id, rivers);
    assert.deepEqual(
      toldTo(conversation).map((told) => /【(\d):0†/.exec(told)?.[1]),
      ["0", "1"],
    );
    const sum = steps.reduce((total, step) => total + (step.usage?.total_tokens ?? 0), 0);
    assert.equal(run.usage?.total_tokens, sum);
  });

  test("searches again in later turns, and its markers count the searches of the run", async () => {
    const conversation = await converse([
      { text: "Let me look.", ...searches(["France"]) },
      searches(["Seine"]),
      { text: "Paris【0:0†a】 lies on the Seine【1:0†b】." },
    ]);
    const run = await finish(conversation);
    assert.equal(run.status, "completed");
    assert.deepEqual(
      (await stepsOf(run)).map(({ type, status }) => [type, status]),
      [
        ["message_creation", "completed"],
        ["tool_calls", "completed"],
        ["tool_calls", "completed"],
        ["message_creation", "completed"],
      ],
    );
    const { data } = await stack.openai.beta.threads.messages.list(run.thread_id, { run_id: run.id });
    const { annotations } = textOf(data[0] as Message);
    assert.deepEqual(
      annotations.map((annotation) => annotation.type === "file_citation" && annotation.file_citation.file_id),
      [capitals, rivers],
    );
    assert.deepEqual(
      toldTo(conversation).map((told) => /【(\d):0†/.exec(told)?.[1]),
      ["0", "1"],
    );
  });

  for (const generation of GENERATIONS) {
    test(`${generation}: asks for the functions alone when a turn has both, once its searches are done`, async () => {
      const sdk = openSdk(stack, generation);
      const conversation = await converse(
        [
          {
            tool_calls: [
              { name: "get_weather", arguments: { city: "Paris" } },
              { name: "file_search", arguments: { queries: ["France"] } },
            ],
          },
          { text: "Sunny【0:0†a】." },
        ],
        { tools: [WEATHER] },
      );
      const { assistant_id, thread_id } = conversation;
      const events = await readAll(
        await stack.openai.beta.threads.runs.create(thread_id, { assistant_id, stream: true }),
      );
      checkOrder(events, { kind: "create run" });
      checkDeltaForms(events);
      assert.deepEqual(outline(events), [...BEGUN, ...SEARCH, "run.requires_action"]);
      const waiting = find(events, "thread.run.requires_action");
      const asked = waiting.required_action?.submit_tool_outputs.tool_calls ?? [];
      assert.deepEqual(
        asked.map((call) => call.function),
        [{ name: "get_weather", arguments: '{"city":"Paris"}' }],
      );
      const [open] = await stepsOf(waiting);
      assert.equal(open?.status, "in_progress");
      assert.deepEqual(
        callsOf(open).map((call) => [call.type, call.type === "file_search" && call.file_search.results?.[0]?.file_id]),
        [
          ["function", false],
          ["file_search", capitals],
        ],
      );
      const done = await sdk.submitAndPoll(
        waiting,
        asked.map(({ id }) => ({ tool_call_id: id, output: "sunny" })),
      );
      assert.equal(done.status, "completed");
      const [step] = await stepsOf(done);
      assert.equal(step?.status, "completed");
      assert.partialDeepStrictEqual(callsOf(step)[0], { type: "function", function: { output: "sunny" } });
      assert.equal(toldTo(conversation)[0], "sunny");
      assert.match(toldTo(conversation)[1] ?? "", /France is Paris/);
      assert.equal(textOf(await answerOf(done)).annotations.length, 1);
    });
  }

  for (const generation of GENERATIONS) {
    test(`${generation}: prints citations as the guide does, through the stream's helper`, async () => {
      const chunks = ["It is Paris【0:", "0†capitals.txt】, ", "on the Seine【1:0†", "Flüsse 😀.md】."];
      const conversation = await converse([searches(["France"]), searches(["Seine"]), { chunks, chunk_ms: 5 }]);
      const { assistant_id, thread_id } = conversation;
      const { client } = openSdk(stack, generation);
      const stream = client.beta.threads.runs.stream(thread_id, { assistant_id });
      const tools: string[] = [];
      const printed: string[] = [];
      stream.on("toolCallCreated", (call) => tools.push(call.type));
      stream.on("messageDone", ({ content: [part] }) => {
        assert.ok(part?.type === "text");
        let { value } = part.text;
        const files = part.text.annotations.map((annotation, index) => {
          value = value.replace(annotation.text, `[${index}]`);
          return annotation.type === "file_citation" ? `[${index}] ${annotation.file_citation.file_id}` : "";
        });
        printed.push(value, ...files);
      });
      assert.equal((await stream.finalRun()).status, "completed");
      // Version 4 takes the first call of a second step for the same one.
      assert.deepEqual([...new Set(tools)], ["file_search"]);
      assert.deepEqual(printed, ["It is Paris[0], on the Seine[1].", `[0] ${capitals}`, `[1] ${rivers}`]);
    });
  }

  test("tells the model what is wrong with its arguments, and goes on", async () => {
    const turns = [
      {
        tool_calls: [
          { name: "file_search", arguments: "{not json" },
          { name: "file_search", arguments: { query: "France" } },
          { name: "file_search", arguments: { queries: [" "] } },
        ],
      },
      { text: "I could not search." },
    ];
    const conversation = await converse(turns);
    const run = await finish(conversation);
    assert.equal(run.status, "completed");
    const told = toldTo(conversation);
    assert.equal(told.length, 3);
    for (const text of told) assert.match(text, /^The search was not made: /);
    for (const call of callsOf((await stepsOf(run))[0]))
      assert.deepEqual(call.type === "file_search" && call.file_search.results, []);
  });

  test("tells the model that there are no files, or that nothing was found", async () => {
    const [empty, gone] = await Promise.all([makeStore(stack), makeStore(stack)]);
    for (const [stores, expected] of [
      [[], /there are no files/],
      [[gone], /there are no files/],
      [[empty], /^Nothing was found/],
    ] as const) {
      const conversation = await converse([searches(["France"]), { text: "No." }], { stores: [...stores] });
      await stack.db.query("delete from vector_stores where id = $1 and id = any($2)", [gone, stores]);
      assert.equal((await finish(conversation)).status, "completed");
      assert.match(toldTo(conversation)[0] ?? "", expected);
    }
  });

  test("searches the thread's store together with the assistant's", async () => {
    const own = await makeStore(stack);
    const file = await addChunks(stack, own, { filename: "note.txt", chunks: ["The capital of Utopia is Amaurot."] });
    const run = await finish(await converse([searches(["capital"]), { text: "ok" }], { threadStores: [own] }));
    const [call] = callsOf((await stepsOf(run))[0]);
    const found = call?.type === "file_search" ? (call.file_search.results ?? []).map(({ file_id }) => file_id) : [];
    assert.ok(found.includes(file) && found.includes(capitals), found.join(" "));
  });

  test("finds no more than its tool allows", async () => {
    const conversation = await startConversation(stack, [searches(["capital"]), { text: "ok" }], {
      tools: [{ type: "file_search", file_search: { max_num_results: 1, ranking_options: { score_threshold: 0 } } }],
      tool_resources: { file_search: { vector_store_ids: [store] } },
    });
    const [call] = callsOf((await stepsOf(await finish(conversation)))[0]);
    assert.equal(call?.type === "file_search" && call.file_search.results?.length, 1);
  });

  test("weighs words against meaning as its tool says", async () => {
    const own = await makeStore(stack);
    await addText(stack, own, { filename: "word.txt", text: "The car is mentioned here." });
    await addText(stack, own, { filename: "meaning.txt", text: "An automobile is a vehicle." });
    const foundBy = async (text_weight: number, embedding_weight: number): Promise<string[]> => {
      const hybrid_search = { text_weight, embedding_weight };
      const ranking_options = { score_threshold: 0.05, hybrid_search };
      const conversation = await startConversation(stack, [searches(["car"]), { text: "ok" }], {
        tools: [{ type: "file_search", file_search: { ranking_options } }],
        tool_resources: { file_search: { vector_store_ids: [own] } },
      });
      const [call] = callsOf((await stepsOf(await finish(conversation)))[0]);
      return call?.type === "file_search" ? (call.file_search.results ?? []).map(({ file_name }) => file_name) : [];
    };
    assert.deepEqual(await foundBy(1, 0), ["word.txt"]);
    assert.deepEqual((await foundBy(0, 1)).toSorted(), ["meaning.txt", "word.txt"]);
  });

  test("fails with a clear error when a store has expired, before the model is asked", async () => {
    const old = await makeStore(stack, { expiresAfterDays: 1, idleDays: 2 });
    for (const setting of [{ stores: [old] }, { threadStores: [old] }]) {
      const conversation = await converse([{ text: "never" }], setting);
      const run = await finish(conversation);
      assert.equal(run.status, "failed");
      assert.deepEqual(run.last_error, {
        code: "server_error",
        message: `The vector store '${old}' has expired. Set another one and run again.`,
      });
      assert.equal(conversation.requests().length, 0);
    }
  });

  test("fails when its store expires before it searches", async () => {
    const old = await makeStore(stack, { expiresAfterDays: 1 });
    const conversation = await converse([{ ...searches(["x"]), delay_ms: 1000 }, { text: "never" }], { stores: [old] });
    const { assistant_id, thread_id } = conversation;
    const { id } = await stack.openai.beta.threads.runs.create(thread_id, { assistant_id });
    await waitUntil("the model is asked", () => conversation.requests().length > 0);
    await stack.db.query("update vector_stores set last_active_at = now() - interval '2 days' where id = $1", [old]);
    const run = await stack.openai.beta.threads.runs.poll(id, { thread_id }, QUICK);
    assert.equal(run.status, "failed");
    assert.match(run.last_error?.message ?? "", /has expired/);
    assert.deepEqual(
      (await stepsOf(run)).map(({ type, status }) => [type, status]),
      [["tool_calls", "failed"]],
    );
  });

  test("waits at its start until the files of its thread can be searched", async () => {
    const fresh = await makeStore(stack);
    const file = await addChunks(stack, fresh, { filename: "new.txt", chunks: ["quinces"], status: "in_progress" });
    const conversation = await converse([searches(["quinces"]), { text: "ok" }], { stores: [], threadStores: [fresh] });
    const { assistant_id, thread_id } = conversation;
    const { id } = await stack.openai.beta.threads.runs.create(thread_id, { assistant_id });
    await waitUntil("the run has been looked at", async () => {
      const { rows } = await stack.db.query(
        "select 1 from runs where id = $1 and created_at < now() - interval '1 s'",
        [id],
      );
      return rows.length === 1;
    });
    assert.equal((await stack.openai.beta.threads.runs.retrieve(id, { thread_id })).status, "queued");
    assert.equal(conversation.requests().length, 0);
    await completeFiles(stack, fresh);
    const run = await stack.openai.beta.threads.runs.poll(id, { thread_id }, QUICK);
    assert.equal(run.status, "completed");
    const [call] = callsOf((await stepsOf(run))[0]);
    assert.equal(call?.type === "file_search" && call.file_search.results?.[0]?.file_id, file);
  });

  test("waits for the files of its thread no longer than a minute, and not for its assistant's", async () => {
    const slow = await makeStore(stack);
    await addChunks(stack, slow, { filename: "slow.txt", chunks: [], status: "in_progress" });
    assert.equal((await finish(await converse([{ text: "ok" }], { stores: [slow] }))).status, "completed");
    const { assistant_id, thread_id } = await converse([{ text: "ok" }], { stores: [], threadStores: [slow] });
    const { id } = await stack.openai.beta.threads.runs.create(thread_id, { assistant_id });
    await stack.db.query("update runs set created_at = created_at - interval '1 minute' where id = $1", [id]);
    assert.equal((await stack.openai.beta.threads.runs.poll(id, { thread_id }, QUICK)).status, "completed");
  });

  test("goes on with words alone when the embedding endpoint refuses", async () => {
    const refusing = 'capital of France\n#embeddings {"error":{"status":401}}';
    const run = await finish(await converse([searches([refusing]), { text: "ok" }]));
    assert.equal(run.status, "completed");
    const [call] = callsOf((await stepsOf(run))[0]);
    assert.equal(call?.type === "file_search" && call.file_search.results?.[0]?.file_id, capitals);
  });

  test("goes on without a search that fails again and again, and the model is told", async () => {
    const broken = await makeStore(stack);
    const file = await addChunks(stack, broken, { filename: "broken.txt", chunks: ["France"] });
    // A vector that is shorter than it says breaks every comparison with it.
    await stack.db.query(
      `with known as (
         insert into embedding_models (model, dimensions) values ('text-embedding-3-large', 256)
         on conflict (model, dimensions) do update set model = excluded.model returning id
       )
       update chunks set embedding_model_id = known.id, code = B'1', embedding = array_fill(0.5::real, array[1])
       from known, vector_store_files f where f.id = chunks.vector_store_file_id and f.file_id = $1`,
      [file],
    );
    const conversation = await converse([searches(["France"], ["Seine"]), { text: "ok" }], { stores: [broken] });
    const run = await finish(conversation);
    assert.equal(run.status, "completed");
    for (const told of toldTo(conversation)) assert.match(told, /^The tool failed/);
    const { rows } = await stack.db.query("select distinct tries from built_in_calls where run_id = $1", [run.id]);
    assert.deepEqual(rows, [{ tries: MAX_TOOL_CALL_TRIES + 1 }]);
  });

  const slowly = 'France\n#embeddings {"delay_ms":60000}';
  test("ends as cancelled when that is asked for during a search", async () => {
    const { assistant_id, thread_id } = await converse([searches([slowly], ["Seine"]), { text: "never" }]);
    const stream = await stack.openai.beta.threads.runs.create(thread_id, { assistant_id, stream: true });
    const events = [];
    for await (const event of stream) {
      events.push(event);
      if (event.event !== "thread.run.step.delta" || events.filter((one) => one.event === event.event).length < 2)
        continue;
      const { rows } = await stack.db.query<{ run_id: string }>("select run_id from run_steps where id = $1", [
        event.data.id,
      ]);
      await stack.openai.beta.threads.runs.cancel(rows[0]?.run_id ?? "", { thread_id });
    }
    checkOrder(events, { kind: "create run" });
    assert.deepEqual(outline(events), [...BEGUN, ...SEARCH, "run.cancelling", "run.step.cancelled", "run.cancelled"]);
    const run = find(events, "thread.run.cancelled");
    assert.equal(callsOf((await stepsOf(run))[0]).length, 2);
  });

  test("ends as expired when its time is over during a search", async () => {
    const { assistant_id, thread_id } = await converse([searches([slowly]), { text: "never" }]);
    const body = { assistant_id, stream: true as const, expires_after_seconds: 4 };
    const events = await readAll(await stack.openai.beta.threads.runs.create(thread_id, body));
    checkOrder(events, { kind: "create run" });
    assert.deepEqual(outline(events), [...BEGUN, ...SEARCH, "run.step.expired", "run.expired"]);
  });

  test("does not let the model see the markers of earlier runs", async () => {
    const conversation = await converse([searches(["France"]), { text: "It is Paris【0:0†capitals.txt】." }]);
    const { thread_id, assistant_id } = conversation;
    assert.equal((await finish(conversation)).status, "completed");
    const key = `${thread_id}-again`;
    await stack.openai.beta.threads.messages.create(thread_id, {
      role: "user",
      content: `#script ${JSON.stringify({ key, turns: [{ text: "As I said【0:0†capitals.txt】." }] })}`,
    });
    const run = await stack.openai.beta.threads.runs.createAndPoll(thread_id, { assistant_id }, QUICK);
    assert.deepEqual(textOf(await answerOf(run)), { value: "As I said【0:0†capitals.txt】.", annotations: [] });
    const request = stack.model.requests.find((one) => one.key === key)?.body as {
      messages: { role: string; content: string }[];
    };
    assert.deepEqual(
      request.messages.filter(({ role }) => role === "assistant").map(({ content }) => content),
      ["It is Paris."],
    );
  });
});
