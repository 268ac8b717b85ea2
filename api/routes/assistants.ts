// /v1/assistants
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { CreateAssistant, ModifyAssistant } from "../../contract/assistant.ts";
import { assistantNotFound } from "../../contract/errors.ts";
import { PageQuery, toList } from "../../contract/list.ts";
import { AssistantId } from "../../contract/references.ts";
import * as assistants from "../../db/assistants.ts";
import { withTransaction } from "../../db/pool.ts";
import type { Deps } from "../deps.ts";

const OneAssistant = z.object({ assistant_id: AssistantId });

export const assistantRoutes =
  ({ db }: Deps): FastifyPluginAsyncZod =>
  async (app) => {
    app.post("/assistants", { schema: { body: CreateAssistant } }, async (request) =>
      assistants.insertAssistant(db, { ...request.body, ...request.caller }),
    );

    app.get("/assistants", { schema: { querystring: PageQuery } }, async (request) =>
      toList(await assistants.listAssistants(db, request.caller.project_id, request.query)),
    );

    app.get("/assistants/:assistant_id", { schema: { params: OneAssistant } }, async (request) => {
      const scope = { ...request.caller, ...request.params };
      const assistant = await assistants.findAssistant(db, scope);
      if (assistant === undefined) throw assistantNotFound(scope.assistant_id);
      return assistant;
    });

    app.post(
      "/assistants/:assistant_id",
      { schema: { params: OneAssistant, body: ModifyAssistant } },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        const assistant = await withTransaction(db, (tx) => assistants.updateAssistant(tx, scope, request.body));
        if (assistant === undefined) throw assistantNotFound(scope.assistant_id);
        return assistant;
      },
    );

    app.delete("/assistants/:assistant_id", { schema: { params: OneAssistant } }, async (request) => {
      const scope = { ...request.caller, ...request.params };
      if (!(await assistants.deleteAssistant(db, scope))) throw assistantNotFound(scope.assistant_id);
      return { id: scope.assistant_id, object: "assistant.deleted", deleted: true };
    });
  };
