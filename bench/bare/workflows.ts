// What the server is compared with: the least that Temporal can do for one activity, and for one that is waited for.
import { condition, defineSignal, proxyActivities, setHandler } from "@temporalio/workflow";
import type { noop as Noop } from "./main.ts";

const { noop } = proxyActivities<{ noop: typeof Noop }>({ startToCloseTimeout: 30_000 });

export const wake = defineSignal("wake");

export async function oneActivity(): Promise<void> {
  await noop();
}

/** Like a run that waits for the output of a function call. */
export async function parked(): Promise<void> {
  let woken = false;
  setHandler(wake, () => {
    woken = true;
  });
  await noop();
  await condition(() => woken, "1 day");
  await noop();
}
