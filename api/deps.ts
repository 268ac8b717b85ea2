// What the routes are built from. Everything is made in main.ts, or in a test, and handed down.
import type { Logger } from "pino";
import type { Blobs } from "../blobs/blobs.ts";
import type { EventReader } from "../db/event-reader.ts";
import type { Pool } from "../db/pool.ts";
import type { QueryRewriter } from "../model/query-rewriter.ts";
import type { PassageFinder } from "../tools/find-passages.ts";
import type { IngestWorkflows } from "./ingest-workflows.ts";
import type { RunSettings } from "./new-run.ts";
import type { RunWorkflows } from "./run-workflows.ts";

export interface Deps {
  db: Pool;
  log: Logger;
  /** What every run is given that does not say otherwise. */
  runs: RunSettings;
  /** The contents of files. */
  blobs: Blobs;
  files: {
    /** Whether also those may be downloaded that OpenAI's API kept to itself. */
    allowDownloads: boolean;
  };
  /** The way to the workflows; it refuses nothing and waits for nothing. */
  workflows: Pick<RunWorkflows, "start" | "wake" | "cancel">;
  /** The way to the workflows that make files searchable. */
  ingests: Pick<IngestWorkflows, "look" | "cancel">;
  /** Searches vector stores. */
  findPassages: PassageFinder;
  /** Rewrites queries for searches that ask for it. */
  rewriteQueries: QueryRewriter;
  events: Pick<EventReader, "subscribe">;
  /** Holds every answer and event to its schema before it leaves: for tests. */
  checkAnswers?: boolean;
}
