// The port to whatever runs Code Interpreter's code: sessions that keep variables and files between pieces of code.
// What comes out of a session was made by code that nobody has checked.

export interface SandboxDriver {
  readonly name: "local" | "container" | "none";
  /** Tries out whether code can be locked in on this machine, by code that tries to get out. */
  probe(): Promise<Probe>;
  /**
   * A new session; the one that was used least recently may have to end for it. Throws `SandboxUnavailable` when code cannot be
   * locked in, and `SandboxBusy` when all sessions are at work.
   */
  create(spec: SessionSpec): Promise<SandboxSession>;
  /** The session of this id, if it still lives. */
  find(sessionId: string): SandboxSession | undefined;
  /** Ends all sessions but these, and removes what drivers that have crashed have left. Returns how many there were of both. */
  reap(keep: ReadonlySet<string>): Promise<number>;
  /** Ends everything. */
  close(): Promise<void>;
}

export interface SessionSpec {
  sessionId: string;
  limits: SandboxLimits;
}

/** What stands between the code and the machine. All but `gvisor` share its kernel; `container` is one that is not gVisor's. */
export type Isolation = LocalIsolation | ContainerIsolation;
export type LocalIsolation = "namespaces" | "landlock";
export type ContainerIsolation = "gvisor" | "container";

export type Probe =
  | { ok: true; isolation: Isolation }
  /** `missing` says, for people, what would have to be there. */
  | { ok: false; missing: string[] };

export interface SandboxSession {
  readonly id: string;
  readonly limits: SandboxLimits;
  /** Why the session has ended; undefined while it lives. */
  readonly loss: Loss | undefined;
  /**
   * Runs a cell. The last event is `done`. Cells and files wait for each other. A cell whose time is over is interrupted, and
   * killed with its session if that does not help. The same happens when `signal` aborts, and then its reason is thrown, and
   * when nobody wants further events. Throws `SessionLost` when the session had ended before.
   */
  exec(code: string, options?: ExecOptions): AsyncGenerator<CellEvent, void>;
  /** Writes a file, or replaces one. A `name` with slashes is in folders, which are made. Throws `FileRefused`. */
  putFile(name: string, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** Gives a file a second name, by a link; whatever has that name already keeps it. Throws `FileRefused`. */
  linkFile(name: string, alias: string): Promise<void>;
  /** Reads a file. Throws `FileRefused`, also when there are more than `maxBytes`. */
  getFile(name: string, maxBytes: number): AsyncGenerator<Uint8Array, void>;
  /** Files, those in folders last. Folders, links and everything else are left out. */
  listFiles(): Promise<FileStat[]>;
  /** Resolves when no process of it is left. */
  destroy(): Promise<void>;
}

export interface ExecOptions {
  timeoutMs?: number;
  signal?: AbortSignal;
}

export type CellEvent =
  | { type: "logs"; stream: "stdout" | "stderr"; text: string }
  | { type: "image"; mime: "image/png"; data: Uint8Array }
  | CellDone;

/**
 * How a cell has ended: `error` with a traceback, `timeout` after its time, `lost` when it took its session with it. After a
 * `timeout` the session is lost only if there is a `loss`.
 */
export interface CellDone {
  type: "done";
  status: "ok" | "error" | "timeout" | "lost";
  traceback?: string;
  loss?: Loss;
  /** What was printed past the bound. */
  droppedBytes: number;
}

/**
 * Why a session ended: a bound of its own (`memory`, `cpu`, `disk`, `files`, `threads`), a call to the kernel that nobody makes by
 * accident (`forbidden`), nonsense in place of answers (`protocol`), `killed` by us because it would not stop or was not needed
 * any more, or `exited` by itself.
 */
export type Loss = "memory" | "cpu" | "disk" | "files" | "threads" | "forbidden" | "protocol" | "killed" | "exited";

export interface FileStat {
  name: string;
  bytes: number;
  /** Another one whenever the file may be another. */
  stamp: string;
}

export interface SandboxLimits {
  /** Address space on top of what the libraries take that all sessions share. */
  memoryBytes: number;
  /** Of all files together. */
  diskBytes: number;
  /** With folders and everything else that has a name. */
  maxFiles: number;
  threads: number;
  /** Of one cell. */
  cpuSeconds: number;
  outputBytes: number;
  images: number;
  /** Of all pictures of a cell together. */
  imageBytes: number;
}
