// Connections to Postgres, and the one way to run a transaction.
import pg from "pg";

// 64-bit integers here are counters and positions, far below 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

const statementNames = new Map<string, string>();

/**
 * Prepares every statement that has parameters, once per connection: parsing and planning are most of what a short
 * statement costs. The texts are those in this room, so there are few. A pooler between us must keep prepared statements.
 */
class PreparingClient extends pg.Client {
  override query(...args: unknown[]): never {
    const [text, values, ...rest] = args;
    if (typeof text !== "string" || !Array.isArray(values)) return super.query(...(args as [never])) as never;
    const name = statementNames.get(text) ?? `s${statementNames.size}`;
    statementNames.set(text, name);
    return super.query({ name, text, values } as never, ...(rest as [])) as never;
  }
}

/** A pool or one of its clients: whoever calls a query decides which transaction it belongs to. */
export type Queryable = Pick<pg.Pool, "query">;
export type Pool = pg.Pool;

export interface PoolOptions {
  url: string;
  /** Most connections that the pool opens. */
  max: number;
  /** Shown in pg_stat_activity. */
  name: string;
  /** Told of connections that break while they are idle; they are replaced on the next use. */
  onError: (error: Error) => void;
}

/** Opens a pool. Every statement is cut off after 30 s, so that a stuck database gives errors and not hangs. */
export function createPool({ url, max, name, onError }: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    Client: PreparingClient,
    connectionString: url,
    max,
    application_name: name,
    connectionTimeoutMillis: 10_000,
    statement_timeout: 30_000,
    // For a server that vanished without a word; its own time-outs come first.
    query_timeout: 35_000,
    idle_in_transaction_session_timeout: 30_000,
    keepAlive: true,
    // Statements of a transaction that need not wait for each other's answers go out together: see withTransaction.
    pipeline: true,
  });
  pool.on("error", onError);
  return pool;
}

/**
 * Runs `work` in one transaction: committed when it returns, rolled back when it throws.
 * What `work` asks for at once, with `Promise.all`, costs one round trip; Postgres carries it out in the order asked for.
 */
export async function withTransaction<T>(pool: pg.Pool, work: (tx: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // The pool listens only to clients that are idle: without this, a lost connection would end the process.
  const onError = (error: Error) => {
    broken = error;
  };
  client.on("error", onError);
  try {
    const begun = client.query("begin");
    begun.catch(() => undefined); // it fails with the connection, and so does what follows
    const result = await work(client);
    await begun;
    await client.query("commit");
    return result;
  } catch (error) {
    await client.query("rollback").catch((cause: unknown) => {
      broken = new Error("rollback failed", { cause });
    });
    throw error;
  } finally {
    client.off("error", onError);
    client.release(broken);
  }
}
