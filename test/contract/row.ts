// A row of the contract: one fact, and the cases that show that the server keeps it.
import assert from "node:assert/strict";

/** What a row is about: a field of a request or of an answer, a rule of behaviour, or the text of an error. */
export type RowKind = "request" | "response" | "rule" | "error";

/** A field of a schema, list indexes left out: `tools[].function.name`. */
export interface Field {
  schema: string;
  path: string;
}

export interface Case<Context> {
  what: string;
  check: (context: Context) => void | Promise<void>;
}

export interface Row<Context> {
  id: string;
  /** The section of the contract sheet, or the document of this repository, that says so. */
  source: string;
  title: string;
  kind: RowKind;
  /** The fields that the row answers for; the completeness test compares them with the schemas. */
  covers?: readonly Field[];
  cases: readonly Case<Context>[];
}

/** Runs every case, also after one has failed, and fails with all that went wrong. */
export async function checkRow<Context>(row: Row<Context>, context: Context): Promise<void> {
  const failures: string[] = [];
  for (const { what, check } of row.cases) {
    try {
      await check(context);
    } catch (error) {
      failures.push(`- ${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  assert.equal(failures.length, 0, `\n${failures.join("\n")}`);
}

/** A row with a single case, for what no combinator describes. */
export function rule<Context>(
  id: string,
  source: string,
  title: string,
  check: (context: Context) => void | Promise<void>,
  more: { kind?: RowKind; covers?: readonly Field[] } = {},
): Row<Context> {
  return { id, source, title, kind: "rule", cases: [{ what: title, check }], ...more };
}

/** The row of a deletion, whose answer has the same form for all resources. */
export function deletion<Context>(
  id: string,
  title: string,
  check: (context: Context) => void | Promise<void>,
): Row<Context> {
  const covers = ["id", "object", "deleted"].map((path) => ({ schema: "Deleted", path }));
  return rule(id, "1.0", title, check, { covers });
}
