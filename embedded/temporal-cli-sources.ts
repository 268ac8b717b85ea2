// The two ways to get a Temporal CLI. Both put it into the cache folder in one step, when it is complete:
// two starts at the same time, or one that is interrupted, do no harm.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { promisify } from "node:util";
import type { Say } from "./say.ts";

/** Newer releases cannot be built with `go install`, because their go.mod replaces modules. */
const GO_PACKAGE = "github.com/temporalio/cli/cmd/temporal@v1.5.1";
const DOWNLOAD_SERVICE = "https://temporal.download";
/** The service chooses the CLI that suits this version of the SDK. */
const SDK = { "sdk-name": "sdk-typescript", "sdk-version": "1.24.0" };

const ANSWER_TIMEOUT_MS = 10_000;
const DOWNLOAD_TIMEOUT_MS = 180_000;
const BUILD_TIMEOUT_MS = 1_200_000;
const PROGRESS_EVERY_MS = 10_000;

export interface SourceOptions {
  cacheDir: string;
  say: Say;
  signal?: AbortSignal;
  /** Another address than Temporal's, for the tests. */
  downloadService?: string;
}

/** Downloads the CLI from the place that Temporal's SDKs use. Resolves to its path. */
export async function downloadTemporalCli(options: SourceOptions): Promise<string> {
  const { say, downloadService = DOWNLOAD_SERVICE } = options;
  say("Downloading the Temporal CLI (once, about 50 MB) …");
  return intoCache(options, async (folder, signal) => {
    const platform = process.platform === "darwin" ? "darwin" : "linux";
    const arch = process.arch === "arm64" ? "arm64" : "amd64";
    const query = new URLSearchParams({ arch, platform, format: "tar.gz", ...SDK }).toString();
    try {
      const answer = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
      const info = (await (await fetchOk(`${downloadService}/cli/default?${query}`, answer)).json()) as {
        archiveUrl: string;
        fileToExtract: string;
      };
      const archive = await fetchOk(
        info.archiveUrl,
        AbortSignal.any([signal, AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS)]),
      );
      await unpack(archive, info.fileToExtract, folder);
      await rename(join(folder, info.fileToExtract), join(folder, "temporal"));
    } catch (error) {
      throw new Error(`The download from ${downloadService} failed: ${describe(error)}.`, { cause: error });
    }
  });
}

/** Builds the CLI with Go from its source. Resolves to its path. */
export async function buildTemporalCli(options: SourceOptions): Promise<string> {
  return intoCache(options, async (folder, signal) => {
    const env = { ...process.env, GOBIN: folder };
    const build = spawn("go", ["install", GO_PACKAGE], {
      env,
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
      signal: AbortSignal.any([signal, AbortSignal.timeout(BUILD_TIMEOUT_MS)]),
    });
    let complaint = "";
    build.stderr.on("data", (chunk: Buffer) => {
      complaint = (complaint + chunk.toString("utf8")).slice(-1000);
    });
    try {
      await once(build, "spawn");
    } catch (error) {
      throw new Error("Go, which could build it, is not installed.", { cause: error });
    }
    options.say("Building the Temporal CLI with Go (once, about 3 minutes) …");
    const [code] = (await once(build, "exit")) as [number | null];
    if (code !== 0)
      throw new Error(
        `The build (go install ${GO_PACKAGE}) failed: ${complaint.trim().split("\n").at(-1) ?? "no reason given"}.`,
      );
  });
}

/** Lets `fill` put an executable `temporal` into an empty folder, tries it and moves it into the cache. */
async function intoCache(
  options: SourceOptions,
  fill: (folder: string, signal: AbortSignal) => Promise<void>,
): Promise<string> {
  const { cacheDir, say, signal = new AbortController().signal } = options;
  await mkdir(cacheDir, { recursive: true });
  const folder = await mkdtemp(join(cacheDir, "new-"));
  const fresh = join(folder, "temporal");
  const startedAt = Date.now();
  const progress = setInterval(
    () => say(`  … still busy after ${Math.round((Date.now() - startedAt) / 1000)} s`),
    PROGRESS_EVERY_MS,
  );
  try {
    await fill(folder, signal);
    await chmod(fresh, 0o755);
    await promisify(execFile)(fresh, ["--version"]);
    const cli = join(cacheDir, "temporal");
    await rename(fresh, cli);
    return cli;
  } finally {
    clearInterval(progress);
    await rm(folder, { recursive: true, force: true });
  }
}

async function fetchOk(url: string, signal: AbortSignal): Promise<Response> {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response;
}

/** Every system that we run on has a `tar` that reads .tar.gz. */
async function unpack(archive: Response, file: string, folder: string): Promise<void> {
  if (archive.body === null) throw new Error("the answer is empty");
  const tar = spawn("tar", ["-xzf", "-", "-C", folder, file], { stdio: ["pipe", "ignore", "ignore"] });
  const exited = once(tar, "exit");
  await Promise.all([pipeline(Readable.fromWeb(archive.body as ReadableStream), tar.stdin), once(tar, "spawn")]);
  const [code] = (await exited) as [number | null];
  if (code !== 0) throw new Error(`tar ended with exit code ${code}`);
}

/** fetch hides the reason in the cause. */
function describe(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message} (${cause.message})` : message;
}
