// What a scenario is played in: a stack of API and worker processes, with a bad network between them and Postgres,
// Temporal, the model, the embedding endpoint and the bucket, and, where a scenario stops them, with a Postgres or a
// Temporal of its own.
import { chmodSync, cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import { openBlobs } from "../../../blobs/open-blobs.ts";
import type { Blobs } from "../../../blobs/blobs.ts";
import { codeSettings } from "../../support/code-settings.ts";
import { startEmbeddingServer } from "../../support/embedding-server.ts";
import type { EmbeddingServer } from "../../support/embedding-server.ts";
import { startS3Server } from "../../support/s3-server.ts";
import type { S3Server } from "../../support/s3-server.ts";
import { startStack } from "../../support/stack.ts";
import type { Stack } from "../../support/stack.ts";
import { TROUBLES_VARIABLE } from "../failpoints/failpoint.ts";
import type { Trouble } from "../failpoints/failpoint.ts";
import { PRELOAD } from "../failpoints/preload-path.ts";
import { keepProcesses } from "./keeper.ts";
import type { Keeper } from "./keeper.ts";
import { ownPostgres, ownTemporal } from "./own-server.ts";
import type { OwnServer } from "./own-server.ts";
import { REFUSED_WORD } from "./planted-files.ts";
import type { Random } from "./random.ts";
import { Sandboxes } from "./sandboxes.ts";
import { startTcpProxy } from "./tcp-proxy.ts";
import type { TcpProxy } from "./tcp-proxy.ts";

export interface WorldOptions {
  /** API processes; 2 unless told. */
  apis?: number;
  /** Worker processes; 2 unless told. */
  workers?: number;
  /** Whether processes can be broken from within: by `begin`, by poison, and by headers of requests. */
  fromWithin?: boolean;
  /** Servers that are this scenario's alone, and keep their data on disk. */
  own?: readonly ("postgres" | "temporal")[];
  /** Whether the contents of files are in a bucket of a server of its own; on the disk unless told. */
  bucket?: boolean;
  /** Whether workers run code, and in how many sessions each. */
  code?: { sessions: number };
}

/** Everything that is reached through a bad network. */
export type Reached = "postgres" | "temporal" | "model" | "embeddings";

export interface World extends Omit<Keeper, "urls" | "leave"> {
  stack: Stack;
  network: Record<Reached, TcpProxy> & { bucket?: TcpProxy };
  embeddings: EmbeddingServer;
  /** The server of the bucket. */
  s3: S3Server | undefined;
  /** The contents of files, past the bad network. */
  blobs: Blobs;
  /** Where workers run code. */
  sandboxes: Sandboxes | undefined;
  postgres: OwnServer | undefined;
  temporal: OwnServer | undefined;
  /** For looking at workflows, past the bad network. */
  client: Client;
  /** Base URLs, with /v1, of every place where an API process is, or was and will be again. */
  apiUrls(): string[];
  /** A trouble of all processes, from within. */
  begin(trouble: Trouble): void;
  end(trouble: Trouble): void;
  /** Copies the logs of all processes; they are gone when the world has ended. */
  keepLogs(folder: string): void;
  /** Ends all workers in order; from here on no process is replaced. */
  stopWorkers(): Promise<void>;
  close(): Promise<void>;
}

/** @param random what the processes make their own choices from */
export async function startWorld(options: WorldOptions, random: Random): Promise<World> {
  const { apis = 2, workers = 2, fromWithin = false, own = [], bucket = false, code } = options;
  const folder = mkdtempSync(join(tmpdir(), "durable-assistants-faults-"));
  const [postgres, temporal, s3, embeddings] = await Promise.all([
    own.includes("postgres") ? ownPostgres(folder) : undefined,
    own.includes("temporal") ? ownTemporal(folder) : undefined,
    bucket ? ownBucket(folder) : undefined,
    startEmbeddingServer(),
  ]);
  embeddings.refuse(REFUSED_WORD);
  const temporary = makeTemporaryFolder(folder);
  const temporalAddress = temporal?.running.address ?? process.env["TEMPORAL_ADDRESS"] ?? "";
  const troublesFile = join(folder, "troubles.json");
  const proxies: Partial<World["network"]> = {};
  const server = postgres?.running.url();
  const stack = await startStack({
    apis: 0,
    workers: 0,
    settings: {
      ...(fromWithin ? { NODE_OPTIONS: `--import=${PRELOAD}`, [TROUBLES_VARIABLE]: troublesFile } : {}),
      EMBEDDINGS_BASE_URL: embeddings.url,
      EMBEDDINGS_DIMENSIONS: "16",
      ALLOW_FILE_DOWNLOADS: "true",
      ...s3?.settings,
      ...(code === undefined ? {} : await settingsForCode(code.sessions, temporary)),
    },
    ...(server === undefined ? {} : { server }),
    async reroute(given) {
      const database = new URL(given["DATABASE_URL"] ?? "");
      const model = new URL(given["OPENAI_BASE_URL"] ?? "");
      proxies.postgres = await startTcpProxy(database.host);
      proxies.temporal = await startTcpProxy(temporalAddress);
      proxies.model = await startTcpProxy(model.host);
      const endpoint = new URL(embeddings.url);
      proxies.embeddings = await startTcpProxy(endpoint.host);
      database.host = proxies.postgres.address;
      model.host = proxies.model.address;
      endpoint.host = proxies.embeddings.address;
      if (s3 !== undefined) proxies.bucket = await startTcpProxy(new URL(s3.settings.S3_ENDPOINT).host);
      return {
        ...given,
        DATABASE_URL: database.href,
        TEMPORAL_ADDRESS: proxies.temporal.address,
        OPENAI_BASE_URL: model.href,
        EMBEDDINGS_BASE_URL: endpoint.href,
        ...(proxies.bucket === undefined ? {} : { S3_ENDPOINT: `http://${proxies.bucket.address}` }),
      };
    },
  });
  const network = proxies as World["network"];
  const { urls, leave, ...keeper } = await keepProcesses(stack, { apis, workers, random });
  const connection = Connection.lazy({ address: temporalAddress });
  const troubles = new Set<Trouble>();
  function tellTroubles(): void {
    writeFileSync(`${troublesFile}.new`, JSON.stringify([...troubles]));
    renameSync(`${troublesFile}.new`, troublesFile);
  }

  return {
    ...keeper,
    stack,
    network,
    embeddings,
    s3,
    blobs: openWorldBlobs(stack, s3),
    sandboxes: code && new Sandboxes(temporary),
    postgres,
    temporal,
    client: new Client({ connection }),
    apiUrls: () => urls.map((url) => `${url}/v1`),
    begin(trouble) {
      troubles.add(trouble);
      tellTroubles();
    },
    end(trouble) {
      troubles.delete(trouble);
      tellTroubles();
    },
    keepLogs(to) {
      cpSync(stack.folder, to, { recursive: true });
      cpSync(folder, to, { recursive: true, filter: (path) => path === folder || path.endsWith(".log") });
    },
    async stopWorkers() {
      await leave();
      await Promise.all(stack.workers.map((worker) => worker.stop()));
    },
    async close() {
      await leave();
      for (const proxy of Object.values(network)) proxy.heal();
      await stack.stop();
      await connection.close();
      for (const proxy of Object.values(network)) proxy.close();
      await Promise.all([postgres?.stop(), temporal?.stop(), s3?.stop(), embeddings.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Sessions may be users of their own, who have to get there. */
function makeTemporaryFolder(folder: string): string {
  const temporary = join(folder, "tmp");
  mkdirSync(temporary);
  for (const each of [folder, temporary]) chmodSync(each, 0o711);
  return temporary;
}

/** With a folder for temporary files of the world's own, in which nothing may be left. */
async function settingsForCode(sessions: number, temporary: string): Promise<Record<string, string>> {
  return { ...(await codeSettings()), CODE_INTERPRETER_MAX_SESSIONS: String(sessions), TMPDIR: temporary };
}

async function ownBucket(folder: string): Promise<S3Server> {
  const server = await startS3Server(folder);
  if (server === undefined) throw new Error("there is no Python to install an S3 server with");
  return server;
}

function openWorldBlobs(stack: Stack, s3: S3Server | undefined): Blobs {
  if (s3 !== undefined) {
    // Where Amazon's client looks for its keys; they are the same for every server of the tests.
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = s3.settings;
    Object.assign(process.env, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY });
  }
  return openBlobs({
    BLOB_DIR: join(stack.folder, "blobs"),
    DATA_DIR: stack.folder,
    S3_BUCKET: s3?.settings.S3_BUCKET,
    S3_ENDPOINT: s3?.settings.S3_ENDPOINT,
    S3_REGION: "us-east-1",
    S3_PREFIX: undefined,
    S3_FORCE_PATH_STYLE: true,
  });
}
