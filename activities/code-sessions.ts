// The sandboxed Pythons that this worker holds, one for each thread that has used one lately. For another one, that of the
// longest rest ends; none that is at work does. The driver ends those that nobody uses at all.
import { randomText } from "../contract/ids.ts";
import type { ThreadScope } from "../db/scope.ts";
import type { SandboxDriver, SandboxLimits, SandboxSession } from "../sandbox/driver.ts";
import { SandboxBusy } from "../sandbox/sandbox-error.ts";
import type { RecordedCell } from "./cell-recorder.ts";

const SESSION_ID_LENGTH = 24;

/** The session of a thread. */
export interface HeldSession {
  readonly sandbox: SandboxSession;
  /** Whether the files of earlier sessions are there. */
  isFilled: boolean;
  /** Ids of the files that were given to the thread and are there. */
  readonly given: Set<string>;
  /**
   * The files of the workspace whose content is known, by name: what they looked like from outside when they were put there
   * or read, and the SHA-256 of their content; null of one that is as the user gave it.
   */
  readonly known: Map<string, { stamp: string; sha256: string | null }>;
  /** The newest call whose code was begun. */
  begun: string | undefined;
  /** What came of the newest call, for the case that it could not be written down: code is not run twice. */
  last: { callId: string; cell: RecordedCell } | undefined;
}

export interface CodeSessionsOptions {
  driver: SandboxDriver;
  /** Of each session. */
  limits: SandboxLimits;
  /** Sessions that this worker may have, and those of one project among them. */
  maxSessions: number;
  maxPerProject: number;
}

export class CodeSessions {
  readonly #options: CodeSessionsOptions;
  readonly #held = new Map<string, HeldSession>();
  /** The project of each thread that has a session or is about to get one. The one that was used least recently comes first. */
  readonly #projects = new Map<string, string>();
  /** The end of the newest call of each thread that has one under way. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(options: CodeSessionsOptions) {
    this.#options = options;
  }

  /** Whether more stands between projects than this machine's kernel. So it is, too, where no code is run at all. */
  async keepProjectsApart(): Promise<boolean> {
    const probe = await this.#options.driver.probe();
    return !probe.ok || probe.isolation === "gvisor";
  }

  /** Calls of a thread follow one another. */
  async inTurn<Result>(threadId: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#turns.get(threadId) ?? Promise.resolve();
    const turn = before.then(work, work);
    this.#turns.set(threadId, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(threadId) === turn) this.#turns.delete(threadId);
    }
  }

  /**
   * The session of a thread, if the thread goes on with it: it has done the newest call, or it has this one and could not
   * write it down. Another one is of an earlier time, and goes.
   */
  async find(threadId: string, newest: { id: string | undefined; callId: string }): Promise<HeldSession | undefined> {
    const held = this.#held.get(threadId);
    if (held === undefined) return undefined;
    const { sandbox, begun, last } = held;
    const isDone = last?.callId === newest.callId;
    // Code that broke off has perhaps changed variables already: it does not run on top of that once more.
    const isUntouched = begun !== newest.callId && sandbox.id === newest.id && sandbox.loss === undefined;
    if (isDone || isUntouched) {
      this.#noteUse(threadId);
      return held;
    }
    await this.end(threadId);
    return undefined;
  }

  /** Begins a session. Throws as the driver does; `SandboxBusy` also when the project's sessions are all at work. */
  async open({ thread_id, project_id }: ThreadScope): Promise<HeldSession> {
    for (const [id, { sandbox }] of this.#held) {
      if (sandbox.loss !== undefined && !this.#turns.has(id)) await this.end(id);
    }
    await this.#makeRoom(project_id);
    this.#projects.set(thread_id, project_id);
    try {
      const { driver, limits } = this.#options;
      const sandbox = await driver.create({ sessionId: randomText(SESSION_ID_LENGTH), limits });
      const held: HeldSession = {
        sandbox,
        isFilled: false,
        given: new Set(),
        known: new Map(),
        begun: undefined,
        last: undefined,
      };
      this.#held.set(thread_id, held);
      return held;
    } catch (error) {
      this.#projects.delete(thread_id);
      throw error;
    }
  }

  async end(threadId: string): Promise<void> {
    const held = this.#held.get(threadId);
    this.#held.delete(threadId);
    this.#projects.delete(threadId);
    await held?.sandbox.destroy();
  }

  #noteUse(threadId: string): void {
    const project = this.#projects.get(threadId);
    if (project === undefined) return;
    this.#projects.delete(threadId);
    this.#projects.set(threadId, project);
  }

  /** A project that has as many sessions as it may have gives up one of its own; else somebody else does. */
  async #makeRoom(projectId: string): Promise<void> {
    const { maxSessions, maxPerProject } = this.#options;
    for (;;) {
      const threads = [...this.#projects.keys()];
      const own = threads.filter((thread) => this.#projects.get(thread) === projectId);
      const isProjectFull = own.length >= maxPerProject;
      if (!isProjectFull && threads.length < maxSessions) return;
      const unused = (isProjectFull ? own : threads).find((thread) => !this.#turns.has(thread));
      if (unused === undefined) {
        throw new SandboxBusy(`All ${isProjectFull ? "of the project's " : ""}sessions are at work`);
      }
      await this.end(unused);
    }
  }
}
