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
    | { kind: "heartbeat"; nth: number };
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
/** Setting: a worker that is made to say this word dies, every time. */
export const POISON_VARIABLE = "FAILPOINT_POISON";

/** Setting: `lose` drops half of what the API tells Temporal, `double` sends all of it three times at once. */
export const NUDGES_VARIABLE = "FAILPOINT_NUDGES";
/** Setting: by how many milliseconds at the most the clock of the process jumps, every half second. */
export const CLOCK_VARIABLE = "FAILPOINT_CLOCK";

export interface RecordedStatement {
  runId: string;
  activity: number;
  attempt: number;
  nth: number;
  text: string;
}
