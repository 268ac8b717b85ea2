// A scenario: what is asked of the server, and what is done to it meanwhile.
import type { Inside } from "./inside.ts";
import { STOP_MS } from "./load.ts";
import type { LoadMix } from "./load.ts";
import type { Talk } from "./conversations.ts";
import type { Random } from "./random.ts";
import type { Told } from "./told.ts";
import type { GoodClient } from "./good-client.ts";
import type { World, WorldOptions } from "./world.ts";

/** How much is done: a taste of it in `npm test`, all of it, or more of it. */
export type Extent = "taste" | "bounded" | "long";

export interface Scenario {
  name: string;
  /** What is done to the server, in a few words for the report. */
  fault: string;
  world?: WorldOptions;
  /** What clients ask meanwhile; undefined when `play` does all of it. */
  load?: (extent: Extent) => LoadMix;
  /** Does the damage. What it leaves broken must be whole again when it returns. */
  play(stage: Stage): Promise<void>;
}

export interface Stage {
  world: World;
  random: Random;
  extent: Extent;
  told: Told;
  client: GoodClient;
  assistantId: string;
  inside: Inside;
  /** Whether the last conversation of the load is over. */
  isOver(): boolean;
  /** Lets some of the load happen: a chosen time, which ends early when the load is over. */
  pause(fromMs: number, toMs: number): Promise<void>;
  /** Counts a fault. */
  struck(): void;
  /** The same stage with choices of its own, for what goes on beside something else. */
  fork(): Stage;
  /** The fault is over, or the process is dead: from here on recovery is timed. */
  healed(): void;
}

/** For conversations beside the load. */
export function talkOf({ client, random, assistantId, inside }: Stage, restMs: number): Talk {
  return { client, random, assistantId, inside, restMs, stopMs: STOP_MS, spoil: (turn) => turn };
}

export interface ScenarioResult {
  name: string;
  fault: string;
  seed: number;
  faults: number;
  runs: number;
  /** How runs ended, by status, and how many of each. */
  ended: Record<string, number>;
  /** Files that were stored; missing in results that are older than files. */
  files?: number;
  /** How files in vector stores ended, by status, and how many of each: those that were not deleted. */
  filesEnded?: Record<string, number>;
  /** Answers that clients had to ask for again, by what came in their place. */
  troubles: Record<string, number>;
  /** What the audit found, and what clients complain of. */
  violations: string[];
  /** Milliseconds until each run that was under way at a fault's end had moved on, sorted. */
  recoveryMs: number[];
  seconds: number;
}
