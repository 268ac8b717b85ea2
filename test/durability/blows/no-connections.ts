// All connections to Postgres are cut, and somebody else takes every place that it has.
import pg from "pg";
import { lasting } from "../faults/blow.ts";
import type { Blow } from "../faults/blow.ts";

export const noConnectionsLeft: Blow = {
  hits: ["postgres"],
  world: { own: ["postgres"] },
  strike: lasting([3000, 6000], async ({ world }) => {
    world.network.postgres.cutAll();
    const hoarded = await hoard(world.stack.databaseUrl);
    return () => Promise.all(hoarded.map((client) => client.end()));
  }),
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
