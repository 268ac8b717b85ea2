// Sessions of Code Interpreter: what becomes of a thread's Python when its worker is gone or others want its place.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import OpenAI from "openai";
import { ensureApiKey, generateApiKey } from "../../db/api-keys.ts";
import { codeSettings } from "../support/code-settings.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { CODE, finish, goOn, logsOf, runs, toldTo } from "./code.ts";
import { startConversation } from "./conversation.ts";

/** Has a stack of its own. */
function withStack(settings: Record<string, string>, body: (stack: Stack) => Promise<void>): () => Promise<void> {
  return async () => {
    const stack = await startStack({ settings: { ...(await codeSettings()), ...settings } });
    try {
      await body(stack);
    } finally {
      await stack.stop();
    }
  };
}

suite("sessions of code", { concurrency: 2 }, () => {
  test(
    "one begins anew with the files when its worker is gone, and the model is told",
    withStack({}, async (stack) => {
      const keeps = runs(
        'x = 1\nopen("/mnt/data/kept.txt", "w").write("ke")\nimport os; os.mkdir("out"); open("out/pt.txt", "w").write("pt")',
      );
      const conversation = await startConversation(stack, [keeps, { text: "ok" }], CODE);
      await logsOf(stack.openai, await finish(stack.openai, conversation));
      stack.workers[0]?.kill();
      await stack.startWorker();
      const turns = [
        runs('print("x" in globals(), open("/mnt/data/kept.txt").read() + open("/mnt/data/out/pt.txt").read())'),
        { text: "ok" },
      ];
      await logsOf(stack.openai, await goOn(stack.openai, conversation, turns, "after"));
      const requests = () => stack.model.requests.filter(({ key }) => key === "after");
      assert.match(toldTo({ requests })[0] ?? "", /new Python.*False kept/s);
    }),
  );

  test(
    "code that was shown to put something out is not run twice when its worker is gone",
    withStack({}, async (stack) => {
      const { openai } = stack;
      const endless = runs('print("begun")\nwhile True: pass');
      const conversation = await startConversation(stack, [endless, runs("print('again')"), { text: "ok" }], CODE);
      const { assistant_id, thread_id } = conversation;
      const stream = await openai.beta.threads.runs.create(thread_id, { assistant_id, stream: true });
      let outputs = "";
      for await (const event of stream) {
        if (event.event === "thread.run.failed") assert.fail(JSON.stringify(event.data.last_error));
        if (event.event !== "thread.run.step.delta") continue;
        for (const call of event.data.delta.step_details?.type === "tool_calls"
          ? (event.data.delta.step_details.tool_calls ?? [])
          : []) {
          if (call.type !== "code_interpreter") continue;
          for (const output of call.code_interpreter?.outputs ?? []) {
            outputs += output.type === "logs" ? output.logs : "";
          }
        }
        if (outputs !== "begun\n" || stack.workers.length > 1) continue;
        stack.workers[0]?.kill();
        await stack.startWorker();
      }
      assert.match(outputs, /^begun\n\[… interrupted here.*\]\nagain\n$/s);
      assert.match(toldTo(conversation)[0] ?? "", /^begun\n\n?\[… interrupted here/);
    }),
  );

  test(
    "a call waits for a place when all are at work",
    withStack({ CODE_INTERPRETER_MAX_SESSIONS: "1" }, async (stack) => {
      const slow = [runs("import time; time.sleep(2); print('slow')"), { text: "ok" }];
      const all = await Promise.all(
        Array.from({ length: 3 }, async () => {
          const conversation = await startConversation(stack, slow, CODE);
          return logsOf(stack.openai, await finish(stack.openai, conversation));
        }),
      );
      assert.deepEqual(all, [["slow\n"], ["slow\n"], ["slow\n"]]);
    }),
  );

  test(
    "a project that has as many as it may gives up its own",
    withStack({ CODE_INTERPRETER_MAX_SESSIONS_PER_PROJECT: "2" }, async (stack) => {
      const { openai } = stack;
      const other = new OpenAI({ baseURL: stack.baseURL, apiKey: await newProject(stack), maxRetries: 0 });
      const begin = async (client: OpenAI) => {
        const turns = [runs("x = 1"), { text: "ok" }];
        const conversation = await startConversation({ ...stack, openai: client }, turns, CODE);
        await logsOf(client, await finish(client, conversation));
        return conversation;
      };
      const [others, first] = [await begin(other), await begin(openai)];
      const second = await begin(openai);
      await begin(openai);
      const ask = [runs('print("x" in globals())'), { text: "ok" }];
      assert.deepEqual(await logsOf(other, await goOn(other, others, ask)), ["True\n"]);
      assert.deepEqual(await logsOf(openai, await goOn(openai, second, ask)), ["True\n"]);
      assert.deepEqual(await logsOf(openai, await goOn(openai, first, ask)), ["False\n"]);
    }),
  );

  test(
    "where only the kernel keeps projects apart, code is run for one project alone, unless that is allowed",
    withStack({ CODE_INTERPRETER_SHARED: "false" }, async (stack) => {
      const turns = [runs("print(1)"), { text: "ok" }];
      const alone = await startConversation(stack, turns, CODE);
      assert.deepEqual(await logsOf(stack.openai, await finish(stack.openai, alone)), ["1\n"]);
      await newProject(stack);
      const run = await finish(stack.openai, await startConversation(stack, turns, CODE));
      assert.equal(run.status, "failed");
      assert.match(run.last_error?.message ?? "", /several projects.*CODE_INTERPRETER_SHARED/);
    }),
  );
});

/** An API key of another project. */
async function newProject(stack: Stack): Promise<string> {
  const key = generateApiKey();
  await ensureApiKey(stack.db, { key, name: "other", projectName: "other" });
  return key;
}
