// Guides from the days of version 1, followed by a user: each program is a CommonJS process in a folder of its own that
// has nothing but the SDK of its time, the server's address and a key.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { promisify } from "node:util";
import type { ChatCompletionCreateParams } from "openai/resources/chat/completions";
import { PROJECT_FOLDER } from "../../embedded/node-child.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { script } from "./conversation.ts";

const run = promisify(execFile);

let stack: Stack;
before(async () => {
  stack = await startStack();
});
after(() => stack.stop());

interface Guide {
  program: string;
  /** Under which name the SDK of its time is installed here. */
  sdk?: string;
}

/** What a program prints when its user asks a question. Rejects when it fails. */
async function follow({ program, sdk }: Guide, question: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "durable-assistants-guide-"));
  try {
    copyFileSync(join(PROJECT_FOLDER, "test/api/early-guides", program), join(folder, program));
    mkdirSync(join(folder, "node_modules"));
    if (sdk !== undefined) symlinkSync(join(PROJECT_FOLDER, "node_modules", sdk), join(folder, "node_modules/openai"));
    const { stdout } = await run(process.execPath, [program, question], {
      cwd: folder,
      env: { OPENAI_BASE_URL: stack.baseURL, OPENAI_API_KEY: stack.apiKey },
    });
    return stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The instructions that the model was given for a question. */
function instructionsFor(key: string): unknown {
  const request = stack.model.requests.find((asked) => asked.key === key);
  assert.ok(request, "the model was not asked");
  const [system] = (request.body as ChatCompletionCreateParams).messages;
  assert.equal(system?.role, "system");
  return system.content;
}

suite("a user of 2023", { concurrency: 4 }, () => {
  test("polls for the answer of the first quickstart's tutor", async () => {
    const guide = { program: "math-tutor.cjs", sdk: "openai-v4-20" };
    const output = await follow(guide, script([{ text: "Ada, x is one." }], "math-tutor"));
    assert.deepEqual(output.trimEnd().split("\n"), [
      "asked: true",
      "begun: queued",
      "ended: completed",
      "assistant: Ada, x is one.",
      "user: Hello!",
      "steps: message_creation",
    ]);
    assert.equal(instructionsFor("math-tutor"), "The user is called Ada and pays for this. Say her name.");
  });

  test("reads the answer of a blog's code helper", async () => {
    const guide = { program: "code-helper.cjs", sdk: "openai-v4-20" };
    const output = await follow(guide, script([{ text: "A function that calls itself." }], "code-helper"));
    assert.equal(output, "A function that calls itself.\n");
    assert.equal(instructionsFor("code-helper"), "Use short sentences: this is all new to the user.");
  });

  test("reads it without an SDK, too", async () => {
    const guide = { program: "code-helper-by-hand.cjs" };
    const output = await follow(guide, script([{ text: "A function that calls itself." }], "by-hand"));
    assert.equal(output, "A function that calls itself.\n");
    assert.equal(instructionsFor("by-hand"), "Use short sentences: this is all new to the user.");
  });

  test("is told by the demo model what it is, when nothing else was set up", async () => {
    const output = await follow({ program: "code-helper.cjs", sdk: "openai-v4-20" }, "How does recursion work?");
    assert.match(output, /^I am the scripted demo model, not a real AI/);
  });

  test("sees the answer come word by word in the quickstart of March 2024", async () => {
    const guide = { program: "streaming-tutor.cjs", sdk: "openai-v4" };
    const turns = [{ text: "Ada, x is one.", chunk_chars: 4, chunk_ms: 5 }];
    assert.equal(
      await follow(guide, script(turns, "streaming-tutor")),
      "\nassistant > Ada, x is one.\nended: completed, 0 files\nsaid: Ada, x is one.\n",
    );
    assert.equal(instructionsFor("streaming-tutor"), "The user is called Ada and pays for this. Say her name.");
  });
});
