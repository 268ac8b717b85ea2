// `npm run fuzz`: many more requests than `npm test` makes, other ones each time. `npm run fuzz -- 1234` makes those of
// the seed 1234 again.
import { randomInt } from "node:crypto";
import { globalSetup, globalTeardown } from "../support/global-setup.ts";
import { findPython } from "../support/python-environment.ts";
import { codeSettings } from "../support/code-settings.ts";
import { embedByModel, startStack } from "../support/stack.ts";
import { DOCUMENTS, FUZZER, runFuzz } from "./run-fuzz.ts";
import type { FuzzOptions } from "./run-fuzz.ts";
import { untilRunsRest } from "./until-runs-rest.ts";

const EXAMPLES = 100;
const MAX_SEED = 2 ** 31;

const seed = Number(process.argv[2] ?? randomInt(MAX_SEED));
const python = await findPython(FUZZER);
if (python === undefined) throw new Error("the fuzzer needs a python3 of version 3.10 or newer");
await globalSetup();
try {
  const stack = await startStack({ settings: await codeSettings(), reroute: embedByModel });
  try {
    for (const document of Object.keys(DOCUMENTS) as FuzzOptions["document"][]) {
      const result = await runFuzz(stack, { python, document, examples: EXAMPLES, seed });
      console.log(result.output);
      const { operations, cases, failures, streams, seconds, rules, neverAccepted } = result;
      console.log(
        `${document}, seed ${seed}: ${operations} operations, ${cases} cases, ${streams} streams, ${failures} failures in ${Math.round(seconds)} s`,
      );
      console.log(`rules that requests were refused by: ${JSON.stringify(rules, null, 2)}`);
      console.log(`never accepted: ${neverAccepted.join(", ") || "none"}`);
      if (failures > 0 || !result.isComplete) process.exitCode = 1;
    }
    await untilRunsRest(stack.db);
  } finally {
    await stack.stop();
  }
} finally {
  await globalTeardown();
}
