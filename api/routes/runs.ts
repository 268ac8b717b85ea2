// /v1/threads/{thread_id}/runs and /v1/threads/runs
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { outputsNotAccepted, outputsTooLarge, threadNotFound } from "../../contract/errors.ts";
import { eventOf } from "../../contract/event-stream.ts";
import { MAX_TOOL_OUTPUTS_BYTES, POLL_AFTER_MS } from "../../contract/limits.ts";
import { listOf, PageQuery, toList } from "../../contract/list.ts";
import { IncludeQuery } from "../../contract/run-step.ts";
import { ModifyRun, SubmitToolOutputs } from "../../contract/run.ts";
import type { Run } from "../../contract/run.ts";
import type { ApiVersion } from "../../contract/version.ts";
import { cancelRun } from "../../db/run-ends.ts";
import { notifyEvents } from "../../db/run-events.ts";
import { findRun, listRuns, updateRunMetadata } from "../../db/runs.ts";
import { threadExists } from "../../db/threads.ts";
import { submitToolOutputs } from "../../db/tool-outputs.ts";
import { commit } from "../commit.ts";
import type { Deps } from "../deps.ts";
import { createRun, createThreadAndRun } from "../new-run.ts";
import { streamEvents } from "../sse.ts";
import { missingRun, OneRun, OneThread, requireRun, toRunScope } from "./run-scope.ts";
import { eventsOf } from "./run-stream.ts";

const tags = ["Runs"];

export const runRoutes =
  (deps: Deps, version: ApiVersion): FastifyPluginAsyncZod =>
  async (app) => {
    const { db, workflows, ingests, events, runs: settings } = deps;
    /** With `stream` in the request the answer is the run's events. */
    const runOrEvents = {
      200: {
        description: "The run, or its events",
        content: {
          "application/json": { schema: version.Run },
          "text/event-stream": { schema: eventOf(version.events) },
        },
      },
    };

    app.post(
      "/threads/runs",
      {
        schema: {
          tags,
          summary: "Create a thread and run it",
          body: version.CreateThreadAndRun,
          response: runOrEvents,
        },
      },
      async (request, reply) => {
        const run = await createThreadAndRun({ db, ingests, request, settings, version }, request.body);
        workflows.start({ ...request.caller, ...run });
        return request.body.stream ? stream(request, reply, run, 0) : run;
      },
    );

    app.post(
      "/threads/:thread_id/runs",
      {
        schema: {
          tags,
          summary: "Create a run",
          params: OneThread,
          querystring: IncludeQuery,
          body: version.CreateRun,
          response: runOrEvents,
        },
      },
      async (request, reply) => {
        const scope = { ...request.caller, ...request.params };
        const run = await createRun({ db, ingests, request, settings, version }, scope, request.body);
        workflows.start({ ...request.caller, ...run });
        return request.body.stream ? stream(request, reply, run, 0) : run;
      },
    );

    app.get(
      "/threads/:thread_id/runs",
      {
        schema: {
          tags,
          summary: "List runs",
          params: OneThread,
          querystring: PageQuery,
          response: { 200: listOf(version.Run) },
        },
      },
      async (request) => {
        const scope = { ...request.caller, ...request.params };
        if (!(await threadExists(db, scope))) throw threadNotFound(scope.thread_id);
        return toList(await listRuns(db, scope, request.query));
      },
    );

    app.get(
      "/threads/:thread_id/runs/:run_id",
      { schema: { tags, summary: "Retrieve a run", params: OneRun, response: { 200: version.Run } } },
      async (request, reply) => {
        const run = await requireRun(db, toRunScope(request));
        reply.header("openai-poll-after-ms", POLL_AFTER_MS);
        return run;
      },
    );

    app.post(
      "/threads/:thread_id/runs/:run_id",
      {
        schema: { tags, summary: "Modify a run", params: OneRun, body: ModifyRun, response: { 200: version.Run } },
      },
      async (request) => {
        const scope = toRunScope(request);
        const { metadata } = request.body;
        return commit(db, request, async (tx) => {
          const run =
            metadata === undefined ? await findRun(tx, scope) : await updateRunMetadata(tx, scope, metadata ?? {});
          return run ?? missingRun(tx, scope);
        });
      },
    );

    app.post(
      "/threads/:thread_id/runs/:run_id/cancel",
      { schema: { tags, summary: "Cancel a run", params: OneRun, response: { 200: version.Run } } },
      async (request) => {
        const scope = toRunScope(request);
        const { run, seq } = await commit(
          db,
          request,
          async (tx) => (await cancelRun(tx, scope)) ?? missingRun(tx, scope),
        );
        workflows.cancel(scope.id);
        tellReaders(request.log, scope.id, seq);
        return run;
      },
    );

    app.post(
      "/threads/:thread_id/runs/:run_id/submit_tool_outputs",
      {
        schema: {
          tags,
          summary: "Submit the outputs of function calls",
          params: OneRun,
          body: SubmitToolOutputs,
          response: runOrEvents,
        },
      },
      async (request, reply) => {
        const scope = toRunScope(request);
        const outputs = toOutputs(request.body);
        const submitted = await commit(db, request, async (tx) => {
          const taken = (await submitToolOutputs(tx, scope, outputs)) ?? (await missingRun(tx, scope));
          // While Temporal wakes the workflow, this commits: the turn waits for the run's lock, and finds nothing to do if
          // the commit fails.
          if (taken.kind === "queued") workflows.wake({ ...request.caller, ...taken.run });
          return taken;
        });
        if (submitted.kind === "expired") throw outputsNotAccepted("expired");
        const { run, before, seq } = submitted;
        tellReaders(request.log, scope.id, seq);
        return request.body.stream ? stream(request, reply, run, before) : run;
      },
    );

    async function stream(request: FastifyRequest, reply: FastifyReply, run: Run, after: number) {
      const options = await eventsOf(deps, request, version, run);
      await streamEvents(reply, events.subscribe(run.id, after), options);
      return reply;
    }

    /** In the background: what is committed is accepted, and readers find it sooner or later without a notice. */
    function tellReaders(log: FastifyBaseLogger, runId: string, seq: number): void {
      notifyEvents(db, runId, seq).catch((error: unknown) =>
        log.warn({ err: error, runId }, "readers could not be told"),
      );
    }
  };

/** Throws (400) when the outputs are too large together. One without an id stays in the list, so that it is refused. */
function toOutputs({ tool_outputs }: SubmitToolOutputs): { id: string; output: string }[] {
  const outputs = tool_outputs.map(({ tool_call_id, output }) => ({ id: tool_call_id ?? "", output: output ?? "" }));
  const bytes = outputs.reduce((sum, { output }) => sum + Buffer.byteLength(output), 0);
  if (bytes >= MAX_TOOL_OUTPUTS_BYTES) throw outputsTooLarge();
  return outputs;
}
