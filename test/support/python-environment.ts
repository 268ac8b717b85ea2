// Pythons that have an official SDK, or another tool of the tests: virtual environments in .cache, one for each file of requirements, which are made
// when they are first asked for.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { PROJECT_FOLDER } from "../../embedded/node-child.ts";

const run = promisify(execFile);
/** The newest SDK, which most tests use. */
export const NEWEST_SDK = join(PROJECT_FOLDER, "test/api/python/requirements.txt");
const CACHE = join(PROJECT_FOLDER, ".cache");
/** Prints the version, such as 3.11, of a Python that all of them run on. */
const PRINT_VERSION =
  "import sys; print('%d.%d' % sys.version_info[:2]) if sys.version_info >= (3, 10) else sys.exit(1)";

/**
 * Path of an interpreter that has what the file asks for, or undefined when the machine has no python3 of version 3.10
 * or newer. Throws when it cannot be installed, or does not work once it is.
 */
export async function findPython(requirements = NEWEST_SDK, loads: Loads = mainModule): Promise<string | undefined> {
  const version = await run("python3", ["-c", PRINT_VERSION]).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
  if (version === undefined) return undefined;
  const { name, version: release } = mainPackage(requirements);
  const content = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 8);
  const environment = join(CACHE, `python-${version}-${name}-${release}-${content}`);
  // Only complete environments are at this place; one whose python3 has left the machine is a dangling link.
  if (!existsSync(interpreterOf(environment))) await makeEnvironment(environment, requirements, loads);
  return interpreterOf(environment);
}

/** The Python module that has to load when an environment is made. */
type Loads = (requirements: string) => string;
const mainModule: Loads = (requirements) => mainPackage(requirements).name.replaceAll("-", "_");

/** The first package that the file pins: what it is there for. */
export function mainPackage(requirements: string): { name: string; version: string } {
  const [, name, version] = /^([a-z-]+)==(\S+)$/m.exec(readFileSync(requirements, "utf8")) ?? [];
  if (name === undefined || version === undefined) throw new Error(`${requirements} pins nothing`);
  return { name, version };
}

/** Made beside its place and then moved there, so that whatever interrupts it leaves nothing half-made in the place. */
async function makeEnvironment(environment: string, requirements: string, loads: Loads): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const making = mkdtempSync(`${environment}-`);
  const python = interpreterOf(making);
  try {
    await run("python3", ["-m", "venv", making]);
    await run(python, [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--disable-pip-version-check",
      "--requirement",
      requirements,
    ]);
    // A Python that is newer than the package may not load it.
    await run(python, ["-W", "ignore", "-c", `import ${loads(requirements)}`]);
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
