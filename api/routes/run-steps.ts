// /v1/threads/{thread_id}/runs/{run_id}/steps
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { runStepNotFound } from "../../contract/errors.ts";
import { listOf, PageQuery, toList } from "../../contract/list.ts";
import { AnyId } from "../../contract/references.ts";
import { IncludeQuery, showStep } from "../../contract/run-step.ts";
import type { ApiVersion } from "../../contract/version.ts";
import { findRunStep, listRunSteps } from "../../db/run-steps.ts";
import type { Deps } from "../deps.ts";
import { OneRun, requireRun, toRunScope } from "./run-scope.ts";

const OneStep = OneRun.extend({ step_id: AnyId });
const tags = ["Run steps"];

export const runStepRoutes =
  ({ db }: Deps, version: ApiVersion): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      "/threads/:thread_id/runs/:run_id/steps",
      {
        schema: {
          tags,
          summary: "List run steps",
          params: OneRun,
          querystring: PageQuery.extend(IncludeQuery.shape),
          response: { 200: listOf(version.RunStep) },
        },
      },
      async (request) => {
        const scope = toRunScope(request);
        await requireRun(db, scope);
        const { data, has_more } = await listRunSteps(db, { ...scope, run_id: scope.id }, request.query);
        return toList({ data: data.map((step) => showStep(step, request.query)), has_more });
      },
    );

    app.get(
      "/threads/:thread_id/runs/:run_id/steps/:step_id",
      {
        schema: {
          tags,
          summary: "Retrieve a run step",
          params: OneStep,
          querystring: IncludeQuery,
          response: { 200: version.RunStep },
        },
      },
      async (request) => {
        const scope = toRunScope(request);
        const step = await findRunStep(db, { ...scope, run_id: scope.id }, request.params.step_id);
        if (step !== undefined) return showStep(step, request.query);
        await requireRun(db, scope);
        throw runStepNotFound(request.params.step_id);
      },
    );
  };
