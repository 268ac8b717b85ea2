// Finds a Temporal CLI that is new enough, or gets one: a download where the internet is open, else a build with Go.
// What was got is kept per user, so that the next clone of the project finds it.
import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { CannotStart } from "./cannot-start.ts";
import type { Say } from "./say.ts";
import { buildTemporalCli, downloadTemporalCli } from "./temporal-cli-sources.ts";
import type { SourceOptions } from "./temporal-cli-sources.ts";

/** Server 1.29 comes with CLI 1.5, the first that has all that we use. A CLI built with Go knows only its server's version. */
const OLDEST_SERVER = { major: 1, minor: 29 };
const OLDEST_CLI = "1.5";

const CACHE_FOLDER = join(homedir(), ".cache", "durable-assistants");

/** Where the installers of Temporal and Go put it, whether or not the PATH names these folders. */
const USUAL_FOLDERS = [join(homedir(), ".temporalio", "bin"), join(homedir(), "go", "bin")];

export interface FindOptions {
  /** Path given by the user; then no other is looked at. */
  configured?: string | undefined;
  /** Folders to look in, in this order. */
  searchPath?: string[];
  cacheDir?: string;
  /** Ways to get one when none is there, tried in this order. */
  sources?: ((options: SourceOptions) => Promise<string>)[];
  say: Say;
  signal?: AbortSignal;
}

/** Resolves to the path of a usable Temporal CLI. May take minutes the first time, and says what it does. */
export async function findTemporalCli(options: FindOptions): Promise<string> {
  const { searchPath = [...pathFolders(), ...USUAL_FOLDERS], cacheDir = CACHE_FOLDER } = options;
  const { configured, sources = [downloadTemporalCli, buildTemporalCli], say, signal } = options;
  if (configured !== undefined) {
    const version = await serverVersionOf(configured);
    if (version !== undefined && isNewEnough(version)) return configured;
    throw new CannotStart(
      `TEMPORAL_CLI is ${configured}, which is ${version ? `too old (it has server ${version})` : "not a Temporal CLI"}. Version ${OLDEST_CLI} or newer is needed.`,
    );
  }

  for (const folder of [...searchPath, cacheDir]) {
    const cli = join(folder, "temporal");
    const version = await serverVersionOf(cli);
    if (version === undefined) continue;
    if (isNewEnough(version)) return cli;
    say(
      `The Temporal CLI at ${cli} is too old (it has server ${version}); version ${OLDEST_CLI} or newer is needed. Looking further.`,
    );
  }

  const failures: string[] = [];
  for (const obtain of sources) {
    try {
      return await obtain({ cacheDir, say, ...(signal ? { signal } : {}) });
    } catch (error) {
      signal?.throwIfAborted();
      failures.push((error as Error).message);
      say(`  ${(error as Error).message}`);
    }
  }
  throw new CannotStart(
    "There is no Temporal CLI, and it could not be got:\n" +
      failures.map((failure) => `  - ${failure}\n`).join("") +
      "Install it (https://docs.temporal.io/cli#install, or: brew install temporal) and start again, or set TEMPORAL_CLI to its path,\n" +
      "or set TEMPORAL_ADDRESS to a Temporal server that already runs.",
  );
}

/** The version of the server inside the CLI, such as "1.29.1"; undefined when there is no working CLI at that path. */
async function serverVersionOf(cli: string): Promise<string | undefined> {
  try {
    await access(cli, constants.X_OK);
    const { stdout } = await promisify(execFile)(cli, ["--version"], { timeout: 20_000 });
    return /\(Server (\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > OLDEST_SERVER.major || (major === OLDEST_SERVER.major && minor >= OLDEST_SERVER.minor);
}

function pathFolders(): string[] {
  return (process.env["PATH"] ?? "").split(":").filter((folder) => folder !== "");
}
