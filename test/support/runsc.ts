// gVisor's runsc for tests: the one on the PATH or in RUNSC, or else one that is built from the Go proxy, once, into the cache.
import { execFile } from "node:child_process";
import { access, mkdir, mkdtemp, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { ENVIRONMENTS_FOLDER } from "../../sandbox/environments-folder.ts";
import { waitUntil } from "./wait-until.ts";

/** The version that everything here is tried with. */
const VERSION = "v0.0.0-20260905035102-160fafc42237";
const PACKAGE = `gvisor.dev/gvisor/runsc@${VERSION}`;
const BUILD_MS = 900_000;
const run = promisify(execFile);

export type FoundRunsc = { runsc: string } | { missing: string };

let found: Promise<FoundRunsc> | undefined;

/** Where it is, or why there is none. */
export function findRunsc(): Promise<FoundRunsc> {
  found ??= find();
  return found;
}

async function find(): Promise<FoundRunsc> {
  if (process.platform !== "linux") return { missing: "gVisor runs on Linux only" };
  for (const runsc of [process.env["RUNSC"] ?? "runsc", "runsc"])
    if (await works(runsc, ["--version"])) return { runsc };
  const runsc = join(ENVIRONMENTS_FOLDER, `runsc-${VERSION}`);
  if (await isThere(runsc)) return { runsc };
  if (!(await works("go", ["version"])))
    return { missing: "there is no runsc on the PATH, and no Go that could build it" };
  try {
    await buildOnce(runsc);
    return { runsc };
  } catch (error) {
    return { missing: `runsc cannot be built: ${(error as Error).message.trim().split("\n").at(-1)}` };
  }
}

/** Test files run side by side: one builds, the others wait. */
async function buildOnce(runsc: string): Promise<void> {
  await mkdir(ENVIRONMENTS_FOLDER, { recursive: true });
  const lock = `${runsc}.lock`;
  const mine = await waitUntil(
    "runsc is built, or we may build it",
    async () => (await isThere(runsc)) || (await claim(lock)),
    BUILD_MS,
  );
  if (mine !== "claimed") return;
  const folder = await mkdtemp(`${runsc}-`);
  try {
    // With cgo it could not start itself again.
    const env = { ...process.env, CGO_ENABLED: "0", GOBIN: folder };
    await run("go", ["install", PACKAGE], { env, timeout: BUILD_MS });
    await rename(join(folder, "runsc"), runsc);
  } finally {
    await rm(folder, { recursive: true, force: true });
    await rm(lock, { force: true });
  }
}

async function claim(lock: string): Promise<"claimed" | false> {
  try {
    const file = await open(lock, "wx");
    await file.writeFile(`${process.pid}`);
    await file.close();
    return "claimed";
  } catch {
    const pid = Number(await readFile(lock, "utf8").catch(() => ""));
    if (pid > 0 && !(await isThere(`/proc/${pid}`))) await rm(lock, { force: true });
    return false;
  }
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function works(program: string, args: readonly string[]): Promise<boolean> {
  return run(program, [...args]).then(
    () => true,
    () => false,
  );
}
