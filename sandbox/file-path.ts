// What a file in a session may be called: a name, or a path below the folder of the session.
import { MAX_SANDBOX_NAME_BYTES, MAX_SANDBOX_PATH_BYTES } from "../contract/limits.ts";
import { FileRefused } from "./sandbox-error.ts";

/** Throws `FileRefused` for anything that leads elsewhere, or that a kernel would not take. */
export function checkFilePath(path: string): void {
  const isBad =
    !path.isWellFormed() || Buffer.byteLength(path) > MAX_SANDBOX_PATH_BYTES || path.split("/").some(isBadName);
  if (isBad) throw new FileRefused("bad_name", path);
}

function isBadName(name: string): boolean {
  return (
    name === "" ||
    name === "." ||
    name === ".." ||
    name.includes("\0") ||
    Buffer.byteLength(name) > MAX_SANDBOX_NAME_BYTES
  );
}
