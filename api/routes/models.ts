// /v1/models
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { modelNotFound } from "../../contract/errors.ts";
import { Model } from "../../contract/model.ts";
import { AnyId } from "../../contract/references.ts";
import { findModel, listModels } from "../../db/models.ts";
import type { Deps } from "../deps.ts";

/** Everything behind the slash: names of models have slashes of their own. */
const OneModel = z.object({ "*": AnyId });
const ModelList = z.strictObject({ object: z.literal("list"), data: z.array(Model) });
const tags = ["Models"];

export const modelRoutes =
  ({ db }: Deps): FastifyPluginAsyncZod =>
  async (app) => {
    app.get("/models", { schema: { tags, summary: "List models", response: { 200: ModelList } } }, async () => ({
      object: "list" as const,
      data: await listModels(db),
    }));

    app.get(
      "/models/*",
      { schema: { tags, summary: "Retrieve a model", params: OneModel, response: { 200: Model } } },
      async (request) => {
        const id = request.params["*"];
        const model = await findModel(db, id);
        if (model === undefined) throw modelNotFound(id);
        return model;
      },
    );
  };
