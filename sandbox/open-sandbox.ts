// Makes the driver that the settings name.
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SandboxDriver } from "./driver.ts";
import { ENVIRONMENTS_FOLDER } from "./environments-folder.ts";
import { LocalDriver } from "./local-driver.ts";
import { NoneDriver } from "./none-driver.ts";
import { findEnvironment } from "./python-environment.ts";

export interface SandboxSettings {
  CODE_INTERPRETER: "local" | "none";
  CODE_INTERPRETER_PYTHON?: string | undefined;
  CODE_INTERPRETER_MAX_SESSIONS: number;
}

/** Starts nothing yet: `probe` or the first session does. */
export function openSandbox(settings: SandboxSettings): SandboxDriver {
  const python = settings.CODE_INTERPRETER_PYTHON;
  if (settings.CODE_INTERPRETER === "none") return new NoneDriver(["CODE_INTERPRETER is none"]);
  if (process.platform !== "linux") {
    return new NoneDriver([`code can be locked in on Linux only, and this is ${process.platform}`]);
  }
  return new LocalDriver({
    findPython: async () => python ?? (await findEnvironment(ENVIRONMENTS_FOLDER)),
    folder: join(tmpdir(), `durable-assistants-sandbox-${process.getuid?.()}`),
    maxSessions: settings.CODE_INTERPRETER_MAX_SESSIONS,
  });
}
