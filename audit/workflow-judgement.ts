// Whether a run and its workflow say the same. Pure: a row, what Temporal says, and what is wrong with the pair.
import { isTerminal } from "../contract/run-state.ts";
import type { RunStanding } from "./run-standing.ts";
import type { WorkflowView } from "./workflow-view.ts";

export const WORKFLOW_CATALOGUE = {
  "workflow-has-live-run": "An open workflow has an active run.",
  "live-run-has-workflow": "An active run has an open workflow.",
  "no-dead-lock": "No thread is locked by a run whose workflow is gone and which nobody will look at.",
  "workflow-status": "A closed workflow ended as its run did.",
  "search-attributes": "The search attributes of a workflow are those of its run.",
};

export interface Problem {
  name: keyof typeof WORKFLOW_CATALOGUE;
  id: string;
  reason: string;
}

/** What is wrong with a run and its workflow, undefined if there is none. */
export function judge(run: RunStanding, workflow: WorkflowView | undefined): Problem[] {
  if (isTerminal(run.status)) {
    // What is still open is looked at from the other side; what is gone has outlived Temporal's retention.
    if (workflow === undefined || workflow.isOpen) return [];
    return [...judgeEnd(run, workflow), ...judgeAttributes(run, workflow)];
  }
  if (workflow === undefined) return run.is_settled ? [lost(run, "has no workflow")] : [];
  if (!workflow.isOpen) return [lost(run, `its workflow is ${workflow.status}`)];
  return judgeAttributes(run, workflow);
}

function lost({ id, thread_id, status, will_be_looked_at }: RunStanding, why: string): Problem {
  if (will_be_looked_at) return { name: "live-run-has-workflow", id, reason: `is ${status}, and ${why}` };
  return { name: "no-dead-lock", id: thread_id, reason: `is locked by ${id}, which is ${status}: ${why}` };
}

function judgeEnd({ id, status: run }: RunStanding, { status }: WorkflowView): Problem[] {
  // An operator may terminate a workflow at any time, also between its run's end and its own.
  if (status === "TERMINATED" || status === (run === "cancelled" ? "CANCELLED" : "COMPLETED")) return [];
  return [{ name: "workflow-status", id, reason: `is ${run}, and its workflow ${status}` }];
}

function judgeAttributes(run: RunStanding, workflow: WorkflowView): Problem[] {
  const wrong = [
    ["ThreadId", workflow.thread === run.thread_id],
    ["AssistantId", workflow.assistant === run.assistant_id],
    ["ProjectId", workflow.project === run.project_id],
    ["Model", workflow.model === run.model],
    ["RunStatus", isRunStatusRight(run, workflow)],
  ].flatMap(([name, isRight]) => (isRight === true ? [] : [name]));
  if (wrong.length === 0) return [];
  return [{ name: "search-attributes", id: run.id, reason: `${wrong.join(", ")} of its workflow differ` }];
}

/** The attribute is written when a run begins or ends to wait, and when it ends other than by plainly completing. */
function isRunStatusRight({ status }: RunStanding, { isOpen, status: closed, runStatus }: WorkflowView): boolean {
  if (isOpen) return status !== "requires_action" || runStatus === status;
  if (closed === "TERMINATED") return true;
  return runStatus === status || (runStatus === undefined && status === "completed");
}
