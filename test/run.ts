// `npm test`: every test, or only those of the files that are named: `npm test -- db/page.test.ts`.
import { spawnSync } from "node:child_process";

const OPTIONS = ["--test", "--test-global-setup=test/support/global-setup.ts", "--test-timeout=300000"];

const given = process.argv.slice(2);
// Left alone, Node would also take every file in test/ for a test.
const files = given.every((argument) => argument.startsWith("-")) ? ["**/*.test.ts"] : [];
const { status } = spawnSync(process.execPath, [...OPTIONS, ...given, ...files], { stdio: "inherit" });
process.exitCode = status ?? 1;
