// Requests as people send them from a shell. What comes back has the form that fetch gives it.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Server } from "../program.ts";
import { V2_HEADERS } from "../versions.ts";

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 50_000_000;

export interface Request {
  method?: string;
  /** Sent as JSON. */
  body?: object;
  /** Sent as a form. */
  form?: readonly string[];
  /** On top of the key and the beta header; null takes one away. */
  headers?: Record<string, string | null>;
}

/** Sends one request to a path under /v1. Resolves to the whole answer, streams included. */
export async function curl(server: Server, path: string, request: Request = {}): Promise<Response> {
  const output = await runCurl(
    ["--include", "--no-buffer", ...argumentsOf(server.apiKey, request)],
    server.baseURL,
    path,
  );
  const end = output.indexOf("\r\n\r\n");
  const [statusLine = "", ...lines] = output.subarray(0, end).toString().split("\r\n");
  const headers = lines.map((line) => line.split(/: (.*)/s, 2) as [string, string]);
  return new Response(new Uint8Array(output.subarray(end + 4)), { status: Number(statusLine.split(" ")[1]), headers });
}

/** The same for an answer that is to be JSON with status 200. */
export async function curlJson<Body>(server: Server, path: string, request: Request = {}): Promise<Body> {
  const answer = await curl(server, path, request);
  const body = await answer.text();
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${body}`);
  return JSON.parse(body) as Body;
}

/** Sends a request through the flaky proxy, trying again as curl does. Resolves to whether it was answered in the end. */
export async function curlWithRetries({ flakyURL, apiKey }: Server, path: string, request: Request): Promise<boolean> {
  const patience = ["--fail", "--retry", "2", "--output", "/dev/null"];
  return runCurl([...patience, ...argumentsOf(apiKey, request)], flakyURL, path).then(
    () => true,
    () => false,
  );
}

function argumentsOf(apiKey: string, { method = "GET", body, form = [], headers = {} }: Request): string[] {
  const all = {
    Authorization: `Bearer ${apiKey}`,
    ...V2_HEADERS,
    ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    ...headers,
  };
  return [
    "--request",
    method,
    ...Object.entries(all).flatMap(([name, value]) => (value === null ? [] : ["--header", `${name}: ${value}`])),
    ...form.flatMap((field) => ["--form", field]),
    ...(body === undefined ? [] : ["--data", JSON.stringify(body)]),
  ];
}

async function runCurl(args: string[], baseURL: string, path: string): Promise<Buffer> {
  // Without --disable, a person's own .curlrc would count too.
  const always = ["--disable", "--silent", "--show-error", "--globoff"];
  const options = { maxBuffer: MAX_OUTPUT_BYTES, encoding: "buffer" as const };
  const { stdout } = await run("curl", [...always, ...args, `${baseURL}${path}`], options);
  return stdout;
}
