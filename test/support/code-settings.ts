// Settings of a server whose Code Interpreter works: with a Python that has its libraries, which is made when it is first
// asked for.
import { ENVIRONMENTS_FOLDER } from "../../sandbox/environments-folder.ts";
import { makeEnvironment } from "../../sandbox/python-environment.ts";

export async function codeSettings(): Promise<Record<string, string>> {
  const python = await makeEnvironment({ folder: ENVIRONMENTS_FOLDER, say: () => undefined });
  return { CODE_INTERPRETER: "local", CODE_INTERPRETER_PYTHON: python, CODE_INTERPRETER_SHARED: "true" };
}
