// What Temporal says about the workflows of runs. Lists come from its visibility store, which may lag behind; a single
// workflow is described from its own state, which does not.
import { isGrpcServiceError, ServiceError, WorkflowNotFoundError } from "@temporalio/client";
import type { Client, WorkflowExecutionInfo } from "@temporalio/client";
import { searchAttributes } from "../workflows/definitions.ts";

const CALL_TIMEOUT_MS = 15_000;
const PROBE_TIMEOUT_MS = 5000;
const PAGE_SIZE = 500;

export interface WorkflowAccess {
  client: Client;
  /** The task queue of the runs: other workflows of the namespace are none of ours. */
  taskQueue: string;
}

export interface WorkflowView {
  id: string;
  status: WorkflowExecutionInfo["status"]["name"];
  isOpen: boolean;
  startedAtMs: number;
  thread: string | undefined;
  assistant: string | undefined;
  project: string | undefined;
  model: string | undefined;
  runStatus: string | undefined;
}

/** Why Temporal cannot be asked; undefined when it answers. */
export async function probeTemporal({ client }: WorkflowAccess): Promise<string | undefined> {
  const { namespace } = client.options;
  try {
    await client.withDeadline(Date.now() + PROBE_TIMEOUT_MS, () =>
      client.workflowService.describeNamespace({ namespace }),
    );
    return undefined;
  } catch (error) {
    return whyUnreachable(error);
  }
}

/** The words for an error of the connection to Temporal. Rethrows every other one. */
export function whyUnreachable(error: unknown): string {
  if (isGrpcServiceError(error)) return error.details || error.message;
  if (!(error instanceof ServiceError)) throw error;
  return isGrpcServiceError(error.cause) ? error.cause.details || error.cause.message : error.message;
}

/** The ids of the open workflows of runs, or of files, in batches. */
export async function* listOpenIds(
  access: WorkflowAccess,
  type: "runWorkflow" | "ingestWorkflow" = "runWorkflow",
): AsyncGenerator<string[], void, void> {
  const query = `WorkflowType = "${type}" AND TaskQueue = ${quote(access.taskQueue)} AND ExecutionStatus = "Running"`;
  let ids: string[] = [];
  for await (const { workflowId } of list(access, query)) {
    ids.push(workflowId);
    if (ids.length < PAGE_SIZE) continue;
    yield ids;
    ids = [];
  }
  if (ids.length > 0) yield ids;
}

/** The newest workflow of each of these ids, as the visibility store knows it. */
export async function findListed(access: WorkflowAccess, ids: readonly string[]): Promise<Map<string, WorkflowView>> {
  const views = new Map<string, WorkflowView>();
  if (ids.length === 0) return views;
  for await (const info of list(access, `WorkflowId IN (${ids.map(quote).join(", ")})`)) {
    const view = toView(info);
    if (view.startedAtMs >= (views.get(view.id)?.startedAtMs ?? 0)) views.set(view.id, view);
  }
  return views;
}

/** The newest workflow of this id as it is now; undefined when Temporal has none. */
export async function describeWorkflow({ client }: WorkflowAccess, id: string): Promise<WorkflowView | undefined> {
  try {
    return toView(
      await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () => client.workflow.getHandle(id).describe()),
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** A deadline for each page, and none for them all. */
async function* list({ client }: WorkflowAccess, query: string): AsyncGenerator<WorkflowExecutionInfo, void, void> {
  const pages = client.workflow.list({ query, pageSize: PAGE_SIZE })[Symbol.asyncIterator]();
  for (;;) {
    const next = await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () => pages.next());
    if (next.done === true) return;
    yield next.value;
  }
}

function quote(text: string): string {
  return JSON.stringify(text);
}

type Described = Pick<WorkflowExecutionInfo, "workflowId" | "status" | "startTime" | "typedSearchAttributes">;

function toView({ workflowId, status, startTime, typedSearchAttributes: attributes }: Described): WorkflowView {
  return {
    id: workflowId,
    status: status.name,
    isOpen: status.name === "RUNNING" || status.name === "PAUSED",
    startedAtMs: startTime.getTime(),
    thread: attributes.get(searchAttributes.thread),
    assistant: attributes.get(searchAttributes.assistant),
    project: attributes.get(searchAttributes.project),
    model: attributes.get(searchAttributes.model),
    runStatus: attributes.get(searchAttributes.status),
  };
}
