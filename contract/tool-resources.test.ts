import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { resolveToolResources, storeToMake } from "./tool-resources.ts";

const interpreter = { type: "code_interpreter" as const };
const files = { code_interpreter: { file_ids: ["file-A"] } };
const stores = { file_search: { vector_store_ids: ["vs_A"] } };

describe("tool resources", () => {
  test("are empty where nothing was configured", () => {
    assert.deepEqual(resolveToolResources(undefined, []), {});
    assert.deepEqual(resolveToolResources({ code_interpreter: null, file_search: null }, []), {});
  });

  test("have a list of files as soon as there is a code interpreter", () => {
    assert.deepEqual(resolveToolResources(null, [interpreter]), { code_interpreter: { file_ids: [] } });
  });

  test("are stored without the tools that would use them", () => {
    assert.deepEqual(resolveToolResources({ ...files, ...stores }, []), { ...files, ...stores });
  });

  test("are replaced list by list", () => {
    const change = { code_interpreter: { file_ids: ["file-B"] } };
    assert.deepEqual(resolveToolResources(change, [], { ...files, ...stores }), { ...change, ...stores });
  });

  test("stay when a list is not given", () => {
    const current = { ...files, ...stores };
    assert.deepEqual(resolveToolResources({ code_interpreter: {}, file_search: null }, [], current), current);
  });

  test("can be emptied", () => {
    assert.deepEqual(resolveToolResources({ code_interpreter: { file_ids: [] } }, [], files), {
      code_interpreter: { file_ids: [] },
    });
  });

  test("take store ids or a store to be made, not both", () => {
    const helper = { file_ids: [] };
    assert.throws(
      () => storeToMake({ file_search: { vector_store_ids: ["vs_A"], vector_stores: [helper] } }),
      /'vector_store_ids' and 'vector_stores' are mutually exclusive/,
    );
    assert.equal(storeToMake({ file_search: { vector_store_ids: [], vector_stores: [helper] } }), helper);
    assert.equal(storeToMake({ file_search: { vector_store_ids: ["vs_A"] } }), undefined);
  });
});
