// /v1/assistants
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { deletedOf } from "../../contract/deleted.ts";
import { assistantNotFound } from "../../contract/errors.ts";
import { listOf, PageQuery, toList } from "../../contract/list.ts";
import { AssistantId } from "../../contract/references.ts";
import { storeToMake } from "../../contract/tool-resources.ts";
import type { ApiVersion } from "../../contract/version.ts";
import * as assistants from "../../db/assistants.ts";
import type { AssistantScope } from "../../db/scope.ts";
import { commit } from "../commit.ts";
import type { Deps } from "../deps.ts";
import { holdFiles } from "../hold-files.ts";

const OneAssistant = z.object({ assistant_id: AssistantId });
const tags = ["Assistants"];

export const assistantRoutes =
  ({ db, ingests }: Deps, version: ApiVersion): FastifyPluginAsyncZod =>
  async (app) => {
    app.post(
      "/assistants",
      {
        schema: {
          tags,
          summary: "Create an assistant",
          body: version.CreateAssistant,
          response: { 200: version.Assistant },
        },
      },
      async (request) => {
        const assistant = { ...request.body, ...request.caller };
        const made = await commit(db, request, async (tx) => {
          const refuse = await holdFiles(tx, request.caller, assistant);
          refuse();
          return assistants.insertAssistant(tx, assistant);
        });
        if (storeToMake(request.body.tool_resources) !== undefined || request.body.file_ids?.length) ingests.look();
        return made;
      },
    );

    app.get(
      "/assistants",
      {
        schema: {
          tags,
          summary: "List assistants",
          querystring: PageQuery,
          response: { 200: listOf(version.Assistant) },
        },
      },
      async (request) => toList(await assistants.listAssistants(db, request.caller.project_id, request.query)),
    );

    app.get(
      "/assistants/:assistant_id",
      {
        schema: { tags, summary: "Retrieve an assistant", params: OneAssistant, response: { 200: version.Assistant } },
      },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        return (await assistants.findAssistant(db, scope)) ?? missing(scope);
      },
    );

    app.post(
      "/assistants/:assistant_id",
      {
        schema: {
          tags,
          summary: "Modify an assistant",
          params: OneAssistant,
          body: version.ModifyAssistant,
          response: { 200: version.Assistant },
        },
      },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        const changed = await commit(db, request, async (tx) => {
          const refuse = await holdFiles(tx, scope, request.body);
          const assistant = (await assistants.updateAssistant(tx, scope, request.body)) ?? missing(scope);
          refuse();
          return assistant;
        });
        // Its files, or its tools, may have brought some to be searched.
        if (version.name === "v1") ingests.look();
        return changed;
      },
    );

    app.delete(
      "/assistants/:assistant_id",
      {
        schema: {
          tags,
          summary: "Delete an assistant",
          params: OneAssistant,
          response: { 200: deletedOf("assistant.deleted") },
        },
      },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        const existed = await assistants.deleteAssistant(db, scope);
        if (!existed) return missing(scope);
        return { id: scope.assistant_id, object: "assistant.deleted" as const, deleted: true as const };
      },
    );
  };

function missing({ assistant_id }: AssistantScope): never {
  throw assistantNotFound(assistant_id);
}
