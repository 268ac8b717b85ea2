// `npm start`: brings everything up with one command and takes it down in order.
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, loadConfig } from "../config.ts";
import { CannotStart } from "./cannot-start.ts";
import { prepareDataFolder } from "./data-folder.ts";
import { endLeftBehind } from "./left-behind.ts";
import { lockFolder } from "./lock.ts";
import { PROJECT_FOLDER } from "./node-child.ts";
import { createParts } from "./parts.ts";
import type { Parts } from "./parts.ts";
import { sayOnTerminal as say } from "./say.ts";
import { startEverything } from "./start-everything.ts";

const ENV_FILE = join(PROJECT_FOLDER, ".env");
const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Ctrl-C reaches us twice, from the terminal and from npm: only a later one means "at once". */
const SAME_WISH_MS = 1000;

const stopping = new AbortController();
let parts: Parts | undefined;
let stoppingSince = 0;

for (const name of STOP_SIGNALS) {
  process.on(name, () => {
    if (!stopping.signal.aborted) {
      stoppingSince = Date.now();
      say(name === "SIGINT" ? "\nStopping. Press Ctrl-C again to stop at once." : "Stopping.");
      stopping.abort();
    } else if (Date.now() - stoppingSince > SAME_WISH_MS) {
      parts?.killAll();
      process.exit(1);
    }
  });
}

// A terminal that was closed must not keep us from stopping in order.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

try {
  await run(stopping.signal);
} catch (error) {
  if (!stopping.signal.aborted) {
    console.error(error instanceof CannotStart || error instanceof ConfigError ? `\n${error.message}\n` : error);
    process.exitCode = 1;
  }
}

/** Resolves when everything was stopped again. */
async function run(signal: AbortSignal): Promise<void> {
  if (existsSync(ENV_FILE)) process.loadEnvFile(ENV_FILE); // what is set already stays
  const config = loadConfig();
  const dataDir = prepareDataFolder(config.DATA_DIR);
  const lock = lockFolder(dataDir);
  try {
    await endLeftBehind(lock.leftBehind, dataDir, say);
    parts = createParts({ lock, say, signal });
    try {
      say(await startEverything({ config, dataDir, parts, say }));
      await once(signal, "abort");
    } finally {
      await parts.stopAll();
    }
  } finally {
    lock.release();
  }
  say("Stopped.");
}
