// Runs schemathesis on one of the server's OpenAPI documents against a stack, and reads what came of it.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROJECT_FOLDER } from "../../embedded/node-child.ts";
import type { Stack } from "../support/stack.ts";

const FOLDER = join(PROJECT_FOLDER, "test/fuzz/python");
const CONFIGURATION = join(FOLDER, "schemathesis.toml");
/** The packages that it needs. */
export const FUZZER = join(FOLDER, "requirements.txt");

/** The documents, by the version of the API that each describes. */
export const DOCUMENTS = { "version 2": "/openapi.json", "version 1": "/openapi-v1.json" } as const;

export interface FuzzOptions {
  /** Path of an interpreter that has what requirements.txt asks for. */
  python: string;
  document: keyof typeof DOCUMENTS;
  /** Random cases for each operation, and chains of requests, on top of those that are made for each limit. */
  examples: number;
  /** The same seed makes the same requests. */
  seed: number;
  signal?: AbortSignal;
}

export interface FuzzResult {
  operations: number;
  /** Requests that were made and checked. */
  cases: number;
  failures: number;
  /** Whether it got to its end. */
  isComplete: boolean;
  /** Streams that were read to their end. */
  streams: number;
  seconds: number;
  /** How often each rule that JSON Schema cannot say refused a request that fits the document. */
  rules: Record<string, number>;
  /** Operations of which no request was accepted: of them, only refusals have been seen. */
  neverAccepted: string[];
  /** Everything that schemathesis printed, with each failure and a curl command that shows it. */
  output: string;
}

interface Report {
  complete: boolean;
  running_time: number;
  operations: { tested: number };
  test_cases: { generated: number; with_failures: number; errored: number };
  failures: unknown[];
  errors: unknown[];
}

interface Tally {
  /** By operation, how often each kind of request was answered with each status: "positive 200". */
  requests: Record<string, Record<string, number>>;
  streams: number;
  rules: Record<string, number>;
}

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** Resolves when it has ended, whatever it found. Rejects when it could not run. */
export async function runFuzz(
  stack: Stack,
  { python, document, examples, seed, signal }: FuzzOptions,
): Promise<FuzzResult> {
  const folder = mkdtempSync(join(tmpdir(), "durable-assistants-fuzz-"));
  const [report, tally] = [join(folder, "report.json"), join(folder, "tally.json")];
  const url = `${stack.baseURL.replace(/\/v1$/, "")}${DOCUMENTS[document]}`;
  const options = {
    "--phases": "coverage,fuzzing,stateful",
    "--max-examples": String(examples),
    "--seed": String(seed),
    "--header": `Authorization: Bearer ${stack.apiKey}`,
    "--report": "json",
    "--report-json-path": report,
  };
  try {
    const output = await runPython(python, {
      args: [
        "-B",
        "-m",
        "schemathesis.cli",
        "--config-file",
        CONFIGURATION,
        "run",
        ...Object.entries(options).flat(),
        url,
      ],
      cwd: folder,
      env: {
        PATH: process.env["PATH"],
        PYTHONPATH: FOLDER,
        SCHEMATHESIS_HOOKS: "hooks",
        FUZZ_API_KEY: stack.apiKey,
        FUZZ_TALLY: tally,
      },
      signal,
    });
    return readResult(read(report, output), read(tally, output), output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readResult(report: Report, { requests, streams, rules }: Tally, output: string): FuzzResult {
  const { generated, with_failures, errored } = report.test_cases;
  return {
    operations: report.operations.tested,
    cases: generated,
    failures: Math.max(with_failures + errored, report.failures.length + report.errors.length),
    isComplete: report.complete,
    streams,
    seconds: report.running_time,
    rules,
    neverAccepted: Object.entries(requests)
      .filter(([, answers]) => !Object.keys(answers).some((answer) => answer.startsWith("positive 2")))
      .map(([operation]) => operation),
    // What broke the fuzzer itself is not in what it prints.
    output: [output, ...report.errors.map((error) => JSON.stringify(error, null, 2))].join("\n"),
  };
}

/** Throws, with what was printed, when there is no such file. */
function read<Content>(file: string, output: string): Content {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Content;
  } catch (cause) {
    throw new Error(`schemathesis left no report: ${output.slice(-4000)}`, { cause });
  }
}

interface Program {
  args: string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal | undefined;
}

/** What the program prints. It ends with another code than 0 when it found something. */
function runPython(python: string, { args, ...options }: Program): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  execFile(python, args, { ...options, maxBuffer: MAX_OUTPUT_BYTES }, (error, stdout, stderr) => {
    if (error !== null && typeof error.code !== "number") reject(error);
    else resolve(stdout + stderr);
  });
  return promise;
}
