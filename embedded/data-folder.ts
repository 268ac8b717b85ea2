// The one folder that holds everything the embedded mode keeps.
import { chmodSync, mkdirSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { CannotStart } from "./cannot-start.ts";
import { PROJECT_FOLDER } from "./node-child.ts";

/** Makes the folder when it is not there, readable by its owner only. Resolves to its absolute path; a relative one begins at the project. */
export function prepareDataFolder(dataDir: string): string {
  const folder = resolve(PROJECT_FOLDER, dataDir);
  try {
    const made = mkdirSync(folder, { recursive: true, mode: 0o700 });
    // Started as root, Postgres runs as another user, who must be able to pass through; what is private inside is closed by itself.
    if (made !== undefined && process.getuid?.() === 0) chmodSync(folder, 0o711);
    return realpathSync(folder);
  } catch (error) {
    throw new CannotStart(
      `The data folder ${folder} cannot be made: ${(error as Error).message}. Set DATA_DIR to another one.`,
      { cause: error },
    );
  }
}
