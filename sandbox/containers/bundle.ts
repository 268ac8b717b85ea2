// What an OCI runtime is told of a container: the bounds and walls in the words of its specification.
import type { SandboxLimits } from "../driver.ts";
import { SANDBOX_CONTAINER_BYTES, SANDBOX_CONTAINER_TASKS } from "../../contract/limits.ts";
import { contained, DATA, memoryOf, TEMPORARY, USER } from "./contained-program.ts";
import type { Shown } from "./file-tree.ts";

export interface Bundle {
  root: string;
  python: string;
  shown: readonly Shown[];
  limits: SandboxLimits;
  preload: readonly string[] | undefined;
  /** Where its cgroup is, if it gets one. */
  cgroup: string | undefined;
}

const LOW_SHARES = 512;
const CONFINED = ["nosuid", "nodev", "noexec"];

export function describeBundle({ root, python, shown, limits, preload, cgroup }: Bundle): object {
  return {
    ociVersion: "1.0.0",
    hostname: "sandbox",
    root: { path: root, readonly: true },
    process: {
      ...contained(python, limits, preload),
      cwd: "/",
      user: { uid: USER, gid: USER },
      capabilities: {},
      noNewPrivileges: true,
      rlimits: [{ type: "RLIMIT_CORE", soft: 0, hard: 0 }],
    },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "nodev", "noexec"] },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "noexec"] },
      ...shown.map(({ source, destination }) => ({
        source,
        destination,
        type: "bind",
        options: ["ro", "rbind", "nosuid", "nodev"],
      })),
      ...[DATA, TEMPORARY].map((destination) => ({
        destination,
        type: "tmpfs",
        source: "tmpfs",
        options: [...CONFINED, `size=${limits.diskBytes}`, "mode=700", `uid=${USER}`, `gid=${USER}`],
      })),
    ],
    linux: {
      namespaces: ["pid", "network", "ipc", "uts", "mount"].map((type) => ({ type })),
      ...(cgroup === undefined ? {} : { cgroupsPath: cgroup, resources: resourcesOf(limits) }),
    },
  };
}

function resourcesOf(limits: SandboxLimits): object {
  const limit = memoryOf(limits, SANDBOX_CONTAINER_BYTES);
  return {
    memory: { limit, swap: limit },
    pids: { limit: limits.threads + SANDBOX_CONTAINER_TASKS },
    cpu: { shares: LOW_SHARES },
  };
}
