// A program of the matrix: the Node SDK of version 1 of the API, in every check. Its lines are those of program.ts.
import { findServer, tryChecks } from "../../program.ts";
import { checkCodeInterpreter } from "./check-code-interpreter.ts";
import { checkPaging, checkVersions } from "./check-objects.ts";
import { checkRetrieval } from "./check-retrieval.ts";
import { checkErrors, checkRequestIds, checkRetries } from "./check-requests.ts";
import { checkFunctions, checkIncomplete, checkLock, checkQuickstart } from "./check-runs.ts";
import { openSdk } from "./client.ts";

const sdk = openSdk(findServer());
await tryChecks({
  1: () => checkQuickstart(sdk),
  2: "it is older than streams of runs, and skips events that have a name",
  3: () => checkFunctions(sdk),
  4: () => checkLock(sdk),
  5: () => checkPaging(sdk),
  6: () => checkRetrieval(sdk),
  7: () => checkCodeInterpreter(sdk),
  8: () => checkVersions(sdk),
  9: () => checkErrors(sdk),
  10: () => checkRequestIds(sdk),
  11: () => checkRetries(sdk),
  12: () => checkIncomplete(sdk),
});
