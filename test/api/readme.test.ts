// The README's examples, run as they are printed.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { PROJECT_FOLDER } from "../../embedded/node-child.ts";
import { findPython } from "../support/python-environment.ts";
import { codeSettings } from "../support/code-settings.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";

const run = promisify(execFile);
let stack: Stack;
before(async () => {
  stack = await startStack({ settings: await codeSettings() });
});
after(() => stack.stop());

const EXAMPLES = shellBlocks("First run", "How it works");

test("the README has the seven examples that are tried here, behind the two lines that set address and key", () => {
  const firstWords = EXAMPLES.map((example) => example.split(" ", 1)[0]);
  assert.deepEqual(firstWords, ["export", "assistant=$(curl", "node", "python3", "node", "node", "node", "node"]);
});

test("curl shows the events of a run", async (t) => {
  const hasCurl = await run("curl", ["--version"]).then(
    () => true,
    () => false,
  );
  if (!hasCurl) return t.skip("this machine has no curl");
  assert.match(
    await runExample(1),
    /^event: thread\.created\n[^]*event: thread\.run\.completed\n[^]*data: \[DONE\]\n\n$/,
  );
});

test("Node streams an answer", async () => {
  assert.match(await runExample(2), /scripted demo model[^]*\nrun_\w{24} is completed\n$/);
});

test("Python prints the conversation", async (t) => {
  const python = await findPython();
  if (python === undefined) return t.skip("this machine has no python3 of version 3.10 or newer");
  assert.match(await runExample(3, dirname(python)), /^user: Hello!\nassistant: .*scripted demo model/);
});

test("a function call is answered", async () => {
  const output = await runExample(4);
  assert.match(output, /^get_weather \{"city":"Paris"\}\nget_weather \{"city":"London"\}\n.*18 degrees, light rain/);
});

test("a file is uploaded, listed and deleted", async () => {
  assert.match(await runExample(5), /^file-\w{24} notes\.txt 11\n/);
});

test("a file is searched and cited", async () => {
  const output = await runExample(6);
  assert.match(output, /^file_search\n[^]*31 days of holidays a year\."【0:0†handbook\.txt】/);
  assert.match(output, /\n【0:0†handbook\.txt】 is handbook\.txt\n$/);
});

test("code plots a table and gives it back without gaps", async () => {
  const output = await runExample(7);
  assert.match(output, /^import matplotlib[^]*\nlogs: 4 rows, of which 1 were incomplete[^]*\nimage: \n/);
  assert.match(output, /\nimage_file file-\w{24}\ntext .*\(sandbox:\/mnt\/data\/sales_cleaned\.csv\)/);
  assert.match(output, /\nmonth,sales\nJan,12\nFeb,15\nApr,9\n\n$/);
});

/** What an example prints. Rejects when it fails. */
async function runExample(index: number, ...folders: string[]): Promise<string> {
  const { stdout } = await run("bash", ["-euo", "pipefail", "-c", EXAMPLES[index] ?? "exit 1"], {
    cwd: PROJECT_FOLDER,
    env: {
      PATH: [...folders, dirname(process.execPath), process.env["PATH"]].join(delimiter),
      OPENAI_BASE_URL: stack.baseURL,
      OPENAI_API_KEY: stack.apiKey,
    },
  });
  return stdout;
}

/** The blocks of shell code between two headings of the README. */
function shellBlocks(from: string, to: string): string[] {
  const text = readFileSync(join(PROJECT_FOLDER, "README.md"), "utf8");
  const part = text.slice(text.indexOf(`## ${from}\n`), text.indexOf(`## ${to}\n`));
  return [...part.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, code = ""]) => code);
}
