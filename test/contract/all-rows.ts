// The whole table.
import { assistantRows } from "./assistants.ts";
import { stateErrorRows } from "./error-states.ts";
import { errorRows } from "./errors.ts";
import { fileRows } from "./files.ts";
import type { Life } from "./life.ts";
import { listRows } from "./lists.ts";
import { messageRows } from "./messages.ts";
import { modelRows } from "./models.ts";
import { objectRows } from "./objects.ts";
import { orderRows } from "./order-of-checks.ts";
import type { Row, RowKind } from "./row.ts";
import { runLifeRows } from "./run-life.ts";
import { runStepRows } from "./run-steps.ts";
import { runRows } from "./runs.ts";
import { submitRows } from "./submitted-outputs.ts";
import { threadRows } from "./threads.ts";
import { transportRows } from "./transport.ts";
import { vectorStoreObjectRows } from "./vector-store-objects.ts";
import { vectorStoreRows } from "./vector-stores.ts";
import type { World } from "./world.ts";

/** Rows that need the routes and a database. */
export const routeRows: readonly Row<World>[] = [
  ...assistantRows,
  ...threadRows,
  ...messageRows,
  ...runRows,
  ...submitRows,
  ...modelRows,
  ...fileRows,
  ...vectorStoreRows,
  ...listRows,
  ...transportRows,
  ...errorRows,
  ...stateErrorRows,
  ...orderRows,
];

/** Rows that need runs which a worker has moved. */
export const lifeRows: readonly Row<Life>[] = [...objectRows, ...vectorStoreObjectRows, ...runLifeRows, ...runStepRows];

export interface ContractRow {
  id: string;
  source: string;
  title: string;
  kind: RowKind;
}

/** Every row of the contract, for those who count or print them. Nothing is started for it. */
export function contractRows(): ContractRow[] {
  return [...routeRows, ...lifeRows].map(({ id, source, title, kind }) => ({ id, source, title, kind }));
}
