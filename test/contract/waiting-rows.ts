// Rows that fail until a part is built, and which. One that no longer fails has to be taken off.
import assert from "node:assert/strict";
import { checkRow } from "./row.ts";
import type { Row } from "./row.ts";

/** Row id to the part that it waits for. */
export const WAITING_ROWS: ReadonlyMap<string, string> = new Map();

/** Tries a row, which has to fail exactly as long as it waits for something. */
export async function tryRow<Context>(row: Row<Context>, context: Context): Promise<void> {
  const part = WAITING_ROWS.get(row.id);
  if (part === undefined) return checkRow(row, context);
  await assert.rejects(checkRow(row, context), `${row.id} does not wait for ${part} any more`);
}
