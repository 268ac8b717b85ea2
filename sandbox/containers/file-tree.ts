// The file tree of a container that is made without an image: Python and its libraries as this machine has them, to be read only.
import { execFile } from "node:child_process";
import { mkdir, readlink, realpath, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { DATA, RUNNER, TEMPORARY } from "./contained-program.ts";

const RUNNER_HERE = join(import.meta.dirname, "../runner");
const EMPTY = ["/proc", "/dev", "/sys", DATA, TEMPORARY];

export interface Shown {
  source: string;
  destination: string;
}

/** Makes in `root` the places where something is mounted, and returns what that is. */
export async function makeFileTree(root: string, python: string): Promise<Shown[]> {
  const shown: Shown[] = [];
  const paths = await readablePaths(python);
  for (const path of paths) {
    const real = await realpath(path).catch(() => undefined);
    if (real === undefined) continue;
    await mkdir(dirname(root + path), { recursive: true });
    if (real !== path && paths.some((each) => real.startsWith(`${each}/`))) {
      await symlink(await readlink(path), root + path);
      continue;
    }
    if ((await stat(real)).isDirectory()) await mkdir(root + path, { recursive: true });
    else await writeFile(root + path, "");
    shown.push({ source: real, destination: path });
  }
  for (const path of [...EMPTY, RUNNER]) await mkdir(root + path, { recursive: true });
  return [...shown, { source: RUNNER_HERE, destination: RUNNER }];
}

async function readablePaths(python: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)(python, ["-I", "-B", join(RUNNER_HERE, "readable.py")], { env: {} });
  return z.array(z.string()).parse(JSON.parse(stdout));
}
