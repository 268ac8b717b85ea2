// The order in which the parts come up, and what each needs from the one before.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config.ts";
import { DRAIN_MS } from "../contract/limits.ts";
import { migrate } from "../db/migrate.ts";
import { createPool } from "../db/pool.ts";
import { renderBanner } from "./banner.ts";
import { CannotStart } from "./cannot-start.ts";
import { chooseEmbeddings } from "../model/embedding-settings.ts";
import { setUpCode } from "./code-setup.ts";
import { choosePorts, needsScriptedModel } from "./choose-ports.ts";
import { ensureFirstKey } from "./first-key.ts";
import type { FirstKey } from "./first-key.ts";
import { openLogFile } from "./log-file.ts";
import { startNodeChild } from "./node-child.ts";
import type { NodeChild, NodeChildOptions } from "./node-child.ts";
import { createNotices } from "./notices.ts";
import type { Parts } from "./parts.ts";
import { ensureDatabase, startPostgres } from "./postgres.ts";
import type { Say } from "./say.ts";
import { EMBEDDED_NAMESPACE, startTemporal } from "./temporal.ts";
import type { Temporal } from "./temporal.ts";
import { findTemporalCli } from "./temporal-cli.ts";

const DATABASE = "durable_assistants";
const DEMO_MODEL = "a scripted demo model, offline. Set OPENAI_API_KEY or OPENAI_BASE_URL to use a real one";
const DEMO_EMBEDDINGS = "scripted-demo";
const ANY_MODEL = "gpt-4o";
const ANSWER_TIMEOUT_MS = 30_000;
const ANSWER_POLL_MS = 50;

/** Our own programs. The worker may finish what it is at, and the API the answers that it is giving. */
type Program = Pick<NodeChildOptions, "part" | "script" | "settings" | "stopTimeoutMs">;
const MODEL = { part: "demo model", script: "model/scripted/main.ts", stopTimeoutMs: 5000 };
const WORKER = { part: "worker", script: "worker/main.ts", stopTimeoutMs: DRAIN_MS + 10_000 };
const API = { part: "API", script: "api/main.ts", stopTimeoutMs: DRAIN_MS + 5000 };

export interface Start {
  config: Config;
  /** Absolute path. */
  dataDir: string;
  parts: Parts;
  say: Say;
}

/** Starts all parts, side by side where none needs the other. Resolves to the banner when the API answers. */
export async function startEverything(start: Start): Promise<string> {
  const { config, dataDir, parts, say } = start;
  refuseToAskOurselves(config);
  const ports = await choosePorts(config);
  const [database, temporal, modelUrl] = await Promise.all([
    provideDatabase(start, ports.postgres),
    config.TEMPORAL_ADDRESS === undefined ? startTemporalServer(start, ports.temporal, ports.temporalUi) : undefined,
    needsScriptedModel(config) ? startModel(start, ports.model) : undefined,
  ]);

  const settings = {
    DATA_DIR: dataDir,
    DATABASE_URL: database.url,
    PORT: String(ports.api),
    ...(temporal && onlyEmbeddedTemporal(temporal.address, dataDir)),
    ...(modelUrl && { OPENAI_BASE_URL: modelUrl }),
    ...(modelUrl && embedsByDemo(config) && { EMBEDDINGS_BASE_URL: modelUrl, EMBEDDINGS_MODEL: DEMO_EMBEDDINGS }),
  };
  await Promise.all([startProgram(start, { ...WORKER, settings }), startProgram(start, { ...API, settings })]);
  const apiUrl = `http://${reachableHost(config.HOST)}:${ports.api}`;
  const model = await untilApiAnswers(apiUrl, database.key.key, parts.signal);
  return renderBanner({
    apiUrl,
    temporalUiUrl: temporal?.uiUrl,
    dataDir,
    key: database.key,
    modelEndpoint: modelUrl ? DEMO_MODEL : (config.OPENAI_BASE_URL ?? "OpenAI (https://api.openai.com/v1)"),
    fileSearch: describeFileSearch(config, modelUrl !== undefined),
    codeInterpreter: await setUpCode({ config, say, signal: parts.signal }),
    model,
  });
}

/** The demo's vectors must not be taken for those of a real model that is set up later: they have a name of their own. */
function embedsByDemo(config: Config): boolean {
  return chooseEmbeddings(config) === undefined && config.EMBEDDINGS_MODEL !== "none";
}

function describeFileSearch(config: Config, hasDemo: boolean): string {
  const chosen = chooseEmbeddings(config);
  if (chosen) return `by words, and by meaning with ${chosen.model} (${chosen.base_url})`;
  if (hasDemo && embedsByDemo(config)) return "by words, and by the demo's vectors, which know spelling, not meaning";
  return "by words only. Set EMBEDDINGS_BASE_URL or EMBEDDINGS_API_KEY to find by meaning, too";
}

