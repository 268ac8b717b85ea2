// The only reader of process.env. Parsed once at start; every problem is reported in one go.
import { z } from "zod";

const MAX_RUN_LIFETIME_SECONDS = 30 * 24 * 3600;

const port = (fallback: number) => z.coerce.number().int().min(0).max(65_535).default(fallback);
const optional = z.string().trim().optional();

/** Every setting of the server, as environment variables. `.env.example` lists them for users. */
export const Environment = z.object({
  /** Address the API listens on. */
  HOST: z.string().default("127.0.0.1"),
  /** Port of the API. */
  PORT: port(8080),
  /** Port on which the API serves metrics of all projects, without a key, to Prometheus. Without it there are none. */
  METRICS_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  /** Address of that port. Whoever reaches it can read them. */
  METRICS_HOST: z.string().default("127.0.0.1"),
  /** Folder for everything that the embedded mode keeps. */
  DATA_DIR: z.string().default(".data"),
  /** Folder of the files that clients upload. Without it, `blobs` inside DATA_DIR. All API and worker processes must see the same. */
  BLOB_DIR: optional,
  /** Bucket for those files, in place of a folder. Its keys are found as Amazon's own tools find them. */
  S3_BUCKET: optional,
  S3_REGION: z.string().min(1).default("us-east-1"),
  /** Base URL of a server that speaks S3 and is not Amazon's. */
  S3_ENDPOINT: optional.pipe(z.url({ protocol: /^https?$/ }).optional()),
  /** Begins the names of all objects in the bucket. */
  S3_PREFIX: optional.pipe(z.string().max(500).optional()),
  /** Names the bucket in the path, as most servers that are not Amazon's want it. */
  S3_FORCE_PATH_STYLE: z.stringbool().default(false),
  /** Lets clients download what was uploaded for assistants or as user data, which OpenAI's API refused. */
  ALLOW_FILE_DOWNLOADS: z.stringbool().default(false),
  /** Postgres connection string. When given, no embedded Postgres is started. */
  DATABASE_URL: optional,
  /** Most Postgres connections that one process opens. */
  DATABASE_POOL_SIZE: z.coerce.number().int().min(2).max(500).default(20),
  /** host:port of a Temporal frontend. When given, no embedded Temporal is started. Temporal's other TEMPORAL_* variables are read by its own SDK. */
  TEMPORAL_ADDRESS: optional,
  /** Path of the Temporal CLI that the embedded mode uses. Without it one is looked for, downloaded or built. */
  TEMPORAL_CLI: optional,
  /** Task queue on which runs are dispatched to workers. */
  TEMPORAL_TASK_QUEUE: z.string().min(1).default("durable-assistants"),
  /** Ports of the embedded parts. */
  EMBEDDED_POSTGRES_PORT: port(54_329),
  EMBEDDED_TEMPORAL_PORT: port(7233),
  EMBEDDED_TEMPORAL_UI_PORT: port(8233),
  EMBEDDED_MODEL_PORT: port(8090),
  /** Key for the default model endpoint. Without key and base URL the embedded mode starts the scripted demo model. */
  OPENAI_API_KEY: optional,
  /** Base URL, including /v1, of any OpenAI-compatible chat-completions endpoint. */
  OPENAI_BASE_URL: optional.pipe(z.url({ protocol: /^https?$/ }).optional()),
  /** JSON file that routes model names to endpoints; see docs/configuration.md. */
  MODELS_FILE: optional,
  /** Context window, in tokens, assumed for a model that MODELS_FILE does not describe. */
  DEFAULT_CONTEXT_WINDOW: z.coerce.number().int().min(1024).default(128_000),
  /** Base URL, including /v1, of an OpenAI-compatible endpoint for embeddings. Without it OpenAI's, if there is a key for it. */
  EMBEDDINGS_BASE_URL: optional.pipe(z.url({ protocol: /^https?$/ }).optional()),
  /** Key for that endpoint. */
  EMBEDDINGS_API_KEY: optional,
  /** Embedding model; `none` makes File Search look for words only. */
  EMBEDDINGS_MODEL: z.string().trim().default("text-embedding-3-large"),
  /** Length of the vectors. */
  EMBEDDINGS_DIMENSIONS: z.coerce.number().int().min(1).max(8192).default(256),
  /** Whether the endpoint is asked for that length. False for endpoints that refuse the parameter `dimensions`. */
  EMBEDDINGS_SEND_DIMENSIONS: z.stringbool().default(true),
  /** URL, without /rerank, of a Cohere- or Jina-compatible endpoint that puts what File Search has found in order. */
  RERANK_BASE_URL: optional.pipe(z.url({ protocol: /^https?$/ }).optional()),
  RERANK_API_KEY: optional,
  /** What that endpoint calls its model. */
  RERANK_MODEL: z.string().trim().default("rerank-v3.5"),
  /** Chat model that rewrites queries where a search asks for that; `none` leaves them as they are. */
  REWRITE_MODEL: z.string().trim().default("gpt-4o-mini"),
  /** Text search configuration of Postgres by which File Search takes words for the same: `english`, `german`, `simple` … */
  SEARCH_LANGUAGE: z
    .string()
    .trim()
    .regex(/^[a-z_]+$/)
    .default("english"),
  /** Where Code Interpreter's code runs: `local` locks it in on this machine, `container` gives each session a container, `none` refuses it. */
  CODE_INTERPRETER: z.enum(["local", "container", "none"]).default("local"),
  /** Python that runs it, but for containers of images. Without it the one that `npm run sandbox:setup` has made. */
  CODE_INTERPRETER_PYTHON: optional,
  /** What runs containers: `runsc` is gVisor itself, on this machine; `docker` a container engine, which DOCKER_HOST and its like name. */
  CODE_INTERPRETER_ENGINE: z.enum(["runsc", "docker"]).default("runsc"),
  /** Path of gVisor's runsc, for the engine of that name. */
  CODE_INTERPRETER_RUNSC: z.string().trim().default("runsc"),
  /** Image of the containers, for a container engine. */
  CODE_INTERPRETER_IMAGE: z.string().trim().default("durable-assistants-sandbox"),
  /** Runtime of the container engine. Unless it is runc or crun, which share the machine's kernel, it has to be gVisor. */
  CODE_INTERPRETER_RUNTIME: z.string().trim().default("runsc"),
  /** Containers that one worker process keeps ready for new sessions. */
  CODE_INTERPRETER_WARM_SESSIONS: z.coerce.number().int().min(0).max(20).default(2),
  /** Sessions that one worker process keeps; for another one, that of the longest rest ends. */
  CODE_INTERPRETER_MAX_SESSIONS: z.coerce.number().int().min(1).max(100).default(20),
  /** Of those, how many one project may have. Without it, all. */
  CODE_INTERPRETER_MAX_SESSIONS_PER_PROJECT: z.coerce.number().int().min(1).max(100).optional(),
  /** `true` lets several projects run code where nothing but this machine's kernel keeps them apart. */
  CODE_INTERPRETER_SHARED: z.stringbool().default(false),
  /** An API key that exists from the first start, for automation. At least 16 characters. */
  BOOTSTRAP_API_KEY: optional.pipe(z.string().min(16).max(200).optional()),
  /** Seconds from the creation of a run until it expires, unless the run itself says otherwise. */
  RUN_EXPIRES_AFTER_SECONDS: z.coerce.number().int().min(1).max(MAX_RUN_LIFETIME_SECONDS).default(600),
  /** Model turns that one worker process streams at once. */
  WORKER_MAX_CONCURRENT_TURNS: z.coerce.number().int().min(1).max(5000).default(200),
  /** Files that one worker process makes searchable at once; 0 leaves them to other workers. */
  WORKER_MAX_CONCURRENT_FILES: z.coerce.number().int().min(0).max(1000).default(4),
  /**
   * Name of the version of this worker, in the worker deployment that is called like the task queue. With it, Temporal
   * sends runs only to the version that the deployment names as current. Without it, any worker takes any run.
   */
  WORKER_BUILD_ID: optional.pipe(z.string().max(255).optional()),
  /** Holds every answer of the API to its schema and refuses to send one that does not fit: for tests, it costs time. */
  CHECK_ANSWERS: z.stringbool().default(false),
  LOG_LEVEL: z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).default("info"),
});
export type Config = Readonly<z.infer<typeof Environment>>;

/** Reads the environment. Throws one `ConfigError` that names every variable that is wrong. */
export function loadConfig(env: Record<string, string | undefined> = process.env): Config {
  // An empty variable means "not set", as in most .env files.
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ""),
  );
  const parsed = Environment.safeParse(given);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
    throw new ConfigError(`The configuration has ${problems.length} problem(s):\n${problems.join("\n")}`);
  }
  return Object.freeze(parsed.data);
}

export class ConfigError extends Error {
  override name = "ConfigError";
}
