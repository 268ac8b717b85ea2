// S3: how good the order of a search is: words alone, vectors alone, and both.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { insertChunks } from "../db/chunks.ts";
import type { Pool } from "../db/pool.ts";
import { searchChunks } from "../db/search.ts";
import type { Search } from "../db/search.ts";
import { openLogFile } from "../embedded/log-file.ts";
import { findPorts } from "../embedded/ports.ts";
import { startPostgres } from "../embedded/postgres.ts";
import { createTestDatabase } from "../test/support/database.ts";
import { findPython } from "../test/support/python-environment.ts";
import { addFile, PROJECT } from "../test/support/search-databases.ts";
import type { Report } from "./report.ts";
import { makeRetrievalSet } from "./retrieval/questions.ts";
import type { Kind, Question, RetrievalSet } from "./retrieval/questions.ts";
import { DIMENSIONS, MODEL, openPool } from "./search-corpus.ts";

const QUESTIONS = 800;
const LIMIT = 10;
const STORE = "vs_quality";
const SCRIPT = join(import.meta.dirname, "retrieval/embed.py");
const REQUIREMENTS = join(import.meta.dirname, "retrieval/requirements.txt");

const WAYS: Record<string, Partial<Search>> = { words: { only: "words" }, vectors: { only: "vectors" }, both: {} };
type Scores = Record<string, Record<Kind | "all", number>>;

export async function measureSearchQuality(): Promise<Report> {
  const set = makeRetrievalSet(QUESTIONS);
  const vectors = await embed([...set.texts, ...set.questions.map((question) => question.text)]);
  const folder = mkdtempSync(join(tmpdir(), "durable-assistants-bench-"));
  const [port = 0] = await findPorts([{ part: "Postgres", variable: "", host: "127.0.0.1", port: 0 }]);
  const log = openLogFile(join(folder, "postgres.log"));
  const postgres = await startPostgres({ dataDir: folder, port, log, durable: false });
  try {
    const { url } = await createTestDatabase(postgres.url());
    const pool = openPool(url);
    await fill(pool, set, vectors);
    const scores: Scores = {};
    for (const [way, search] of Object.entries(WAYS)) scores[way] = await judge(pool, set, { vectors, search });
    await pool.end();
    return toReport(set, scores);
  } finally {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** By a real, if small, model. */
async function embed(texts: readonly string[]): Promise<Float32Array[]> {
  const python = await findPython(REQUIREMENTS);
  if (python === undefined) throw new Error("S3 needs python3, for the embedding model");
  const child = spawn(python, [SCRIPT], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify(texts));
  const [bytes, [code]] = await Promise.all([buffer(child.stdout), once(child, "exit") as Promise<[number | null]>]);
  if (code !== 0) throw new Error(`${SCRIPT} ended with ${code}`);
  const floats = new Float32Array(new Uint8Array(bytes).buffer);
  return texts.map((_, index) => floats.slice(index * DIMENSIONS, (index + 1) * DIMENSIONS));
}

/** A file for each text, named after its place in the set. */
async function fill(pool: Pool, set: RetrievalSet, vectors: readonly Float32Array[]): Promise<void> {
  await pool.query("insert into projects (id, name) values ($1, $1)", [PROJECT]);
  for (const [index, text] of set.texts.entries()) {
    const { key } = await addFile(pool, { store: STORE, filename: String(index) });
    const tokens = Math.ceil(text.length / 4);
    const chunk = { index: 0, text, tokens, embedding: vectors[index] ?? null };
    await insertChunks(pool, { project_id: PROJECT, vector_store_file_id: key, embedding_model: MODEL }, [chunk]);
  }
  await pool.query("vacuum analyze");
}

/** nDCG@10. With one right answer it is 1 / log2(1 + its place), and 0 when it is not among the ten. */
async function judge(
  pool: Pool,
  set: RetrievalSet,
  { vectors, search }: { vectors: readonly Float32Array[]; search: Partial<Search> },
): Promise<Record<Kind | "all", number>> {
  const gains: { kind: Kind; gain: number }[] = [];
  for (const [index, { kind, text, answer }] of set.questions.entries()) {
    const embedding = vectors[set.texts.length + index] ?? null;
    const hits = await searchChunks(
      pool,
      { project_id: PROJECT, vector_store_ids: [STORE] },
      { queries: [{ text, embedding }], limit: LIMIT, embedding_model: MODEL, ...search },
    );
    const place = hits.findIndex((hit) => hit.filename === String(answer));
    gains.push({ kind, gain: place < 0 ? 0 : 1 / Math.log2(place + 2) });
  }
  const mean = (kind?: Kind) => {
    const chosen = gains.filter((one) => kind === undefined || one.kind === kind);
    return chosen.reduce((sum, { gain }) => sum + gain, 0) / chosen.length;
  };
  return { sentence: mean("sentence"), name: mean("name"), all: mean() };
}

function toReport({ texts, questions }: RetrievalSet, scores: Scores): Report {
  const count = (kind: Question["kind"]) => questions.filter((question) => question.kind === kind).length;
  const of = (way: string) => scores[way]?.all ?? Number.NaN;
  const best = Math.max(of("words"), of("vectors"));
  return {
    name: "s3",
    title: "Quality of a search",
    method:
      `${texts.length} texts: entries of the documentation of Node's API that the package @types/node carries. ${questions.length} ` +
      `questions, each with one right answer: ${count("sentence")} are the first sentence of an entry, without the names of ` +
      `code in it, and ${count("name")} the name of what it describes; the sentence is taken out of the text. Vectors of ` +
      `${DIMENSIONS} dimensions by wordllama, a small static model: those of a large one would lift the second row and the third.`,
    goals: [
      {
        what: "nDCG@10 of both together against the better half",
        found: `${of("both").toFixed(3)} : ${best.toFixed(3)}`,
        goal: "higher",
        met: of("both") > best,
      },
    ],
    tables: [
      {
        title: "nDCG@10",
        columns: ["search", "all", "sentences", "names"],
        rows: Object.entries(scores).map(([way, { all, sentence, name }]) => [
          way,
          ...[all, sentence, name].map((value) => value.toFixed(3)),
        ]),
      },
    ],
  };
}
