// What the server is compared with: the least that Temporal can do for one activity, and for one that is waited for.
import { condition, defineQuery, defineSignal, proxyActivities, setHandler } from "@temporalio/workflow";
import type { tellTime as TellTime } from "./main.ts";

const { tellTime } = proxyActivities<{ tellTime: typeof TellTime }>({ startToCloseTimeout: 30_000 });

export const wake = defineSignal("wake");

/** Returns when its activity began, in milliseconds of Unix time. */
export async function oneActivity(): Promise<number> {
  return tellTime();
}

export const isWaiting = defineQuery<boolean>("isWaiting");

/** Like a run that waits for the output of a function call. Returns when its second activity began. */
export async function parked(): Promise<number> {
  let woken = false;
  let waits = false;
  setHandler(isWaiting, () => waits);
  setHandler(wake, () => {
    woken = true;
  });
  await tellTime();
  waits = true;
  await condition(() => woken, "1 day");
  return tellTime();
}
