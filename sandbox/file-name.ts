// Names that a file in a session may have: a name, never a path.
import { MAX_SANDBOX_NAME_BYTES } from "../contract/limits.ts";
import { FileRefused } from "./sandbox-error.ts";

/** Throws `FileRefused` for anything that a kernel could take for more than one name, or not take at all. */
export function checkFileName(name: string): void {
  const isBad =
    name === "" ||
    name === "." ||
    name === ".." ||
    name.includes("/") ||
    name.includes("\0") ||
    !name.isWellFormed() ||
    Buffer.byteLength(name) > MAX_SANDBOX_NAME_BYTES;
  if (isBad) throw new FileRefused("bad_name", name);
}
