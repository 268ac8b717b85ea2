// S1, the part alone: text out of documents and into chunks, drained by a reader that does nothing; and its memory.
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readChunks } from "../documents/chunks.ts";
import { CHUNKING, manyPages, prose } from "./documents.ts";
import { rssMiB } from "./process-usage.ts";
import type { Report } from "./report.ts";
import { range } from "./stats.ts";

const ROUNDS = 3;
const TEXT_BYTES = 8_000_000;
/** Some millions of tokens of these words: near the limit. */
const LONGEST_TEXT_BYTES = 12_000_000;
const SAMPLE_MS = 10;

interface Round {
  ms: number;
  firstMs: number;
  chunks: number;
  tokens: number;
  parserMiB: number;
  growthMiB: number;
}

export async function measureParse(): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), "bench-documents-"));
  try {
    const documents = [
      { name: "text, 8 MB", filename: "a.txt", content: prose(TEXT_BYTES), rounds: ROUNDS },
      { name: "text, 12 MB", filename: "b.txt", content: prose(LONGEST_TEXT_BYTES), rounds: 1 },
      { name: "PDF, 200 pages", filename: "c.pdf", content: await manyPages(200), rounds: ROUNDS },
      { name: "text, 1 KB", filename: "d.txt", content: prose(1000), rounds: ROUNDS },
    ];
    const rows: string[][] = [];
    for (const { name, filename, content, rounds } of documents) {
      const path = join(folder, filename);
      await writeFile(path, content);
      const results: Round[] = [];
      for (let round = 0; round < rounds; round += 1) results.push(await measure(path, filename));
      rows.push(toRow(name, content.length, results));
    }
    return toReport(rows);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function measure(path: string, filename: string): Promise<Round> {
  const before = rssMiB(process.pid);
  const round: Round = { ms: 0, firstMs: 0, chunks: 0, tokens: 0, parserMiB: 0, growthMiB: 0 };
  const timer = setInterval(() => sample(round, before), SAMPLE_MS);
  const since = performance.now();
  for await (const chunk of readChunks({ path, filename }, CHUNKING, new AbortController().signal)) {
    if (round.chunks === 0) round.firstMs = performance.now() - since;
    round.chunks += 1;
    round.tokens += chunk.tokens;
  }
  round.ms = performance.now() - since;
  clearInterval(timer);
  return round;
}

/** The parser is the only child of this process. */
function sample(round: Round, before: number): void {
  round.growthMiB = Math.max(round.growthMiB, rssMiB(process.pid) - before);
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8").split(" ");
  for (const child of children.filter((each) => each !== "")) {
    try {
      round.parserMiB = Math.max(round.parserMiB, rssMiB(Number(child)));
    } catch {
      // it has just ended
    }
  }
}

function toRow(name: string, bytes: number, rounds: readonly Round[]): string[] {
  const show = (of: (round: Round) => number, digits = 1) => range(rounds.map(of), digits);
  return [
    name,
    show(({ ms }) => ms, 0),
    show(({ firstMs }) => firstMs, 0),
    show(({ ms }) => bytes / 1000 / ms, 2),
    show(({ chunks, ms }) => (chunks * 1000) / ms, 0),
    show(({ chunks }) => chunks, 0),
    show(({ parserMiB }) => parserMiB, 0),
    show(({ growthMiB }) => growthMiB, 0),
  ];
}

function toReport(rows: string[][]): Report {
  const { max_chunk_size_tokens: size, chunk_overlap_tokens: overlap } = CHUNKING;
  return {
    name: "s1-parse",
    title: "Documents to chunks",
    method:
      `Each document parsed and cut into chunks of ${size} tokens, ${overlap} of them overlap, in a process of its own ` +
      `that is started for it; its chunks are dropped. ${ROUNDS} rounds, one for the longest text. Memory is resident, ` +
      `sampled every ${SAMPLE_MS} ms.`,
    goals: [],
    tables: [
      {
        title: "Throughput and peak memory",
        columns: ["", "ms", "first chunk, ms", "MB/s", "chunks/s", "chunks", "parser, MiB", "reader grows, MiB"],
        rows,
      },
    ],
  };
}
