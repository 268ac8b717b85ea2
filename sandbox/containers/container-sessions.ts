// Makes sessions out of containers, one of each, and keeps some ready.
import { rm } from "node:fs/promises";
import type { SandboxLimits } from "../driver.ts";
import type { RunnerProcess } from "../runner-session.ts";
import type { SessionMaker } from "../session-maker.ts";
import { beginContained } from "./contained-session.ts";
import type { Walls } from "./contained-session.ts";
import type { Container, ContainerEngine } from "./container-engine.ts";
import { WarmPool } from "./warm-pool.ts";

export interface ContainerSessionsOptions {
  engine: ContainerEngine;
  /** Is removed at the end. */
  folder: string;
  /** Sessions that are kept ready, and the limits that they have. */
  warm: number;
  limits: SandboxLimits;
}

export class ContainerSessions implements SessionMaker {
  readonly folder: string;
  readonly ended: Promise<Error>;
  readonly #engine: ContainerEngine;
  readonly #pool: WarmPool;
  readonly #containers = new Set<Container>();
  readonly #stopped = Promise.withResolvers<Error>();
  #isStopped = false;
  /** Of the newest session. */
  #walls: Walls | undefined;

  constructor({ engine, folder, warm, limits }: ContainerSessionsOptions) {
    this.folder = folder;
    this.ended = this.#stopped.promise;
    this.#engine = engine;
    this.#pool = new WarmPool({ size: warm, limits, begin: (each) => this.#begin(each) });
  }

  /** Whose kernel the code has found. */
  get kernel(): Walls["kernel"] | undefined {
    return this.#walls?.kernel;
  }

  make(_slot: number, limits: SandboxLimits): Promise<RunnerProcess> {
    return this.#pool.take(limits);
  }

  /** Begins to keep some ready. */
  warmUp(): void {
    this.#pool.open();
  }

  removeAbandoned(): Promise<number> {
    return this.#engine.removeAbandoned();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#pool.stop();
    for (const container of this.#containers) container.kill();
    await Promise.all([...this.#containers].map(({ ended }) => ended));
    await this.#engine.close();
    await rm(this.folder, { recursive: true, force: true });
    this.#stopped.resolve(new Error("The driver was closed"));
  }

  async #begin(limits: SandboxLimits): Promise<RunnerProcess> {
    if (this.#isStopped) throw new Error("The driver was closed");
    const container = await this.#engine.start(limits);
    this.#containers.add(container);
    void container.ended.then(() => this.#containers.delete(container));
    if (this.#isStopped) container.kill();
    return beginContained(container, (walls) => {
      const holes = holesIn(walls, this.#engine.kernel);
      if (holes.length > 0) throw new Error(`The container is not as it should be: ${holes.join(", ")}`);
      this.#walls = walls;
    });
  }
}

function holesIn(walls: Walls, kernel: ContainerEngine["kernel"]): string[] {
  const holes: string[] = [];
  if (kernel === "gvisor" && walls.kernel !== "gvisor") holes.push("its kernel is not gVisor");
  if (walls.root) holes.push("it runs as root");
  if (walls.capabilities) holes.push("it has capabilities");
  if (walls.newPrivileges) holes.push("it may gain privileges");
  if (walls.network.length > 0) holes.push(`it has a network: ${walls.network.join(", ")}`);
  if (walls.writable.length > 0) holes.push(`it can write to ${walls.writable.join(", ")}`);
  return holes;
}
