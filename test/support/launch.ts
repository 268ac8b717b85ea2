// Runs `npm start` for real, in a folder of the test's and on free ports.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { isRunning } from "../../embedded/process-info.ts";
import type { Parts } from "../../embedded/lock.ts";
import { waitUntil } from "./wait-until.ts";

const MAIN = fileURLToPath(new URL("../../embedded/main.ts", import.meta.url));
export const START_MS = 60_000;
export const STOP_MS = 60_000;

/** Settings that are empty count as not set, and keep a developer's own .env out of the test. */
const SETTINGS = {
  CODE_INTERPRETER: "none", // its Python takes minutes to make, and is made by the tests that need it
  HOST: "127.0.0.1",
  PORT: "0",
  EMBEDDED_POSTGRES_PORT: "0",
  EMBEDDED_TEMPORAL_PORT: "0",
  EMBEDDED_TEMPORAL_UI_PORT: "0",
  EMBEDDED_MODEL_PORT: "0",
  DATABASE_URL: "",
  TEMPORAL_ADDRESS: "",
  OPENAI_API_KEY: "",
  OPENAI_BASE_URL: "",
  EMBEDDINGS_BASE_URL: "",
  EMBEDDINGS_API_KEY: "",
  MODELS_FILE: "",
  BOOTSTRAP_API_KEY: "",
};

/** What a test does with the server of one data folder. */
export function createLauncher(dataDir: string) {
  /** Starts the server without waiting for anything. */
  function launch(settings: Record<string, string> = {}) {
    const env = { ...process.env, ...SETTINGS, DATA_DIR: dataDir, ...settings };
    const child = spawn(process.execPath, [MAIN], { cwd: tmpdir(), env });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    after(() => child.kill("SIGTERM")); // a test that failed
    const exited = once(child, "exit") as Promise<[number | null]>;
    return { child, exited, output: () => output };
  }

  /** Starts the server and resolves when it says that it is ready. Throws with its output when it ends first. */
  async function launchUntilReady(settings: Record<string, string> = {}) {
    const { child, exited, output } = launch(settings);
    const ended = () => child.exitCode !== null || child.signalCode !== null;
    await waitUntil("it is ready or has ended", () => output().includes("is ready.") || ended(), START_MS);
    const baseURL = /API +(\S+\/v1)/.exec(output())?.[1];
    if (baseURL === undefined) throw new Error(output());
    async function stop(signal: "SIGINT" | "SIGTERM"): Promise<number | null> {
      child.kill(signal);
      await waitUntil("it has ended", ended, STOP_MS);
      return child.exitCode;
    }
    return { child, exited, output, baseURL, stop };
  }

  return {
    launch,
    launchUntilReady,
    /** The API key that the first start has made. */
    keptKey: () => readFileSync(join(dataDir, "api-key"), "utf8").trim(),
    /** The processes that the server has started, by name. */
    runningParts: () => (JSON.parse(readFileSync(join(dataDir, "running.json"), "utf8")) as { parts: Parts }).parts,
    /** Those of the processes that have not ended. */
    stillRunning: (parts: Parts) => Object.keys(parts).filter((part) => isRunning(parts[part] as number, dataDir)),
  };
}
