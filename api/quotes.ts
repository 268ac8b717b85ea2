// What the citations of version 1 quote, looked up by their markers.
import { readPassages } from "../db/citations.ts";
import type { Queryable } from "../db/pool.ts";

/** The two numbers of a marker. */
const NUMBERS = /^【(\d+):(\d+)†/;

export class Quotes {
  readonly #db: Queryable;
  readonly #projectId: string;
  readonly #texts = new Map<string, string>();

  constructor(db: Queryable, projectId: string) {
    this.#db = db;
    this.#projectId = projectId;
  }

  /** Reads what these runs may cite so far. */
  async load(runIds: readonly string[]): Promise<void> {
    for (const { run_id, call, passage, text } of await readPassages(this.#db, this.#projectId, runIds)) {
      this.#texts.set(`${run_id} ${call} ${passage}`, text);
    }
  }

  /** Empty when it is not known. */
  find(runId: string | null, marker: string): string {
    const [, call, passage] = NUMBERS.exec(marker) ?? [];
    return this.#texts.get(`${runId} ${Number(call)} ${Number(passage)}`) ?? "";
  }
}
