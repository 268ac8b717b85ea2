// Makes the driver that the settings name.
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ContainerDriver } from "./container-driver.ts";
import { openRunsc } from "./containers/runsc-engine.ts";
import { DEFAULT_LIMITS } from "./default-limits.ts";
import type { SandboxDriver } from "./driver.ts";
import { ENVIRONMENTS_FOLDER } from "./environments-folder.ts";
import { LocalDriver } from "./local-driver.ts";
import { NoneDriver } from "./none-driver.ts";
import { findEnvironment } from "./python-environment.ts";

export interface SandboxSettings {
  CODE_INTERPRETER: "local" | "container" | "none";
  CODE_INTERPRETER_PYTHON?: string | undefined;
  CODE_INTERPRETER_MAX_SESSIONS: number;
  CODE_INTERPRETER_ENGINE?: "runsc" | "docker";
  CODE_INTERPRETER_RUNSC?: string;
  CODE_INTERPRETER_IMAGE?: string;
  CODE_INTERPRETER_RUNTIME?: string;
  CODE_INTERPRETER_WARM_SESSIONS?: number;
}

/** Starts nothing yet: `probe` or the first session does. */
export function openSandbox(settings: SandboxSettings): SandboxDriver {
  if (settings.CODE_INTERPRETER === "none") return new NoneDriver(["CODE_INTERPRETER is none"]);
  if (process.platform !== "linux") {
    return new NoneDriver([`code can be locked in on Linux only, and this is ${process.platform}`]);
  }
  return settings.CODE_INTERPRETER === "local" ? openLocal(settings) : openContainers(settings);
}

function openLocal(settings: SandboxSettings): SandboxDriver {
  return new LocalDriver({
    findPython: () => findPython(settings),
    folder: folderFor("sandbox"),
    maxSessions: settings.CODE_INTERPRETER_MAX_SESSIONS,
  });
}

function openContainers(settings: SandboxSettings): SandboxDriver {
  return new ContainerDriver({
    engines: settings.CODE_INTERPRETER_ENGINE === "docker" ? [dockerOf(settings)] : runscOf(settings),
    folder: folderFor("containers"),
    maxSessions: settings.CODE_INTERPRETER_MAX_SESSIONS,
    warm: settings.CODE_INTERPRETER_WARM_SESSIONS ?? 0,
    limits: DEFAULT_LIMITS,
  });
}

function dockerOf({ CODE_INTERPRETER_IMAGE: image, CODE_INTERPRETER_RUNTIME: runtime }: SandboxSettings) {
  return async () => {
    // Its client is large, and most servers have no use for it.
    const { openDocker } = await import("./containers/docker-engine.ts");
    return openDocker({ image: image ?? "durable-assistants-sandbox", runtime: runtime ?? "runsc" });
  };
}

/** With cgroups, which bound the memory of all of a container. Where they cannot be had, without. */
function runscOf(settings: SandboxSettings) {
  const runsc = settings.CODE_INTERPRETER_RUNSC ?? "runsc";
  return [true, false].map(
    (cgroups) => async (folder: string) => openRunsc({ runsc, python: await findPython(settings), folder, cgroups }),
  );
}

async function findPython({ CODE_INTERPRETER_PYTHON: python }: SandboxSettings): Promise<string> {
  return python ?? (await findEnvironment(ENVIRONMENTS_FOLDER));
}

function folderFor(what: string): string {
  return join(tmpdir(), `durable-assistants-${what}-${process.getuid?.()}`);
}
