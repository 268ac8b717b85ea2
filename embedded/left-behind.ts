// Ends what a previous start left running because it was killed before it could stop its parts.
import { setTimeout as sleep } from "node:timers/promises";
import type { Parts } from "./lock.ts";
import { signalGroup } from "./managed-process.ts";
import { isRunning } from "./process-info.ts";
import type { Say } from "./say.ts";

const END_TIMEOUT_MS = 10_000;
const POLL_MS = 50;

/** Ends the processes that really belong to `dataDir` (their command line names it); others have only inherited the number. */
export async function endLeftBehind(leftBehind: Parts, dataDir: string, say: Say): Promise<void> {
  const ours = Object.entries(leftBehind).filter(([, pid]) => isRunning(pid, dataDir));
  if (ours.length === 0) return;
  say(
    `The last start was killed and left ${ours.map(([part, pid]) => `${part} (process ${pid})`).join(", ")} running. Ending it.`,
  );
  await Promise.all(ours.map(([part, pid]) => end(part, pid, dataDir)));
}

async function end(part: string, pid: number, dataDir: string): Promise<void> {
  signal(pid, part === "Postgres" ? "SIGINT" : "SIGTERM"); // SIGTERM would make Postgres wait for its clients
  const deadline = Date.now() + END_TIMEOUT_MS;
  while (isRunning(pid, dataDir)) {
    if (Date.now() > deadline) return signalGroup(pid, "SIGKILL");
    await sleep(POLL_MS);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
