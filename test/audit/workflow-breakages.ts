// Ways in which the database and Temporal can contradict each other. No worker is there, so what is started stays open.
import type { Client } from "@temporalio/client";
import { searchAttributes } from "../../workflows/definitions.ts";
import { waitUntil } from "../support/wait-until.ts";

export interface WorkflowBreakage {
  invariant: string;
  how: string;
  /** The rows that the last statement returns are those that are to be reported, by `id`. */
  sql: readonly string[];
  /** Done first. Returns what undoes it. */
  inTemporal?(temporal: Temporal): Promise<() => Promise<unknown>>;
  /** Other invariants between the database and Temporal that cannot hold either. */
  also?: readonly string[];
}

export interface Temporal {
  client: Client;
  taskQueue: string;
}

const ALONE = "now() - interval '1 hour'";

/** A run like another, an hour old and on a thread of its own, which Temporal does not know. */
export const addRun = (id: string, like: string, change = ""): string[] => [
  `insert into threads select (jsonb_populate_record(null::threads,
     to_jsonb(t) || '{"id":"thread_${id}"}')).* from threads t where id = $${like}.thread`,
  `insert into runs select (jsonb_populate_record(null::runs, to_jsonb(r) || jsonb_build_object(
     'id', '${id}', 'thread_id', 'thread_${id}', 'seq', 999999, 'created_at', ${ALONE}${change}))).*
   from runs r where id = $${like}`,
];

export const WORKFLOW_BREAKAGES: readonly WorkflowBreakage[] = [
  {
    invariant: "workflow-has-live-run",
    how: "it is of a run that never was",
    inTemporal: (temporal) => startAlone(temporal, "run_never"),
    sql: ["select 'run_never' as id"],
  },
  {
    invariant: "workflow-has-live-run",
    how: "its run ended an hour ago",
    sql: [
      "update runs set status = 'failed', events_until = now() + interval '23 hours' where id = $speaking returning id",
    ],
  },
  {
    invariant: "live-run-has-workflow",
    how: "none was started",
    sql: [...addRun("run_unstarted", "waiting"), "select 'run_unstarted' as id"],
  },
  {
    invariant: "live-run-has-workflow",
    how: "it was terminated",
    inTemporal: async (temporal) => {
      await (
        await startAlone(temporal, "run_terminated")
      )();
      return async () => undefined;
    },
    sql: [...addRun("run_terminated", "speaking"), "select 'run_terminated' as id"],
  },
  {
    invariant: "no-dead-lock",
    how: "nobody will look today",
    sql: [
      ...addRun("run_unseen", "waiting", ", 'check_at', now() + interval '1 day'"),
      "select 'thread_run_unseen' as id",
    ],
  },
  {
    invariant: "no-dead-lock",
    how: "nobody has looked for hours",
    sql: [
      ...addRun("run_forgotten", "speaking", ", 'check_at', now() - interval '3 hours'"),
      "select 'thread_run_forgotten' as id",
    ],
  },
  {
    invariant: "workflow-status",
    how: "it completed, and its run was cancelled",
    sql: ["update runs set status = 'cancelled' where id = $plain returning id"],
    also: ["search-attributes"],
  },
  {
    invariant: "workflow-status",
    how: "it was cancelled, and its run completed",
    sql: ["update runs set status = 'completed' where id = $cancelledWaiting returning id"],
    also: ["search-attributes"],
  },
  {
    invariant: "workflow-status",
    how: "it timed out",
    inTemporal: async (temporal) => {
      await startAlone(temporal, "run_late", "1s");
      const handle = temporal.client.workflow.getHandle("run_late");
      await waitUntil("it times out", async () => (await handle.describe()).status.name === "TIMED_OUT");
      return async () => undefined;
    },
    sql: [...addRun("run_late", "plain"), "select 'run_late' as id"],
    also: ["search-attributes"],
  },
  ...["model = 'other'", "assistant_id = 'asst_other'"].map((change) => ({
    invariant: "search-attributes",
    how: `its run has ${change}`,
    sql: [`update runs set ${change} where id = $plain returning id`],
  })),
  {
    invariant: "search-attributes",
    how: "its run is on another thread",
    sql: ["update runs set thread_id = $failed.thread where id = $plain returning id"],
  },
  {
    invariant: "search-attributes",
    how: "it does not say that its run waits",
    sql: [`update runs set status = 'requires_action' where id = $speaking returning id`],
  },
  {
    invariant: "search-attributes",
    how: "it says that its run has failed",
    sql: ["update runs set status = 'incomplete' where id = $failed returning id"],
  },
];

/** Starts a workflow by hand, without attributes. Returns what ends it. */
export async function startAlone(
  { client, taskQueue }: Temporal,
  workflowId: string,
  timeout?: string,
  type = "runWorkflow",
): Promise<() => Promise<unknown>> {
  const handle = await client.workflow.start(type, {
    taskQueue,
    workflowId,
    args: [],
    workflowIdReusePolicy: "ALLOW_DUPLICATE",
    typedSearchAttributes: [{ key: searchAttributes.thread, value: "thread_alone" }],
    ...(timeout === undefined ? {} : { workflowExecutionTimeout: timeout as "1s" }),
  });
  await waitUntil("it is listed", async () => {
    return (await client.workflow.count(`WorkflowId = "${workflowId}" AND ExecutionStatus = "Running"`)).count > 0;
  });
  return () => handle.terminate();
}
