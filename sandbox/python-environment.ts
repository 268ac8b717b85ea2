// The Python in which code runs: an environment with the libraries of setup/requirements.txt, which `npm run sandbox:setup` makes.
// One for each version of Python and each list of libraries, in a folder that is complete or not there.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  access,
  constants,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  unlink,
} from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { SandboxUnavailable } from "./sandbox-error.ts";

const run = promisify(execFile);

export const REQUIREMENTS = join(import.meta.dirname, "setup/requirements.txt");
const OLDEST_PYTHON = "3.10";
/** Prints its version, such as 3.11, unless it is too old. */
const PRINT_VERSION =
  "import sys; print('%d.%d' % sys.version_info[:2]) if sys.version_info >= (3, 10) else sys.exit(1)";
const COMMANDS = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];
/** Loading all of it once finds what does not work here. */
const TRY_OUT = "import matplotlib.pyplot, numpy, openpyxl, pandas, PIL, scipy.stats, seaborn, sklearn, sympy";
/** A set-up takes minutes. */
const UNFINISHED_MS = 6 * 3600_000;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

export interface Installed {
  python: string;
  /** Such as 3.11. */
  version: string;
}

/** The path of the interpreter of the environment in this folder. Throws `SandboxUnavailable` when there is none. */
export async function findEnvironment(folder: string, requirements = REQUIREMENTS): Promise<string> {
  const name = await nameOf(await findPython(), requirements);
  const python = await interpreterOf(join(folder, name));
  if (python !== undefined) return python;
  throw new SandboxUnavailable([
    "Python's libraries are not installed yet: `npm start` does it in its first minutes, and npm run sandbox:setup",
  ]);
}

/** The first Python on the PATH that is new enough. Throws `SandboxUnavailable`. */
export async function findPython(commands: readonly string[] = COMMANDS): Promise<Installed> {
  for (const python of commands) {
    const version = await run(python, ["-I", "-c", PRINT_VERSION]).then(
      ({ stdout }) => stdout.trim(),
      () => undefined,
    );
    if (version !== undefined) return { python, version };
  }
  throw new SandboxUnavailable([`there is no Python ${OLDEST_PYTHON} or newer on the PATH`]);
}

export interface Making {
  folder: string;
  say: (line: string) => void;
  /** Names or paths of Pythons, of which the first that will do is taken. */
  commands?: readonly string[];
  requirements?: string;
  /** Given to the new interpreter to see whether it works. */
  tryOut?: string;
}

/**
 * Makes the environment, unless it is there, and returns its interpreter. It is made beside its place and takes it when it is
 * complete, so whatever ends this leaves nothing half made, and several at once are no harm.
 */
export async function makeEnvironment(making: Making): Promise<string> {
  const { folder, say, commands = COMMANDS, requirements = REQUIREMENTS, tryOut = TRY_OUT } = making;
  const installed = await findPython(commands);
  const name = await nameOf(installed, requirements);
  const place = join(folder, name);
  const there = await interpreterOf(place);
  if (there !== undefined) return there;
  await mkdir(folder, { recursive: true });
  await removeUnfinished(folder, name);
  // The folder of an environment cannot be moved: its programs know their path. So a link takes the place.
  const made = await mkdtemp(join(folder, `${name}-`));
  try {
    say(`Making an environment with Python ${installed.version} in ${made}`);
    await makeEmpty(installed, made);
    say("Installing libraries. This takes a minute or two.");
    await install(made, requirements);
    say("Trying them out.");
    await run(programOf(made), ["-I", "-c", tryOut], { env: { MPLCONFIGDIR: join(made, "cache") } });
    await run("chmod", ["-R", "go+rX", made]); // sessions may be users of their own
    return await takePlace(made, place);
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    throw error;
  }
}

async function makeEmpty({ python }: Installed, folder: string): Promise<void> {
  await run(python, ["-m", "venv", folder]).catch((error: Error & { stdout?: string; stderr?: string }) => {
    const said = `${error.stdout ?? ""}${error.stderr ?? ""}`.trim();
    throw new SandboxUnavailable(
      [`Python's venv does not work (on Debian and Ubuntu: apt install python3-venv): ${said}`],
      { cause: error },
    );
  });
}

/** Nothing is built: what a package would run for that is not run. Every file has to be the one that was pinned. */
async function install(environment: string, requirements: string): Promise<void> {
  const options = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:"];
  await run(programOf(environment), ["-m", "pip", "install", ...options, "--requirement", requirements], {
    maxBuffer: MAX_OUTPUT_BYTES,
  }).catch((error: Error & { stderr?: string }) => {
    throw new SandboxUnavailable([`Libraries could not be installed: ${(error.stderr ?? error.message).trim()}`], {
      cause: error,
    });
  });
}

/** The interpreter of whichever environment has it. */
async function takePlace(made: string, place: string): Promise<string> {
  const other = await interpreterOf(place);
  if (other !== undefined) {
    await rm(made, { recursive: true, force: true });
    return other;
  }
  const link = `${made}.link`;
  await symlink(made, link);
  try {
    await rename(link, place);
  } finally {
    await unlink(link).catch(() => {});
  }
  return programOf(made);
}

/** What a set-up has left that was killed. One that is still at work is younger. */
async function removeUnfinished(folder: string, name: string): Promise<void> {
  for (const entry of await readdir(folder)) {
    const path = join(folder, entry);
    const isOld = async () => Date.now() - (await stat(path)).mtimeMs > UNFINISHED_MS;
    if (entry.startsWith(`${name}-`) && (await isOld())) await rm(path, { recursive: true, force: true });
  }
}

async function nameOf({ version }: Installed, requirements: string): Promise<string> {
  const content = createHash("sha256")
    .update(await readFile(requirements))
    .digest("hex")
    .slice(0, 8);
  return `code-interpreter-${version}-${content}`;
}

/** Of a complete environment, by its real path. */
async function interpreterOf(place: string): Promise<string | undefined> {
  try {
    const python = programOf(await realpath(place));
    await access(python, constants.X_OK);
    return python;
  } catch {
    return undefined;
  }
}

function programOf(environment: string): string {
  return join(environment, "bin", "python");
}
