// What `npm run check` looks at, as tests: so `npm test` covers everything, and nothing is checked elsewhere only.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";

for (const [name, script] of [
  ["every file is formatted", "fmt:check"],
  ["no rule of the linter is broken, and no room imports what it may not", "lint"],
  ["the types hold", "types"],
  ["nothing is dead: no file, export or dependency", "knip"],
] as const) {
  test(name, async () => {
    const { code, output } = await run(script);
    assert.equal(code, 0, `npm run ${script}:\n${output}`);
  });
}

function run(script: string): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = execFile("npm", ["run", "--silent", script], (_error, stdout, stderr) => {
      resolve({ code: child.exitCode ?? 1, output: stdout + stderr });
    });
  });
}
