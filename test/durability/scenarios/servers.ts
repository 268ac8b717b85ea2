// Postgres and Temporal themselves: stopped, killed, full, without their data. Each scenario has servers of its own.
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Scenario, Stage } from "../faults/scenario.ts";
import type { OwnServer } from "../faults/world.ts";
import { forAWhile, mixed } from "./mixed.ts";

/** How long Temporal is away: longer than any of its time-outs for a call, and than a worker's patience. */
const TEMPORAL_AWAY_MS = 30_000;

function own(server: OwnServer | undefined): OwnServer {
  if (server === undefined) throw new Error("the scenario has no server of its own");
  return server;
}

/** Stops or kills a server, waits, and starts it again on its data. */
async function restart(stage: Stage, server: OwnServer, how: "stop" | "kill", awayMs: number): Promise<void> {
  stage.struck();
  await server[how]();
  await sleep(awayMs);
  await server.start();
  stage.healed();
}

export const postgresRestarted: Scenario = {
  name: "Postgres restarted",
  fault: "stopped in order and started again: Postgres",
  world: { own: ["postgres"] },
  load: mixed({ taste: 15, bounded: 60, long: 200 }),
  async play(stage) {
    for (let time = 0; time < { taste: 1, bounded: 2, long: 5 }[stage.extent]; time += 1) {
      await stage.pause(1000, 3000);
      await restart(stage, own(stage.world.postgres), "stop", stage.random.int(0, 3000));
    }
  },
};

export const postgresKilled: Scenario = {
  name: "Postgres killed",
  fault: "kill -9, and a start that reads its log: Postgres. What it had not logged, the deltas, is gone",
  world: { own: ["postgres"] },
  load: mixed({ taste: 15, bounded: 60, long: 200 }),
  async play(stage) {
    for (let time = 0; time < { taste: 1, bounded: 2, long: 5 }[stage.extent]; time += 1) {
      await stage.pause(1000, 3000);
      await restart(stage, own(stage.world.postgres), "kill", stage.random.int(0, 1000));
    }
  },
};

export const noConnections: Scenario = {
  name: "no connections left",
  fault: "all connections are cut, and for 3 to 6 s somebody else has every place of Postgres",
  world: { own: ["postgres"] },
  load: mixed({ taste: 15, bounded: 60, long: 150 }),
  async play(stage) {
    let hoarded: pg.Client[] = [];
    await forAWhile(stage, {
      async begin() {
        stage.world.network.postgres.cutAll();
        hoarded = await hoard(stage.world.stack.databaseUrl);
      },
      end: () => Promise.all(hoarded.map((client) => client.end())),
      lastsMs: [3000, 6000],
      betweenMs: [500, 2000],
      times: { taste: 1, bounded: 2, long: 4 }[stage.extent],
    });
  },
};

/** Opens connections until Postgres has no more to give. */
async function hoard(url: string): Promise<pg.Client[]> {
  const clients: pg.Client[] = [];
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    client.on("error", () => undefined);
    try {
      await client.connect();
    } catch {
      return clients;
    }
    clients.push(client);
  }
}

const FULL_TABLES = ["threads", "runs", "messages", "run_steps", "run_events", "run_deltas", "idempotency_keys"];

export const diskFull: Scenario = {
  name: "disk full",
  fault: "for 2 to 5 s every second insert fails because the disk is full (error 53100)",
  load: mixed({ taste: 15, bounded: 60, long: 200 }),
  async play(stage) {
    const { db } = stage.world.stack;
    await db.query(`create function disk_full() returns trigger language plpgsql as $$ begin
      if random() < 0.5 then
        raise exception 'could not extend file: No space left on device' using errcode = 'disk_full';
      end if;
      return new;
    end $$`);
    await forAWhile(stage, {
      async begin() {
        for (const table of FULL_TABLES) {
          await db.query(
            `create trigger disk_full before insert on ${table} for each row execute function disk_full()`,
          );
        }
      },
      async end() {
        for (const table of FULL_TABLES) await db.query(`drop trigger disk_full on ${table}`);
      },
      lastsMs: [2000, 5000],
      betweenMs: [500, 2000],
      times: { taste: 1, bounded: 3, long: 6 }[stage.extent],
    });
  },
};

export const temporalStopped: Scenario = {
  name: "Temporal stopped",
  fault: "stopped for 30 s and started again from its disk: Temporal",
  world: { own: ["temporal"] },
  load: mixed({ taste: 15, bounded: 60, long: 150 }),
  async play(stage) {
    for (let time = 0; time < (stage.extent === "long" ? 2 : 1); time += 1) {
      await stage.pause(1000, 3000);
      await restart(stage, own(stage.world.temporal), "stop", TEMPORAL_AWAY_MS);
    }
  },
};

export const temporalKilled: Scenario = {
  name: "Temporal killed",
  fault: "kill -9, and a start from its disk: Temporal",
  world: { own: ["temporal"] },
  load: mixed({ taste: 15, bounded: 60, long: 150 }),
  async play(stage) {
    for (let time = 0; time < { taste: 1, bounded: 2, long: 5 }[stage.extent]; time += 1) {
      await stage.pause(1000, 3000);
      await restart(stage, own(stage.world.temporal), "kill", stage.random.int(0, 3000));
    }
  },
};

export const temporalForgets: Scenario = {
  name: "Temporal's data lost",
  fault: "killed, its disk emptied, and started again without any workflow: Temporal",
  world: { own: ["temporal"] },
  load: mixed({ taste: 10, bounded: 50, long: 100 }, { restMs: 400_000 }),
  async play(stage) {
    await stage.pause(2000, 4000);
    stage.struck();
    const temporal = own(stage.world.temporal);
    await temporal.kill();
    temporal.forget();
    await temporal.start();
    stage.healed();
  },
};
