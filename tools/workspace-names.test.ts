import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isPlainPath, nameFiles } from "./workspace-names.ts";

test("files keep their names, and a second one of a name is told apart before its ending", () => {
  assert.deepEqual(nameFiles(["a.csv", "b", "a.csv", "a.csv", "b", "x.tar.gz", "x.tar.gz"]), [
    "a.csv",
    "b",
    "a (2).csv",
    "a (3).csv",
    "b (2)",
    "x.tar.gz",
    "x (2).tar.gz",
  ]);
  assert.deepEqual(nameFiles(["a (2).csv", "a.csv", "a.csv"]), ["a (2).csv", "a.csv", "a (3).csv"]);
});

test("no name leaves the folder", () => {
  assert.deepEqual(nameFiles(["../x", "/etc/passwd", ".", "..", "", "a\\b\n"]), [
    ".._x",
    "_etc_passwd",
    "_",
    "_ (2)",
    "_ (3)",
    "a_b_",
  ]);
});

test("whatever files are called, their names are plain, different, and not too long", () => {
  const anyName = fc.oneof(
    fc.string({ unit: "binary", maxLength: 400 }),
    fc.constantFrom("a.csv", "ü".repeat(200), ".."),
  );
  fc.assert(
    fc.property(fc.array(anyName, { maxLength: 12 }), (filenames) => {
      const names = nameFiles(filenames);
      assert.equal(names.length, filenames.length);
      assert.equal(new Set(names).size, names.length);
      for (const name of names)
        assert.ok(isPlainPath(name) && !name.includes("/") && Buffer.byteLength(name) <= 255, JSON.stringify(name));
    }),
  );
});

test("a path is plain when each of its names is", () => {
  for (const path of ["a.csv", "out/a.csv", "a b/ü/c"]) assert.ok(isPlainPath(path), path);
  for (const path of ["", "/a", "a/", "a//b", "../a", "a/./b", "a/b\n", `a/${"x".repeat(256)}`]) {
    assert.ok(!isPlainPath(path), path);
  }
});
