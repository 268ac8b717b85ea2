// Tries out a jail, by code in it that tries to get out.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SANDBOX_SESSION_START_MS } from "../contract/limits.ts";
import { DEFAULT_LIMITS } from "./default-limits.ts";
import { RunnerSession } from "./runner-session.ts";
import { SandboxCrashed, wasShot } from "./sandbox-error.ts";
import type { SessionMaker } from "./session-maker.ts";

const PROGRAM = join(import.meta.dirname, "runner/self_test.py");

/** What code in the jail can do and should not, in words. Empty when it holds. */
export async function findHoles(maker: SessionMaker, limits = DEFAULT_LIMITS): Promise<string[]> {
  const file = join(maker.folder, "self-test");
  await writeFile(file, "secret", { mode: 0o644 });
  const given = { file, server: process.pid };
  const session = new RunnerSession("self-test", limits, await maker.make(0, limits));
  try {
    const code = `given = ${JSON.stringify(given)}\n${await readFile(PROGRAM, "utf8")}`;
    const lines = await printedBy(session, code);
    if (wasShot(session.loss)) throw new SandboxCrashed("The trial of the jail was killed");
    if (lines.at(-1) !== "tried all")
      throw new Error(`The trial of the jail did not come to its end: ${lines.join(", ")}`);
    return lines.slice(0, -1);
  } finally {
    await session.destroy();
  }
}

async function printedBy(session: RunnerSession, code: string): Promise<string[]> {
  let text = "";
  for await (const event of session.exec(code, { timeoutMs: SANDBOX_SESSION_START_MS })) {
    if (event.type === "logs") text += event.text;
    if (event.type === "done" && event.status !== "ok") text += `${event.status} ${event.traceback ?? event.loss}`;
  }
  return text.trimEnd().split("\n");
}
