// Nothing is done to the server: what the load, the clients and the audit find wrong here is wrong with them.
import type { Scenario } from "../faults/scenario.ts";

export const quiet: Scenario = {
  name: "no fault",
  fault: "nothing",
  load: (extent) => ({ conversations: { taste: 20, bounded: 60, long: 200 }[extent], atATime: 20 }),
  play: async () => undefined,
};
