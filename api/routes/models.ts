// /v1/models
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { modelNotFound } from "../../contract/errors.ts";
import { AnyId } from "../../contract/references.ts";
import { findModel, listModels } from "../../db/models.ts";
import type { Deps } from "../deps.ts";

/** Everything behind the slash: names of models have slashes of their own. */
const OneModel = z.object({ "*": AnyId });

export const modelRoutes =
  ({ db }: Deps): FastifyPluginAsyncZod =>
  async (app) => {
    app.get("/models", async () => ({ object: "list", data: await listModels(db) }));

    app.get("/models/*", { schema: { params: OneModel } }, async (request) => {
      const id = request.params["*"];
      const model = await findModel(db, id);
      if (model === undefined) throw modelNotFound(id);
      return model;
    });
  };