/** Resolves to the connection string of a migrated database and the first key in it. */
async function provideDatabase(start: Start, port: number): Promise<{ url: string; key: FirstKey }> {
  const url = start.config.DATABASE_URL ?? (await startDatabase(start, port));
  return { url, key: await prepareDatabase(start, url) };
}

async function startDatabase({ dataDir, parts }: Start, port: number): Promise<string> {
  const log = openLogFile(logPath(dataDir, "postgres"));
  const postgres = await parts.start("Postgres", (signal) => startPostgres({ dataDir, port, log, signal }));
  await ensureDatabase(postgres.url(), DATABASE);
  return postgres.url(DATABASE);
}

async function startTemporalServer(
  { config, dataDir, parts, say }: Start,
  port: number,
  uiPort: number,
): Promise<Temporal> {
  const cli = await findTemporalCli({ configured: config.TEMPORAL_CLI, say, signal: parts.signal });
  const log = openLogFile(logPath(dataDir, "temporal"));
  return parts.start("Temporal", (signal) => startTemporal({ cli, port, uiPort, dataDir, log, signal }));
}

/** Resolves to the base URL of the model. */
async function startModel(start: Start, port: number): Promise<string> {
  const settings = { HOST: "127.0.0.1", EMBEDDED_MODEL_PORT: String(port) };
  await startProgram(start, { ...MODEL, settings });
  return `http://127.0.0.1:${port}/v1`;
}

async function prepareDatabase({ config, dataDir, say }: Start, databaseUrl: string): Promise<FirstKey> {
  const pool = createPool({
    url: databaseUrl,
    max: 1,
    name: "embedded",
    onError: (error) => say(`Postgres: ${error.message}`),
  });
  try {
    await migrate(databaseUrl);
    return await ensureFirstKey(pool, dataDir, config.BOOTSTRAP_API_KEY);
  } catch (error) {
    if (config.DATABASE_URL === undefined) throw error;
    throw new CannotStart(`The database of DATABASE_URL could not be prepared: ${describeWithCause(error as Error)}`, {
      cause: error,
    });
  } finally {
    await pool.end();
  }
}

async function startProgram(start: Start, program: Program): Promise<NodeChild> {
  const { dataDir, parts, say } = start;
  const { part, ...rest } = program;
  const file = openLogFile(logPath(dataDir, part.toLowerCase().replace(" ", "-")));
  const notice = createNotices({ part: `The ${part}`, logPath: file.path, say });
  function write(chunk: Buffer): void {
    file.write(chunk);
    notice(chunk);
  }
  return parts.start(`the ${part}`, (signal) =>
    startNodeChild({ ...rest, part: `The ${part}`, dataDir, log: { ...file, write }, signal }),
  );
}

/** What the user's own settings for another Temporal would add must not reach the programs that use the embedded one. */
function onlyEmbeddedTemporal(address: string, dataDir: string): Record<string, string | undefined> {
  const others = Object.keys(process.env).filter(
    (name) => name.startsWith("TEMPORAL_") && name !== "TEMPORAL_TASK_QUEUE",
  );
  return {
    ...Object.fromEntries(others.map((name) => [name, undefined])),
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: EMBEDDED_NAMESPACE,
    TEMPORAL_CONFIG_FILE: join(dataDir, "temporal", "none.toml"), // not the one in the home folder
  };
}

/** An easy mistake in a shell where a client of this server was tried out: the server would be its own model. */
function refuseToAskOurselves({ OPENAI_BASE_URL, HOST, PORT }: Config): void {
  if (OPENAI_BASE_URL === undefined) return;
  const { hostname, port } = new URL(OPENAI_BASE_URL);
  if (Number(port) !== PORT || !["127.0.0.1", "localhost", "[::1]", HOST].includes(hostname)) return;
  throw new CannotStart(
    `OPENAI_BASE_URL (${OPENAI_BASE_URL}) is the address of this server itself. It must be that of a model; unset it to try the demo model.`,
  );
}

/** Resolves to the name of a model that can be asked. */
async function untilApiAnswers(apiUrl: string, key: string, signal: AbortSignal): Promise<string> {
  const deadline = Date.now() + ANSWER_TIMEOUT_MS;
  for (;;) {
    try {
      const response = await fetch(`${apiUrl}/v1/models`, { headers: { authorization: `Bearer ${key}` }, signal });
      if (response.status === 401) return ANY_MODEL; // it answers; the key was revoked
      const answer = (await response.json()) as { data?: { id: string }[] };
      if (answer.data !== undefined) return answer.data[0]?.id ?? ANY_MODEL;
      if (Date.now() > deadline) throw new CannotStart(`GET ${apiUrl}/v1/models answers ${response.status}.`);
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await sleep(ANSWER_POLL_MS, undefined, { signal });
  }
}

function reachableHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

function logPath(dataDir: string, part: string): string {
  return join(dataDir, "logs", `${part}.log`);
}

function describeWithCause({ message, cause }: Error): string {
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
