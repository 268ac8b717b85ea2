// Runs programs of the matrix, two at a time, against one stack, and collects what came of each check.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { codeSettings } from "../support/code-settings.ts";
import { embedByModel, startStack } from "../support/stack.ts";
import { CHECKS } from "./checks.ts";
import type { CheckNumber } from "./checks.ts";
import { startFlakyProxy } from "./flaky-proxy.ts";
import type { CheckReport } from "./program.ts";
import type { MatrixSdk } from "./sdk.ts";

export interface Cell {
  check: CheckNumber;
  state: "green" | "red" | "cannot";
  /** Why it is not green. */
  why: string;
}

export interface Column {
  sdk: MatrixSdk;
  /** Why this machine has no such SDK; then there are no cells. */
  missing?: string;
  cells: Cell[];
}

type Program = { command: string; args: string[] };
type Environment = Record<string, string>;

const AT_ONCE = 2;
const PROGRAM_TIMEOUT_MS = 180_000;
/** As much of what a program says of its own end as a person wants to read. */
const MAX_COMPLAINT_CHARS = 4000;

/** Resolves to the columns in the order of their SDKs. Calls `onColumn` with each as soon as it is there. */
export async function runMatrix(
  sdks: readonly MatrixSdk[],
  { signal, onColumn = () => undefined }: { signal?: AbortSignal; onColumn?: (column: Column) => void } = {},
): Promise<Column[]> {
  const stack = await startStack({ settings: await codeSettings(), reroute: embedByModel });
  const flaky = await startFlakyProxy(new URL(stack.baseURL));
  try {
    const environment = {
      OPENAI_BASE_URL: stack.baseURL,
      OPENAI_API_KEY: stack.apiKey,
      MATRIX_FLAKY_URL: flaky.url,
      PATH: process.env["PATH"] ?? "",
    };
    const columns = new Map<MatrixSdk, Column>();
    const waiting = sdks.values();
    const work = async () => {
      for (const sdk of waiting) {
        const column = await runColumn(sdk, environment, signal);
        columns.set(sdk, column);
        onColumn(column);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return sdks.flatMap((sdk) => columns.get(sdk) ?? []);
  } finally {
    await flaky.stop();
    await stack.stop();
  }
}

async function runColumn(sdk: MatrixSdk, environment: Environment, signal?: AbortSignal): Promise<Column> {
  const program = await sdk.prepare();
  if ("missing" in program) return { sdk, missing: program.missing, cells: [] };
  const { reports, end } = await runProgram(program, environment, signal);
  const cells = CHECKS.map(({ number }): Cell => {
    const report = reports.get(number);
    if (report === undefined) return { check: number, state: "red", why: `the program did not try it: ${end}` };
    if (report.cannot !== undefined) return { check: number, state: "cannot", why: report.cannot };
    if (report.ok) return { check: number, state: "green", why: "" };
    return { check: number, state: "red", why: report.detail ?? "the program does not say why" };
  });
  return { sdk, cells };
}

/** Nothing is inherited but the path: neither another key nor a proxy. */
async function runProgram({ command, args }: Program, env: Environment, signal?: AbortSignal) {
  const deadline = AbortSignal.timeout(PROGRAM_TIMEOUT_MS);
  const child = spawn(command, args, {
    env,
    stdio: ["ignore", "pipe", "pipe"],
    signal: signal === undefined ? deadline : AbortSignal.any([deadline, signal]),
  });
  const said: string[] = [];
  child.on("error", (error) => said.push(error.message)); // it could not be started, or was stopped
  child.stderr.on("data", (piece: Buffer) => said.push(piece.toString()));
  const closed = Promise.withResolvers<string>();
  child.once("close", (code, stoppedBy) => closed.resolve(`${stoppedBy ?? code}`));
  const reports = new Map<number, CheckReport>();
  for await (const line of createInterface({ input: child.stdout })) {
    const report = parseReport(line);
    if (report === undefined) said.push(line);
    else reports.set(report.check, report);
  }
  const end = await closed.promise;
  return { reports, end: `it ended with ${end}: ${said.join("").slice(-MAX_COMPLAINT_CHARS)}` };
}

/** A line may also be something that the program's libraries wanted to say. */
function parseReport(line: string): CheckReport | undefined {
  try {
    return JSON.parse(line) as CheckReport;
  } catch {
    return undefined;
  }
}
