// A program of the matrix: the Node SDK that `--sdk` names, in every check. Its lines are those of program.ts.
import { parseArgs } from "node:util";
import { findServer, tryChecks } from "../program.ts";
import type { Checks, Server } from "../program.ts";
import { checkIncomplete, checkQuickstart, checkStreams } from "./check-answers.ts";
import { checkCodeInterpreter } from "./check-code-interpreter.ts";
import { checkFileSearch } from "./check-file-search.ts";
import { checkFunctions, checkLock } from "./check-functions.ts";
import { checkPaging, checkVersions } from "./check-objects.ts";
import { checkErrors, checkRequestIds, checkRetries } from "./check-requests.ts";
import { openSdk } from "./client.ts";
import { GENERATIONS } from "./generations.ts";

async function checksOf(name: string, server: Server): Promise<Checks> {
  const load = GENERATIONS[name];
  if (load === undefined) throw new Error(`no SDK is called ${name}`);
  const sdk = openSdk(await load(), server);
  return {
    1: () => checkQuickstart(sdk),
    2: () => checkStreams(sdk),
    3: () => checkFunctions(sdk),
    4: () => checkLock(sdk),
    5: () => checkPaging(sdk),
    6: () => checkFileSearch(sdk),
    7: () => checkCodeInterpreter(sdk),
    8: () => checkVersions(sdk),
    9: () => checkErrors(sdk),
    10: () => checkRequestIds(sdk),
    11: () => checkRetries(sdk),
    12: () => checkIncomplete(sdk),
  };
}

const { values } = parseArgs({ options: { sdk: { type: "string", default: "openai" } } });
await tryChecks(await checksOf(values.sdk, findServer()));
