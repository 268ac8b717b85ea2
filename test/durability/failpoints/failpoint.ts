// Where and how a process is to break: what a test writes and the preloaded module in the process reads.

/**
 * `kill` ends the process with -9 at this very moment. `cut` destroys the connection to Postgres on which the statement
 * goes, and lets the process live.
 */
export type Deed = "kill" | "cut";

/**
 * The statement is not sent; or it is sent and nobody waits for its answer; or its answer is here and nobody has read it.
 * After a cut `before` the client knows nothing of what the server did, as after one `after`; the difference is on the server.
 */
export type Moment = "before" | "during" | "after";

/** At the nth statement of one request, or of one try of one activity. */
export interface StatementPoint {
  nth: number;
  moment: Moment;
  deed: Deed;
}

/** A point in a worker: of the first try of one activity of one run. */
export interface WorkerPoint {
  runId: string;
  /** Number of the activity in its workflow, from 1. */
  activity: number;
  at:
    | ({ kind: "statement" } & StatementPoint)
    /** The nth flush of deltas that has some of this run in it. */
    | ({ kind: "flush" } & StatementPoint)
    /** Behind the nth piece that the model has said. */
    | { kind: "piece"; nth: number }
    | { kind: "heartbeat"; nth: number }
    /** When the nth blob of the activity is on the disk: it has not got its name yet, or has got it. */
    | { kind: "blob"; nth: number; moment: "before" | "after" }
    /** Temporal has given the activity to this worker, and nothing of it is done. */
    | { kind: "begin" }
    /** Everything is done, and Temporal has not been told of it; or its being told has just begun. */
    | { kind: "return"; moment: "before" | "during" };
}

/** What a worker finds in the file that the setting names. */
export interface WorkerPlan {
  points: WorkerPoint[];
}

/** Header of a request that is to break: a `StatementPoint` as JSON, or `count`. */
export const BREAK_HEADER = "x-failpoint";
/** Header of the answer: how many statements the request took. */
export const COUNT_HEADER = "x-statements";
/** Setting: path of a file with a `WorkerPlan`. */
export const PLAN_VARIABLE = "FAILPOINT_PLAN";
/** Setting: path of a file to which each statement of an activity is written, as one line of JSON. */
export const RECORD_VARIABLE = "FAILPOINT_RECORD";
/** A worker that is made to say this word dies, every time. */
export const POISON = "hemlock";

/** What goes wrong inside of every process while it is in the file that `TROUBLES_VARIABLE` names. */
export type Trouble =
  /** Half of what an API tells Temporal is dropped. */
  | "nudges lost"
  /** All of it is sent three times at once. */
  | "nudges doubled"
  /** The clock jumps by up to an hour, back or forth, every half second. */
  | "clock steps"
  /** Half of the processes that parse documents are killed, at once or somewhat later. */
  | "parsers die"
  /** A third of what is done to blobs on the disk fails: it is full (ENOSPC) or broken (EIO). */
  | "disk fails";

/** Setting: path of a file with the troubles of the moment, as a JSON array. */
export const TROUBLES_VARIABLE = "FAILPOINT_TROUBLES";
/** Setting: what the process makes its own choices from. */
export const SEED_VARIABLE = "FAILPOINT_SEED";

export interface RecordedStatement {
  runId: string;
  activity: number;
  attempt: number;
  nth: number;
  text: string;
}
