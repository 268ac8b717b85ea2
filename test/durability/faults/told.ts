// What clients were told, for the audit to hold against what is stored, and what they have to complain of.
import type { ReceivedEvent } from "../../../audit/received-stream.ts";
import type { Received } from "../../../audit/received.ts";
import { RunStatus } from "../../../contract/run-state.ts";

interface Accepted {
  id: string;
  thread_id: string;
}

export class Told {
  readonly runs: Accepted[] = [];
  readonly messages: Accepted[] = [];
  readonly deleted: string[] = [];
  readonly statuses: { run_id: string; thread_id: string; status: RunStatus }[] = [];
  readonly outputs: { run_id: string; thread_id: string; tool_call_id: string; output: string }[] = [];
  readonly streams: { run_id: string; events: ReceivedEvent[] }[] = [];
  /** Files that were uploaded, by id, and what is in them. */
  readonly files = new Map<string, Buffer>();
  /** Those whose deletion was asked for. */
  readonly deletedFiles = new Set<string>();
  /** Requests that wrote or deleted blobs, and were not answered to their end at once: each may leave a blob. */
  brokenUploads = 0;
  /** What no good server says or does. */
  readonly complaints: string[] = [];
  /** How often each 5xx was answered, and how often none came at all. */
  readonly troubles = new Map<string, number>();
  /** How the conversations ended, as their clients saw it. */
  readonly ends = new Map<string, number>();

  complain(about: string): void {
    this.complaints.push(about);
  }

  trouble(what: string): void {
    this.troubles.set(what, (this.troubles.get(what) ?? 0) + 1);
  }

  ended(how: string): void {
    this.ends.set(how, (this.ends.get(how) ?? 0) + 1);
  }

  run(run: Accepted): void {
    this.runs.push({ id: run.id, thread_id: run.thread_id });
  }

  status(run: { id: string; thread_id: string; status: string }): void {
    this.statuses.push({ run_id: run.id, thread_id: run.thread_id, status: RunStatus.parse(run.status) });
  }

  /** Begins the record of one connection; events are added to it as they come. */
  stream(runId: string, events: ReceivedEvent[]): void {
    this.streams.push({ run_id: runId, events });
  }

  toReceived(): Received {
    const { runs, messages, deleted, statuses, outputs, streams } = this;
    return { runs, messages, deleted, statuses, outputs, streams };
  }
}
