// Runs once before all tests (node --test --test-global-setup): one Postgres and one Temporal server that forget
// everything. Their addresses reach each test file as TEST_DATABASE_URL and TEMPORAL_ADDRESS.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLogFile } from "../../embedded/log-file.ts";
import type { ManagedProcess } from "../../embedded/managed-process.ts";
import { findPorts } from "../../embedded/ports.ts";
import { startPostgres } from "../../embedded/postgres.ts";
import { startTemporal } from "../../embedded/temporal.ts";
import { findTemporalCli } from "../../embedded/temporal-cli.ts";

const running: ManagedProcess[] = [];
let folder: string | undefined;

/** Starts both. A TEST_DATABASE_URL that is already set is kept: so the tests run against another Postgres. */
export async function globalSetup(): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), "durable-assistants-test-"));
  process.once("exit", removeFolder); // also when the runner is interrupted; the servers then end by themselves
  const [postgresPort = 0, temporalPort = 0] = await findPorts([
    { part: "Postgres", variable: "", host: "127.0.0.1", port: 0 },
    { part: "Temporal", variable: "", host: "127.0.0.1", port: 0 },
  ]);
  await Promise.all([useDatabase(folder, postgresPort), useTemporal(folder, temporalPort)]);
}

/** Stops both and removes their folder. */
export async function globalTeardown(): Promise<void> {
  await Promise.all(running.map((server) => server.stop()));
  removeFolder();
}

async function useDatabase(dataDir: string, port: number): Promise<void> {
  if (process.env["TEST_DATABASE_URL"]) return;
  const log = openLogFile(join(dataDir, "postgres.log"));
  const postgres = await startPostgres({ dataDir, port, log, durable: false });
  running.push(postgres);
  process.env["TEST_DATABASE_URL"] = postgres.url();
}

async function useTemporal(dataDir: string, port: number): Promise<void> {
  const cli = await findTemporalCli({ say: (line) => console.error(line) });
  const temporal = await startTemporal({ cli, port, log: openLogFile(join(dataDir, "temporal.log")) });
  running.push(temporal);
  process.env["TEMPORAL_ADDRESS"] = temporal.address;
}

function removeFolder(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
}
