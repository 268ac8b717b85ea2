// A Python that has the official SDK: a virtual environment in .cache, which is made when it is first asked for.
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { PROJECT_FOLDER } from "../../../embedded/node-child.ts";

const run = promisify(execFile);
const REQUIREMENTS = join(PROJECT_FOLDER, "test/api/python/requirements.txt");
const CACHE = join(PROJECT_FOLDER, ".cache");
/** The oldest Python that the SDK runs on. */
const IS_NEW_ENOUGH = "import sys; sys.exit(sys.version_info < (3, 10))";

/** Path of the interpreter, or undefined when the machine has no python3 that the SDK runs on. */
export async function findPython(): Promise<string | undefined> {
  const environment = join(CACHE, `python-${sdkVersion()}`);
  const python = interpreterOf(environment);
  // Only complete environments are at this place; one whose python3 has left the machine is a dangling link.
  if (existsSync(python)) return python;
  const isThere = await run("python3", ["-c", IS_NEW_ENOUGH]).then(
    () => true,
    () => false,
  );
  if (!isThere) return undefined;
  await makeEnvironment(environment);
  return python;
}

/** Made beside its place and then moved there, so that whatever interrupts it leaves nothing half-made in the place. */
async function makeEnvironment(environment: string): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const making = mkdtempSync(`${environment}-`);
  try {
    await run("python3", ["-m", "venv", making]);
    await run(interpreterOf(making), ["-m", "pip", "install", "--quiet", "--requirement", REQUIREMENTS]);
    if (existsSync(interpreterOf(environment))) return; // another test run was faster, and may be using it
    rmSync(environment, { recursive: true, force: true });
    renameSync(making, environment);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}

function interpreterOf(environment: string): string {
  return join(environment, "bin", "python");
}

function sdkVersion(): string {
  const version = /^openai==(\S+)$/m.exec(readFileSync(REQUIREMENTS, "utf8"))?.[1];
  if (version === undefined) throw new Error(`${REQUIREMENTS} does not pin openai`);
  return version;
}
