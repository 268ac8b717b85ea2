// What no SDK would send: requests made from the OpenAPI documents, right ones and wrong ones. No answer is a failure of
// the server, none differs from its schema, none hangs. `npm run fuzz` tries many more.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { findPython } from "../support/python-environment.ts";
import { codeSettings } from "../support/code-settings.ts";
import { embedByModel, startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { DOCUMENTS, FUZZER, runFuzz } from "./run-fuzz.ts";
import type { FuzzOptions } from "./run-fuzz.ts";
import { untilRunsRest } from "./until-runs-rest.ts";

const EXAMPLES = 4;
/** The same requests every time: a test is to fail for what was changed. */
const SEED = 1;
/** As much of the report as a person wants to read. */
const MAX_REPORT_CHARS = 20_000;

const python = await findPython(FUZZER);

describe(
  "requests made from the OpenAPI document",
  { skip: python === undefined && "no python3 of 3.10 or newer" },
  () => {
    let stack: Stack;
    before(async () => {
      stack = await startStack({ settings: await codeSettings(), reroute: embedByModel });
    });
    after(() => stack.stop());

    for (const document of Object.keys(DOCUMENTS) as FuzzOptions["document"][]) {
      test(`of ${document} are answered as it says`, async ({ signal }) => {
        const options = { python: python ?? "", document, examples: EXAMPLES, seed: SEED, signal };
        const { output, operations, cases, failures, isComplete, neverAccepted } = await runFuzz(stack, options);
        assert.equal(failures, 0, output.slice(-MAX_REPORT_CHARS));
        assert.ok(isComplete, output.slice(-MAX_REPORT_CHARS));
        assert.deepEqual(neverAccepted, []);
        assert.ok(operations > 20 && cases > 1000, `only ${cases} cases of ${operations} operations`);
      });
    }

    test("leave no run behind that does not end", () => untilRunsRest(stack.db));
  },
);
