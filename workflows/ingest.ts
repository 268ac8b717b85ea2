// Makes one file searchable in one vector store: its text is read and cut, then embedded slice by slice. As with runs, the
// activities write what users see, and the workflow knows numbers only.
import {
  CancellationScope,
  CancelledFailure,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from "@temporalio/workflow";
import type { Activities, IngestEnded, IngestInput } from "../activities/index.ts";
import { HEARTBEAT_TIMEOUT_MS, INGEST_STEP_TIMEOUT_MS } from "../contract/limits.ts";
import { ingestProgressQuery, ingestTaskQueue, searchAttributes } from "./definitions.ts";
import type { IngestProgress } from "./definitions.ts";

export interface IngestResult extends IngestProgress {
  status: IngestEnded["status"];
}

/** Ends as `Canceled` when the workflow was cancelled before the file had ended otherwise, else with the file's status. */
export async function ingestWorkflow(input: IngestInput): Promise<IngestResult> {
  const steps = proxyActivities<Activities>({
    taskQueue: ingestTaskQueue(workflowInfo().taskQueue),
    startToCloseTimeout: INGEST_STEP_TIMEOUT_MS,
    heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
    cancellationType: "WAIT_CANCELLATION_COMPLETED",
    retry: { initialInterval: 250, backoffCoefficient: 2, maximumInterval: 10_000 },
  });
  const progress: IngestProgress = { chunks: null, done: 0 };
  setHandler(ingestProgressQuery, () => progress);

  let end: IngestEnded;
  try {
    end = await workUntilEnd();
  } catch (error) {
    // After a cancel Temporal does not repeat an activity that failed; the file is to end as cancelled all the same.
    if (!isCancellation(error) && !CancellationScope.current().consideredCancelled) throw error;
    end = await CancellationScope.nonCancellable(() => steps.cancelIngest(input));
  }
  const { status } = end;
  // Operators search for what did not go well.
  if (status !== "completed") upsertSearchAttributes([{ key: searchAttributes.fileStatus, value: status }]);
  else progress.done = progress.chunks ?? 0;
  setCurrentDetails(`**${status}**${end.code === undefined ? "" : `: ${end.code}`}, ${describe(progress)}`);
  if (status === "cancelled" && CancellationScope.current().consideredCancelled) {
    throw new CancelledFailure("The file was cancelled");
  }
  return { status, ...progress };

  async function workUntilEnd(): Promise<IngestEnded> {
    for (;;) {
      setCurrentDetails("the text of the file is read");
      const read = await steps.extractChunks.executeWithOptions({ summary: "read and cut" }, [input]);
      if (read.kind === "ended") return read;
      progress.chunks = read.chunks;
      for (;;) {
        setCurrentDetails(describe(progress));
        const summary = `embed from ${progress.done} of ${read.chunks}`;
        const embedded = await steps.embedChunks.executeWithOptions({ summary }, [input]);
        if (embedded.kind === "ended") return embedded;
        if (embedded.kind === "unread") break;
        progress.done = embedded.done;
      }
    }
  }
}

function describe({ chunks, done }: IngestProgress): string {
  return chunks === null ? "not read" : `${done} of ${chunks} chunks embedded`;
}
