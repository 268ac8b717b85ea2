// The workflows of runs that are open, for the janitor.
import { WorkflowNotFoundError } from "@temporalio/client";
import type { Client } from "@temporalio/client";
import type { OpenWorkflows } from "../activities/index.ts";

const BATCH = 500;

export function createOpenWorkflows(client: Client, taskQueue: string): OpenWorkflows {
  const query = `WorkflowType = "runWorkflow" AND TaskQueue = ${JSON.stringify(taskQueue)} AND ExecutionStatus = "Running"`;
  return {
    async *list() {
      let ids: string[] = [];
      for await (const { workflowId } of client.workflow.list({ query, pageSize: BATCH })) {
        ids.push(workflowId);
        if (ids.length < BATCH) continue;
        yield ids;
        ids = [];
      }
      if (ids.length > 0) yield ids;
    },
    async cancel(runId) {
      try {
        await client.workflow.getHandle(runId).cancel();
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    },
  };
}
