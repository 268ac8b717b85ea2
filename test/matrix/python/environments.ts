// The Python columns: one generation of the official SDK each, in a virtual environment of its own.
import { join } from "node:path";
import { PROJECT_FOLDER } from "../../../embedded/node-child.ts";
import { findPython, mainPackage, NEWEST_SDK } from "../../support/python-environment.ts";
import type { MatrixSdk } from "../sdk.ts";

const FOLDER = join(PROJECT_FOLDER, "test/matrix/python");

/** Oldest first. */
export const PYTHON_SDKS: MatrixSdk[] = [
  generation(pins("openai-1.3.txt"), "v1", { representative: true }),
  generation(pins("openai-1.30.txt"), "v2", { representative: false }),
  generation(pins("openai-1.109.txt"), "v2", { representative: true }),
  generation(pins("openai-2.txt"), "v2", { representative: false }),
  generation(NEWEST_SDK, "v2", { representative: true }),
];

function pins(name: string): string {
  return join(FOLDER, "requirements", name);
}

function generation(requirements: string, api: MatrixSdk["api"], half: { representative: boolean }): MatrixSdk {
  const name = `Python ${mainPackage(requirements).version}`;
  return {
    name,
    api,
    ...half,
    async prepare() {
      try {
        const python = await findPython(requirements);
        if (python === undefined) return { missing: "this machine has no python3 of version 3.10 or newer" };
        // -B leaves no compiled files behind.
        return { command: python, args: ["-B", join(FOLDER, "main.py"), "--api", api] };
      } catch (error) {
        return { missing: `its environment could not be made: ${lastLineOf(error)}` };
      }
    },
  };
}

/** The last line is where Python and pip say what is wrong. */
function lastLineOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.trimEnd().split("\n").at(-1) ?? text;
}
