// The generations of the Node SDK that speak version 2, by the name under which package.json installs them.
import type OpenAI from "openai";
import type { Generation } from "./client.ts";
import { openObjectIds } from "./object-ids.ts";
import { openPositionalIds } from "./positional-ids.ts";

export const GENERATIONS: Record<string, () => Promise<Generation>> = {
  "openai-v4-56": async () => ({
    ...positional((await import("openai-v4-56")).OpenAI),
    marksObjects: false,
    tellsEveryCall: false,
    searchesStores: false,
  }),
  "openai-v4": async () => positional((await import("openai-v4")).OpenAI),
  "openai-v5": async () => newer((await import("openai-v5")).OpenAI),
  "openai-v6": async () => newer((await import("openai-v6")).OpenAI),
  openai: async () => newer((await import("openai")).OpenAI),
};

function positional(Client: unknown): Generation {
  return { ...newer(Client), open: openPositionalIds, streamsIncomplete: false };
}

/** The types of a generation are not assignable to those of another one, though what is called here is the same. */
function newer(Client: unknown): Generation {
  const traits = { streamsIncomplete: true, marksObjects: true, tellsEveryCall: true, searchesStores: true };
  return { OpenAI: Client as typeof OpenAI, open: openObjectIds, ...traits };
}
