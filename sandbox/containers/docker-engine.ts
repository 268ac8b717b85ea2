// Containers of a Docker Engine, or of what speaks its API, on this machine or another one.
import { once } from "node:events";
import { hostname } from "node:os";
import { PassThrough } from "node:stream";
import type { Duplex } from "node:stream";
import Docker from "dockerode";
import { SANDBOX_CONTAINER_BYTES, SANDBOX_CONTAINER_TASKS, SANDBOX_STOP_MS } from "../../contract/limits.ts";
import type { SandboxLimits } from "../driver.ts";
import { contained, DATA, memoryOf, TEMPORARY, USER } from "./contained-program.ts";
import type { Container, ContainerEnd, ContainerEngine } from "./container-engine.ts";
import { identify, isAlive } from "../driver-folder.ts";
import { takeApart } from "./multiplexed.ts";

export interface DockerOptions {
  image: string;
  /** A name that the engine knows. What is not called as one that shares the machine's kernel has to be gVisor. */
  runtime: string;
  /** Path of a UNIX socket. Without it DOCKER_HOST and its like say where the engine is. */
  socketPath?: string;
}

const SHARED_KERNEL = new Set(["runc", "crun", "io.containerd.runc.v2"]);
/** Which process of which machine a container belongs to. */
const OWNER = "durable-assistants.sandbox.owner";
const HOST = "durable-assistants.sandbox.host";
/** In the image, see the Dockerfile. */
const PYTHON = "/opt/code-interpreter/bin/python";
/** Docker mounts the kernel's message queues, in which every user may make one. gVisor has none. */
const NO_QUEUES = { "/dev/mqueue": "ro,nosuid,nodev,noexec,size=4096,mode=0755" };
const LOW_SHARES = 512;
/** In seconds. A container that was made and not started for so long belongs to a driver that was killed in between. */
const MAX_START_SECONDS = 600;

export async function openDocker(options: DockerOptions): Promise<DockerEngine> {
  const docker = new Docker(options.socketPath === undefined ? {} : { socketPath: options.socketPath });
  await docker.ping().catch((cause: Error) => {
    throw new Error(`There is no container engine: ${cause.message}`, { cause });
  });
  await docker
    .getImage(options.image)
    .inspect()
    .catch((cause: Error) => {
      throw new Error(`The container engine has no image ${options.image}: ${cause.message}`, { cause });
    });
  return new DockerEngine(docker, options, await identify(process.pid));
}

export class DockerEngine implements ContainerEngine {
  readonly kernel: "gvisor" | "any";
  readonly #docker: Docker;
  readonly #options: DockerOptions;
  readonly #owner: string;

  constructor(docker: Docker, options: DockerOptions, owner: string) {
    this.#docker = docker;
    this.#options = options;
    this.#owner = owner;
    this.kernel = SHARED_KERNEL.has(options.runtime) ? "any" : "gvisor";
  }

  async start(limits: SandboxLimits): Promise<Container> {
    const container = await this.#docker.createContainer(this.#describe(limits));
    try {
      const attached = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
      const stream = attached as Duplex;
      const [output, reports] = [new PassThrough(), new PassThrough()];
      const said = takeApart(stream, output, reports);
      // Asked for before it starts: one that ends soon is soon gone.
      const ended = container.wait({ condition: "removed" }).then(toEnd, () => ({ wasKilled: false }));
      await container.start();
      return {
        input: stream,
        output,
        reports,
        ended: ended.finally(() => letGo(stream, said)),
        kill: () => void kill(container, stream),
      };
    } catch (error) {
      await container.remove({ force: true }).catch(() => {}); // it has removed itself
      throw error;
    }
  }

  /** Their containers end and are removed when nobody is at their line any more. These are those that had none yet. */
  async removeAbandoned(): Promise<number> {
    const all = await this.#docker.listContainers({ all: true, filters: { label: [OWNER] } });
    let removed = 0;
    for (const { Id, Labels, State, Created } of all) {
      const isGone = Labels[HOST] === hostname() && !(await isAlive(Labels[OWNER] ?? ""));
      const isForgotten = State === "created" && Date.now() / 1000 - Created > MAX_START_SECONDS;
      if (!isGone && !isForgotten) continue;
      await this.#docker
        .getContainer(Id)
        .remove({ force: true })
        .catch(() => {}); // it is being removed
      removed += 1;
    }
    return removed;
  }

  async close(): Promise<void> {}

  #describe(limits: SandboxLimits): Docker.ContainerCreateOptions {
    const { args, env } = contained(PYTHON, limits);
    const memory = memoryOf(limits, SANDBOX_CONTAINER_BYTES);
    const confined = `rw,nosuid,nodev,noexec,size=${limits.diskBytes},mode=0700,uid=${USER},gid=${USER}`;
    return {
      Image: this.#options.image,
      Entrypoint: args.slice(0, 1),
      Cmd: args.slice(1),
      Env: env,
      User: `${USER}:${USER}`,
      WorkingDir: "/",
      Hostname: "sandbox",
      Labels: { [OWNER]: this.#owner, [HOST]: hostname() },
      // When we are gone, it reads the end of its input.
      OpenStdin: true,
      StdinOnce: true,
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      NetworkDisabled: true,
      HostConfig: {
        AutoRemove: true,
        Runtime: this.#options.runtime,
        NetworkMode: "none",
        IpcMode: "none",
        ReadonlyRootfs: true,
        Tmpfs: { [DATA]: confined, [TEMPORARY]: confined, ...(this.kernel === "any" ? NO_QUEUES : {}) },
        Memory: memory,
        MemorySwap: memory,
        PidsLimit: limits.threads + SANDBOX_CONTAINER_TASKS,
        CpuShares: LOW_SHARES,
        CapDrop: ["ALL"],
        SecurityOpt: ["no-new-privileges"],
        Ulimits: [{ Name: "core", Soft: 0, Hard: 0 }],
        LogConfig: { Type: "none", Config: {} },
      },
    };
  }
}

const KILLED_EXIT_CODE = 128 + 9;

function toEnd({ StatusCode }: { StatusCode: number }): ContainerEnd {
  return { wasKilled: StatusCode === KILLED_EXIT_CODE };
}

/** An engine keeps a container for as long as somebody does not read what it has said. */
async function kill(container: Docker.Container, stream: Duplex): Promise<void> {
  stream.destroy();
  await container.kill().catch(() => {}); // it has ended already
}

/** What it said last may be on its way still, and what nobody reads would be for good. */
async function letGo(stream: Duplex, said: Promise<void>): Promise<void> {
  const timer = setTimeout(() => stream.destroy(), SANDBOX_STOP_MS);
  await said;
  clearTimeout(timer);
  if (!stream.destroyed) {
    stream.destroy();
    await once(stream, "close");
  }
}
