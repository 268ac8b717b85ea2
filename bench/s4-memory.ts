// S4, uploads: how much memory the API takes while the largest file comes in and goes out, into a folder and into a bucket.
import { setTimeout as sleep } from "node:timers/promises";
import { MAX_FILE_BYTES } from "../contract/limits.ts";
import { startS3Server } from "../test/support/s3-server.ts";
import type { Target } from "./http-client.ts";
import { rssMiB } from "./process-usage.ts";
import type { Goal, Report } from "./report.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";

const ROUNDS = 3;
/** A form has lines around the file. */
const FILE_BYTES = MAX_FILE_BYTES;
const WARM_UP_BYTES = 8 * 1024 * 1024;
const SAMPLE_MS = 20;
const MAX_GROWTH_MIB = 64;
const BOUNDARY = "a-boundary-of-the-benchmark";

interface Found {
  growthMiB: number;
  mibPerSecond: number;
}

export async function measureMemory(): Promise<Report> {
  const rows: string[][] = [];
  const goals: Goal[] = [];
  for (const kind of ["a folder", "a bucket"] as const) {
    const found = await measureStore(kind);
    if (found === undefined) continue;
    for (const [what, rounds] of Object.entries(found)) {
      const worst = Math.max(...rounds.map(({ growthMiB }) => growthMiB));
      const name = `${what} of 512 MB, ${kind}`;
      const speed = rounds.map(({ mibPerSecond }) => mibPerSecond.toFixed(0)).join(", ");
      rows.push([name, rounds.map(({ growthMiB }) => growthMiB.toFixed(0)).join(", "), speed]);
      const goal = `< ${MAX_GROWTH_MIB} MiB`;
      goals.push({ what: `${name}: growth`, found: `${worst.toFixed(0)} MiB`, goal, met: worst < MAX_GROWTH_MIB });
    }
  }
  return {
    name: "s4",
    title: "Memory while a file of 512 MB comes and goes",
    method: `Resident memory of the API process, read every ${SAMPLE_MS} ms; its highest value less that after a file of 8 MB. ${ROUNDS} rounds on the same process. The bucket is SeaweedFS on the same machine.`,
    goals,
    tables: [{ title: "API", columns: ["", "growth, MiB", "MiB/s"], rows }],
  };
}

async function measureStore(kind: "a folder" | "a bucket"): Promise<Record<string, Found[]> | undefined> {
  let bucket: Awaited<ReturnType<typeof startS3Server>>;
  const stack = await startStack();
  let measured: Stack = stack;
  try {
    if (kind === "a bucket") {
      bucket = await startS3Server(stack.folder);
      if (bucket === undefined) return undefined;
      const { settings } = bucket;
      measured = await startStack({ settings: () => settings });
    }
    const found: Record<"upload" | "download", Found[]> = { upload: [], download: [] };
    await upload(measured.api, WARM_UP_BYTES);
    const base = rssMiB(measured.processes["api"] ?? 0);
    for (let round = 0; round < ROUNDS; round += 1) {
      let id = "";
      found.upload.push(await watch(measured, base, async () => (id = await upload(measured.api, FILE_BYTES))));
      found.download.push(await watch(measured, base, () => download(measured.api, id)));
    }
    return found;
  } finally {
    if (measured !== stack) await measured.stop();
    await bucket?.stop();
    await stack.stop();
  }
}

async function watch({ processes }: Stack, base: number, work: () => Promise<unknown>): Promise<Found> {
  let highest = 0;
  const stop = new AbortController();
  const watching = (async () => {
    while (!stop.signal.aborted) {
      highest = Math.max(highest, rssMiB(processes["api"] ?? 0));
      await sleep(SAMPLE_MS);
    }
  })();
  const began = performance.now();
  await work().finally(() => stop.abort());
  const seconds = (performance.now() - began) / 1000;
  await watching;
  return { growthMiB: highest - base, mibPerSecond: FILE_BYTES / 2 ** 20 / seconds };
}

/** The file is made while it is sent. */
async function upload({ url, key }: Target, bytes: number): Promise<string> {
  const field = (name: string, more = "") =>
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`;
  async function* form(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(`${field("purpose")}vision\r\n${field("file", '; filename="large.png"')}`);
    const chunk = Buffer.alloc(65_536, "x");
    for (let left = bytes; left > 0; left -= chunk.length) yield chunk.subarray(0, Math.min(left, chunk.length));
    yield Buffer.from(`\r\n--${BOUNDARY}--\r\n`);
  }
  const response = await fetch(`${url}/files`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": `multipart/form-data; boundary=${BOUNDARY}` },
    body: form(),
    duplex: "half",
  } as unknown as RequestInit);
  const answer = (await response.json()) as { id: string; bytes: number };
  if (answer.bytes !== bytes) throw new Error(`the upload was answered ${JSON.stringify(answer)}`);
  return answer.id;
}

async function download({ url, key }: Target, id: string): Promise<void> {
  const response = await fetch(`${url}/files/${id}/content`, { headers: { authorization: `Bearer ${key}` } });
  let bytes = 0;
  for await (const chunk of response.body ?? []) bytes += (chunk as Uint8Array).byteLength;
  if (bytes !== FILE_BYTES) throw new Error(`${bytes} bytes came back`);
}
