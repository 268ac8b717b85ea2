// For load balancers and orchestrators, without a key: is the process up, and can it work?
import type { FastifyPluginAsync } from "fastify";
import type { Deps } from "../deps.ts";

export const healthRoutes =
  ({ db }: Deps): FastifyPluginAsync =>
  async (app) => {
    app.get("/healthz", async () => ({ status: "ok" }));

    app.get("/readyz", async () => {
      await db.query("select 1");
      return { status: "ok" };
    });
  };
