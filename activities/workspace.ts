// The workspace of a session and what is kept of it: files are brought in before a call, and those that it has written are
// kept behind it, so that they outlive the session.
import { newBlobKey } from "../blobs/blobs.ts";
import { newId } from "../contract/ids.ts";
import { MAX_CODE_FILES, MAX_CODE_FILE_BYTES } from "../contract/limits.ts";
import type { Queryable } from "../db/pool.ts";
import type { RunKey, ThreadScope } from "../db/scope.ts";
import { readGivenFiles, readWrittenFiles } from "../db/workspace.ts";
import type { WorkspaceChange, WrittenFile } from "../db/workspace.ts";
import { isPlainPath, nameFiles } from "../tools/workspace-names.ts";
import type { HeldSession } from "./code-sessions.ts";
import type { ActivityDeps } from "./generate.ts";

/** In which file systems give out room. */
const FILE_BLOCK_BYTES = 4096;

export interface WorkspaceNames {
  given: readonly string[];
  /** By code. */
  written: readonly string[];
}
export const NO_FILES: WorkspaceNames = { given: [], written: [] };

/** The names of the files that code finds, whether there is a session or not. */
export async function listWorkspace(db: Queryable, run: ThreadOfRun): Promise<WorkspaceNames> {
  const [given, written] = await Promise.all([readGivenFiles(db, run), readWrittenFiles(db, run)]);
  return { given: nameFiles(given.map(({ filename }) => filename)), written: written.map(({ name }) => name) };
}

type Deps = Pick<ActivityDeps, "pool" | "blobs">;
type ThreadOfRun = RunKey & ThreadScope;

/**
 * Brings in what the session does not have: files that were given meanwhile, and, in a new one, all that code had written.
 * Returns what the model is told of those that could not be.
 */
export async function fillWorkspace(
  deps: Deps,
  run: ThreadOfRun,
  session: HeldSession,
  signal: AbortSignal,
): Promise<string[]> {
  const [given, written] = await Promise.all([readGivenFiles(deps.pool, run), readWrittenFiles(deps.pool, run)]);
  const names = nameFiles(given.map(({ filename }) => filename));
  const rewritten = new Set(written.map(({ name }) => name));
  const missing = [
    ...(session.isFilled ? [] : written),
    ...given
      .map((file, index) => ({ ...file, name: names[index] as string }))
      .filter(({ file_id, name }) => !session.given.has(file_id) && !rewritten.has(name)),
  ];
  const refused: string[] = [];
  let room = missing.length === 0 ? 0 : await roomIn(session);
  for (const { name, blob, file_id, bytes } of missing) {
    signal.throwIfAborted();
    if (bytes > room) {
      refused.push(name);
      continue;
    }
    await session.sandbox.putFile(name, await deps.blobs.read(blob));
    await session.sandbox.linkFile(name, file_id);
    room -= roundUp(bytes);
  }
  for (const { file_id } of given) session.given.add(file_id);
  session.isFilled = true;
  if (missing.length === 0) return [];
  const brought = new Map(missing.map((file) => [file.name, rewritten.has(file.name) ? toHex(file) : null]));
  for (const file of await session.sandbox.listFiles()) {
    const sha256 = brought.get(file.name);
    if (sha256 !== undefined) session.known.set(file.name, { stamp: file.stamp, sha256 });
  }
  return refused.length === 0
    ? []
    : [`(There was no room for these files, which are not there: ${listNames(refused)}.)`];
}

/** Bytes that files may still take. A session that has more is lost. */
async function roomIn({ sandbox }: HeldSession): Promise<number> {
  const files = await sandbox.listFiles();
  return files.reduce((room, { bytes }) => room - roundUp(bytes), sandbox.limits.diskBytes);
}

const roundUp = (bytes: number): number => Math.ceil(bytes / FILE_BLOCK_BYTES + 1) * FILE_BLOCK_BYTES;

const toHex = ({ sha256 }: { sha256: Buffer }): string => sha256.toString("hex");

interface CollectedChange extends WorkspaceChange {
  /** What the model is told of files that were not kept. */
  unkept: string[];
}
export const NO_CHANGE: CollectedChange = { written: [], removed: [], unkept: [] };

/** Sends what a call has written to the blob store. */
export async function collectChange(
  { pool, blobs }: Deps,
  run: ThreadOfRun,
  session: HeldSession,
  signal: AbortSignal,
): Promise<CollectedChange> {
  const kept = new Map((await readWrittenFiles(pool, run)).map((file) => [file.name, toHex(file)]));
  const found = await session.sandbox.listFiles();
  const written: WrittenFile[] = [];
  const unkept: string[] = [];
  for (const file of found) {
    const { name, bytes } = file;
    const known = session.known.get(name);
    const isSame = known !== undefined && known.stamp === file.stamp;
    if (isSame && (known.sha256 === null || known.sha256 === kept.get(name))) continue;
    const isTooMany = !kept.has(name) && kept.size + written.length >= MAX_CODE_FILES;
    if (!isPlainPath(name) || bytes > MAX_CODE_FILE_BYTES || isTooMany) {
      unkept.push(name);
      continue;
    }
    const blob = newBlobKey();
    const content = await blobs.write(blob, session.sandbox.getFile(name, MAX_CODE_FILE_BYTES), signal);
    written.push({ name, file_id: newId("file-"), blob, ...content });
    session.known.set(name, { stamp: file.stamp, sha256: toHex(content) });
  }
  const names = new Set(found.map(({ name }) => name));
  const removed = [...kept.keys()].filter((name) => session.known.has(name) && !names.has(name));
  return { written, removed, unkept: unkept.length === 0 ? [] : [describeUnkept(unkept)] };
}

function describeUnkept(names: readonly string[]): string {
  return `(These files are there, but cannot be given to the user: ${listNames(names)}. They are too large, too many, or have strange names.)`;
}

function listNames(names: readonly string[]): string {
  const shown = names.slice(0, 5).map((name) => JSON.stringify(name));
  const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : "";
  return shown.join(", ") + more;
}
