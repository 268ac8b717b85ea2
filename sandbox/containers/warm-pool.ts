// Containers that are started before anybody needs them, each with a session that is ready. Whoever takes one has it alone, and for
// good; another one is started in its place.
import { availableParallelism } from "node:os";
import { isDeepStrictEqual } from "node:util";
import type { SandboxLimits } from "../driver.ts";
import type { RunnerProcess } from "../runner-session.ts";
import { createTurns } from "../turns.ts";
import type { Turns } from "../turns.ts";

export interface WarmPoolOptions {
  /** How many. */
  size: number;
  /** Of all of them. Sessions with others are begun when they are asked for. */
  limits: SandboxLimits;
  begin: (limits: SandboxLimits) => Promise<RunnerProcess>;
}

interface Warm {
  session: Promise<RunnerProcess | undefined>;
}

export class WarmPool {
  readonly #options: WarmPoolOptions;
  /** The oldest comes first. */
  readonly #warm: Warm[] = [];
  /** So many begin at once. */
  readonly #lanes: Turns[] = Array.from({ length: availableParallelism() }, createTurns);
  #begun = 0;
  #isOpen = false;

  constructor(options: WarmPoolOptions) {
    this.#options = options;
  }

  async take(limits: SandboxLimits): Promise<RunnerProcess> {
    try {
      const isUsual = isDeepStrictEqual(limits, this.#options.limits);
      const warm = isUsual ? await this.#warm.shift()?.session : undefined;
      return warm ?? (await this.#beginInTurn(limits));
    } finally {
      this.#fill();
    }
  }

  /** From now on some are kept ready. */
  open(): void {
    this.#isOpen = true;
    this.#fill();
  }

  /** No more are begun. Those that are there end with their containers. */
  stop(): void {
    this.#isOpen = false;
  }

  #fill(): void {
    while (this.#isOpen && this.#warm.length < this.#options.size) this.#add();
  }

  #add(): void {
    const warm: Warm = {
      // When it fails, so will the next one that somebody asks for, who is told.
      session: this.#beginInTurn(this.#options.limits).catch(() => undefined),
    };
    this.#warm.push(warm);
    void warm.session.then(async (session) => {
      await session?.ended;
      const place = this.#warm.indexOf(warm);
      if (place >= 0) this.#warm.splice(place, 1);
    });
  }

  async #beginInTurn(limits: SandboxLimits): Promise<RunnerProcess> {
    const lane = this.#lanes[this.#begun++ % this.#lanes.length] as Turns;
    const end = await lane.take();
    try {
      return await this.#options.begin(limits);
    } finally {
      end();
    }
  }
}
