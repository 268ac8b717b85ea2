// One way to do one piece of work, many times: plain runs of ours, and the bare workflow that they are compared with.
import type { oneActivity } from "./bare/workflows.ts";
import { inParallel } from "./load.ts";
import { cpuBetween, readCpuTimes } from "./process-usage.ts";
import { BARE_QUEUE } from "./stack.ts";
import type { Stack } from "./stack.ts";

export interface Phase {
  /** Milliseconds of each piece. */
  latencies: number[];
  perSecond: number;
  /** CPU milliseconds per piece of work, by process. */
  cpu: Record<string, number>;
}

/** Both of them, one after the other, at rest and with much at once. */
export type Round = Record<"ours" | "bare" | "oursBusy" | "bareBusy", Phase>;

/** Does `work`, which returns its milliseconds, `count` times, `concurrency` at a time. */
export async function measure(
  stack: Stack,
  concurrency: number,
  count: number,
  work: () => Promise<number>,
): Promise<Phase> {
  const latencies: number[] = [];
  const before = readCpuTimes(stack.processes);
  const ms = await inParallel(concurrency, count, async () => latencies.push(await work()));
  const cpu = cpuBetween(before, readCpuTimes(stack.processes));
  const perPiece = Object.entries(cpu).map(([part, used]) => [part, used / count]);
  return { latencies, perSecond: (count * 1000) / ms, cpu: Object.fromEntries(perPiece) as Record<string, number> };
}

/** Starts a workflow with one activity that does nothing, and waits for it. Returns milliseconds. */
export async function timeBare({ temporal }: Stack): Promise<number> {
  const startedAt = performance.now();
  await temporal.workflow.execute<typeof oneActivity>("oneActivity", {
    workflowId: `bare-${crypto.randomUUID()}`,
    taskQueue: BARE_QUEUE,
  });
  return performance.now() - startedAt;
}
