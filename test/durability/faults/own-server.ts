// A Postgres or a Temporal that is one scenario's alone: it can be stopped and started again on its port and its data.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { openLogFile } from "../../../embedded/log-file.ts";
import { findPorts } from "../../../embedded/ports.ts";
import { startPostgres } from "../../../embedded/postgres.ts";
import type { Postgres } from "../../../embedded/postgres.ts";
import { startTemporal } from "../../../embedded/temporal.ts";
import type { Temporal } from "../../../embedded/temporal.ts";
import { findTemporalCli } from "../../../embedded/temporal-cli.ts";
import { waitUntil } from "../../support/wait-until.ts";

const START_MS = 60_000;

export interface OwnServer {
  stop(): Promise<void>;
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Removes its data, while it is stopped. */
  forget(): void;
}

type Owned<Server> = OwnServer & { running: Server };

/** Keeps its data in `folder`. */
export function ownPostgres(folder: string): Promise<Owned<Postgres>> {
  const log = () => openLogFile(join(folder, "postgres.log"));
  return startOwn(join(folder, "postgres"), (port) => startPostgres({ dataDir: folder, port, log: log() }));
}

/** Keeps its data in `folder`. */
export async function ownTemporal(folder: string): Promise<Owned<Temporal>> {
  const cli = await findTemporalCli({ say: (line) => console.error(line) });
  const log = () => openLogFile(join(folder, "temporal.log"));
  return startOwn(join(folder, "temporal"), (port) => startTemporal({ cli, port, dataDir: folder, log: log() }));
}

async function startOwn<Server extends Postgres | Temporal>(
  data: string,
  start: (port: number) => Promise<Server>,
): Promise<Owned<Server>> {
  const [port = 0] = await findPorts([{ part: "server", variable: "", host: "127.0.0.1", port: 0 }]);
  const own = {
    running: await start(port),
    stop: () => own.running.stop(),
    async kill() {
      own.running.kill();
      await own.running.exited;
    },
    async start() {
      // Its port may be taken for a moment longer than its process lived.
      own.running = await waitUntil("the server is started again", () => start(port).catch(() => undefined), START_MS);
    },
    forget: () => rmSync(data, { recursive: true, force: true }),
  };
  return own;
}
