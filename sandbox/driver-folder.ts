// The folder of a driver, whose name says which process it belongs to: so another one can tell whether it is still in use.
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

const NAME = /^driver-(\d+-\d+)-/;
const OTHERS_WRITE = 0o022;
/** Of /proc/PID/stat, after the name of the program: when the process has begun. */
const START_FIELD = 19;

/** Makes ours, anew. */
export async function makeDriverFolder(parent: string): Promise<string> {
  await mkdir(parent, { recursive: true, mode: 0o711 });
  await checkIsOurs(parent);
  const folder = await mkdtemp(join(parent, `driver-${await identify(process.pid)}-`));
  await chmod(folder, 0o711); // sessions may be users of their own, and find their files in it
  return folder;
}

/** A folder for temporary files is everybody's: somebody else may have made ours. */
export async function checkIsOurs(folder: string): Promise<void> {
  const { uid, mode } = await lstat(folder);
  if (uid !== process.getuid?.() || (mode & OTHERS_WRITE) !== 0) throw new Error(`${folder} belongs to somebody else`);
}

/** Those whose process is gone. */
export async function findAbandoned(parent: string): Promise<string[]> {
  const abandoned: string[] = [];
  for (const name of await readdir(parent)) if (!(await isOwned(name))) abandoned.push(join(parent, name));
  return abandoned;
}

async function isOwned(name: string): Promise<boolean> {
  const [, owner] = NAME.exec(name) ?? [];
  return owner === undefined || (await isAlive(owner));
}

/** Whether there still is the process that `identify` has named so. */
export async function isAlive(identity: string): Promise<boolean> {
  return (await identify(Number.parseInt(identity, 10))) === identity;
}

/** Numbers of processes are used again, but not with the same time. */
export async function identify(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return `${pid}-${fields[START_FIELD] ?? 0}`;
}
