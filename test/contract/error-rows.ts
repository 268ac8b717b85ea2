// Rows whose point is the text of an error.
import type { Answer } from "../support/app.ts";
import { assertRefused } from "./refusals.ts";
import type { Refusal } from "./refusals.ts";
import { rule } from "./row.ts";
import type { Row } from "./row.ts";
import type { World } from "./world.ts";

export type Ask = (world: World) => Promise<Answer<unknown>>;

export const error = (id: string, source: string, title: string, check: (world: World) => Promise<void>): Row<World> =>
  rule(`errors.${id}`, source, title, check, { kind: "error" });

/** A request, and the error exactly as the contract prints it. */
export const text = (id: string, source: string, ask: Ask, refusal: Refusal): Row<World> =>
  error(id, source, String(refusal.message), async (world) => assertRefused(await ask(world), refusal));
