// The passages that the searches of a run have found: what a marker in its answer may cite.
import type { EarlierTurn } from "../db/run-context.ts";
import type { PassageNumber } from "../tools/citation-markers.ts";

export class Passages {
  /** The files of the passages, by the number of their call. */
  readonly #files = new Map<number, string[]>();

  constructor(turns: readonly Pick<EarlierTurn, "tool_calls" | "built_in">[]) {
    for (const { tool_calls, built_in } of turns) {
      for (const call of tool_calls) {
        const number = built_in.get(call.id)?.number;
        if (call.type !== "file_search" || number === undefined || call.file_search.results.length === 0) continue;
        this.#files.set(
          number,
          call.file_search.results.map((result) => result.file_id),
        );
      }
    }
  }

  /** Whether there is nothing to cite. */
  get isEmpty(): boolean {
    return this.#files.size === 0;
  }

  /** The file that a passage is of; undefined when there is no such passage. */
  fileOf({ call, passage }: PassageNumber): string | undefined {
    return this.#files.get(call)?.[passage];
  }
}
