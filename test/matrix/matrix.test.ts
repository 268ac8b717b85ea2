// The representative columns of the SDK matrix; `npm run matrix` has all of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CHECKS } from "./checks.ts";
import { runMatrix } from "./run-matrix.ts";
import { SDKS } from "./sdks.ts";

const titles = new Map(CHECKS.map(({ number, title }) => [number, `${number} ${title}`]));

test("SDKs of each generation work by changing the base URL", async (t) => {
  const sdks = SDKS.filter((sdk) => sdk.representative);
  for (const { sdk, missing, cells } of await runMatrix(sdks, { signal: t.signal })) {
    await t.test(`${sdk.name}, which speaks ${sdk.api}`, { skip: missing ?? false }, async (t) => {
      for (const { check, state, why } of cells) {
        const skip = state === "cannot" && sdk.api === "v1" ? why : false;
        await t.test(titles.get(check), { skip }, () => assert.equal(state, "green", why));
      }
    });
  }
});
