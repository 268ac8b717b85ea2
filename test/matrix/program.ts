// What a program of the matrix does: tries each check, and prints what came of it as a line of JSON.
import { inspect } from "node:util";
import { CHECKS } from "./checks.ts";
import type { CheckNumber } from "./checks.ts";

/** A line of a program's output. */
export interface CheckReport {
  check: number;
  ok: boolean;
  /** Why this SDK cannot be held against the check. */
  cannot?: string;
  /** What went wrong. */
  detail?: string;
}

/** A check, or the reason why it cannot be tried. */
export type Checks = Record<CheckNumber, (() => Promise<void>) | string>;

/** Tries every check, one after the other. */
export async function tryChecks(checks: Checks): Promise<void> {
  for (const { number } of CHECKS) console.log(JSON.stringify(await tryCheck(number, checks[number])));
}

async function tryCheck(number: CheckNumber, check: Checks[CheckNumber]): Promise<CheckReport> {
  if (typeof check === "string") return { check: number, ok: false, cannot: check };
  try {
    await check();
    return { check: number, ok: true };
  } catch (error) {
    return { check: number, ok: false, detail: error instanceof Error ? String(error.stack) : inspect(error) };
  }
}

/** For what may be slow on a busy machine: a run that rests, a file that can be searched. */
export const PATIENCE_MS = 60_000;

/** Where the server is, as every program of the matrix is told. */
export interface Server {
  baseURL: string;
  apiKey: string;
  /** Base URL of the proxy of flaky-proxy.ts. */
  flakyURL: string;
}

/** Reads the program's environment. Throws when something is missing. */
export function findServer(): Server {
  const read = (name: string): string => {
    const value = process.env[name];
    if (value === undefined) throw new Error(`${name} is not set: run this through \`npm run matrix\``);
    return value;
  };
  return { baseURL: read("OPENAI_BASE_URL"), apiKey: read("OPENAI_API_KEY"), flakyURL: read("MATRIX_FLAKY_URL") };
}

/** How many requests of a key the flaky proxy has counted. */
export async function countRequests({ flakyURL }: Server, key: string): Promise<number> {
  const answer = await fetch(`${flakyURL}/matrix/count/${key}`);
  return ((await answer.json()) as { count: number }).count;
}
