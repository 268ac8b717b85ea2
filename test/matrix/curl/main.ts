// A program of the matrix: the machine's curl in every check. Its lines are those of program.ts.
import { findServer, tryChecks } from "../program.ts";
import { checkCodeInterpreter } from "./check-code-interpreter.ts";
import { checkFileSearch } from "./check-file-search.ts";
import { checkPaging, checkVersions } from "./check-objects.ts";
import { checkErrors, checkRequestIds, checkRetries } from "./check-requests.ts";
import { checkFunctions, checkIncomplete, checkLock, checkQuickstart, checkStreams } from "./check-runs.ts";

const server = findServer();
await tryChecks({
  1: () => checkQuickstart(server),
  2: () => checkStreams(server),
  3: () => checkFunctions(server),
  4: () => checkLock(server),
  5: () => checkPaging(server),
  6: () => checkFileSearch(server),
  7: () => checkCodeInterpreter(server),
  8: () => checkVersions(server),
  9: () => checkErrors(server),
  10: () => checkRequestIds(server),
  11: () => checkRetries(server),
  12: () => checkIncomplete(server),
});
