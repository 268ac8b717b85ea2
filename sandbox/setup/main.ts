// npm run sandbox:setup: makes the environment of Python in which Code Interpreter's code runs, and tries out the jail.
import { ENVIRONMENTS_FOLDER } from "../environments-folder.ts";
import { openSandbox } from "../open-sandbox.ts";
import { makeEnvironment } from "../python-environment.ts";
import { SandboxUnavailable } from "../sandbox-error.ts";

try {
  const python = await makeEnvironment({ folder: ENVIRONMENTS_FOLDER, say: (line) => console.log(line) });
  console.log(`Code will run with ${python}`);
  const sandbox = openSandbox({
    CODE_INTERPRETER: "local",
    CODE_INTERPRETER_PYTHON: python,
    CODE_INTERPRETER_MAX_SESSIONS: 1,
  });
  const probe = await sandbox.probe();
  await sandbox.close();
  if (!probe.ok) throw new SandboxUnavailable(probe.missing);
  console.log(`It is locked in by: ${probe.isolation}`);
} catch (error) {
  if (!(error instanceof SandboxUnavailable)) throw error;
  for (const each of error.missing) console.error(each);
  process.exitCode = 1;
}
