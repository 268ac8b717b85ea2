import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import { isUnavailable } from "./unavailable.ts";

const withCode = (code: string) => Object.assign(new Error("x"), { code });

test("a database that nobody can reach is unavailable", async () => {
  const pool = new pg.Pool({ connectionString: "postgres://nobody@127.0.0.1:1/nothing" });
  const error: unknown = await pool.query("select 1").catch((reason: unknown) => reason);
  assert.ok(isUnavailable(error));
  await pool.end();
});

test("so is one that has no connection or no room on its disk left, shuts down, is too slow or chose us as the victim of a deadlock", () => {
  for (const code of ["53300", "53100", "57P01", "57P03", "57014", "40P01", "08006"])
    assert.ok(isUnavailable(withCode(code)));
  assert.ok(isUnavailable(new Error("timeout exceeded when trying to connect")));
  assert.ok(isUnavailable(new Error("Connection terminated unexpectedly")));
});

test("a mistake of ours is not", () => {
  for (const code of ["22P02", "23505", "42P01", "22021"]) assert.ok(!isUnavailable(withCode(code)));
  assert.ok(!isUnavailable(new TypeError("x is undefined")));
  assert.ok(!isUnavailable(undefined));
});
