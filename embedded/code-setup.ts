// The Python in which Code Interpreter's code runs. The first start makes it in the background: it takes a minute or two, and
// nothing else needs it.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Config } from "../config.ts";
import { ENVIRONMENTS_FOLDER } from "../sandbox/environments-folder.ts";
import { findEnvironment } from "../sandbox/python-environment.ts";
import { SandboxUnavailable } from "../sandbox/sandbox-error.ts";
import { PROJECT_FOLDER } from "./node-child.ts";
import type { Say } from "./say.ts";

export interface CodeSetup {
  config: Pick<Config, "CODE_INTERPRETER" | "CODE_INTERPRETER_PYTHON">;
  say: Say;
  /** Ends a set-up that is under way; the next start begins it again. */
  signal: AbortSignal;
}

/** Says in words whether code can be run, and makes its Python in the background when there is none yet. */
export async function setUpCode({ config, say, signal }: CodeSetup): Promise<string> {
  if (config.CODE_INTERPRETER === "none") return "off: CODE_INTERPRETER is none";
  if (process.platform !== "linux") return "off: code can be locked in on Linux only";
  if (config.CODE_INTERPRETER_PYTHON !== undefined) return `with ${config.CODE_INTERPRETER_PYTHON}`;
  try {
    await findEnvironment(ENVIRONMENTS_FOLDER);
    return "ready";
  } catch (error) {
    if (!(error instanceof SandboxUnavailable)) throw error;
    makeEnvironment(say, signal);
    return "its Python is being set up; until then a run that needs it fails";
  }
}

function makeEnvironment(say: Say, signal: AbortSignal): void {
  const child = spawn(process.execPath, [join(PROJECT_FOLDER, "sandbox/setup/main.ts")], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // with whatever it starts it is one group, which ends together
  });
  const end = () => {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  };
  signal.addEventListener("abort", end, { once: true });
  child.once("exit", () => signal.removeEventListener("abort", end));
  child.once("error", (error) => say(`Code Interpreter: it cannot be set up: ${error.message}`));
  for (const output of [child.stdout, child.stderr]) {
    createInterface({ input: output }).on("line", (line) => say(`Code Interpreter: ${line}`));
  }
}
