// The routes of the app. Nothing is started and no connection is made for it.
import { pino } from "pino";
import { createApp } from "../../api/app.ts";
import { DiskBlobs } from "../../blobs/disk-blobs.ts";
import { createPool } from "../../db/pool.ts";
import type { Route } from "./page.ts";
import type { RouteOptions } from "fastify";

export async function readRoutes(): Promise<Route[]> {
  const db = createPool({
    url: "postgres://nobody@127.0.0.1:1/nothing",
    max: 1,
    name: "none",
    onError: () => undefined,
  });
  const app = createApp({
    db,
    log: pino({ level: "silent" }),
    blobs: new DiskBlobs("never-made"),
    files: { allowDownloads: false },
    runs: { expiresAfterSeconds: 600 },
    workflows: { start: () => undefined, wake: () => undefined, cancel: () => undefined },
    ingests: { look: () => undefined, cancel: () => undefined },
    findPassages: async () => [],
    rewriteQueries: async (queries) => [...queries],
    events: {
      subscribe: () => {
        throw new Error("nothing is streamed here");
      },
    },
  });
  const routes: RouteOptions[] = [];
  app.addHook("onRoute", (route) => void routes.push(route));
  await app.ready();
  await app.close();
  await db.end();
  return routes.map(({ method, url, constraints }) => {
    const version = constraints?.["version"] as string | undefined;
    return { method: String(method), url, version };
  });
}
