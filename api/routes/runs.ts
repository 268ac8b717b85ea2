// /v1/threads/{thread_id}/runs, /v1/threads/runs, and the steps and events of a run.
import type { FastifyBaseLogger, FastifyReply } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import {
  cannotCancel,
  outputsMismatch,
  outputsNotAccepted,
  outputsTooLarge,
  runNotFound,
  runStepNotFound,
  threadNotFound,
} from "../../contract/errors.ts";
import { endsStream } from "../../contract/events.ts";
import { MAX_TOOL_OUTPUTS_BYTES, POLL_AFTER_MS } from "../../contract/limits.ts";
import { PageQuery, toList } from "../../contract/list.ts";
import { AnyId, ThreadId } from "../../contract/references.ts";
import {
  CreateRun,
  CreateThreadAndRun,
  EventsQuery,
  ModifyRun,
  StepsQuery,
  SubmitToolOutputs,
} from "../../contract/run.ts";
import type { Run } from "../../contract/run.ts";
import { cancelRun } from "../../db/run-ends.ts";
import { notifyEvents, readEvents, readStanding } from "../../db/run-events.ts";
import { findRunStep, listRunSteps } from "../../db/run-steps.ts";
import { findRun, listRuns, updateRunMetadata } from "../../db/runs.ts";
import type { RunScope } from "../../db/runs.ts";
import { threadExists } from "../../db/threads.ts";
import { submitToolOutputs } from "../../db/tool-outputs.ts";
import type { Deps } from "../deps.ts";
import { createRun, createThreadAndRun } from "../new-run.ts";
import { streamEvents } from "../sse.ts";

const OneThread = z.object({ thread_id: ThreadId });
const OneRun = OneThread.extend({ run_id: AnyId });
const OneStep = OneRun.extend({ step_id: AnyId });

export const runRoutes =
  ({ db, workflows, events, runs: settings }: Deps): FastifyPluginAsyncZod =>
  async (app) => {
    app.post("/threads/runs", { schema: { body: CreateThreadAndRun } }, async (request, reply) => {
      const run = await createThreadAndRun(db, request.caller, request.body, settings);
      workflows.start({ ...request.caller, ...run });
      return request.body.stream ? stream(reply, run, 0) : run;
    });

    app.post(
      "/threads/:thread_id/runs",
      { schema: { params: OneThread, querystring: StepsQuery, body: CreateRun } },
      async (request, reply) => {
        const scope = { ...request.caller, ...request.params };
        const run = await createRun(db, scope, request.body, settings);
        workflows.start({ ...request.caller, ...run });
        return request.body.stream ? stream(reply, run, 0) : run;
      },
    );

    app.get("/threads/:thread_id/runs", { schema: { params: OneThread, querystring: PageQuery } }, async (request) => {
      const scope = { ...request.caller, ...request.params };
      if (!(await threadExists(db, scope))) throw threadNotFound(scope.thread_id);
      return toList(await listRuns(db, scope, request.query));
    });

    app.get("/threads/:thread_id/runs/:run_id", { schema: { params: OneRun } }, async (request, reply) => {
      const run = await requireRun(toScope(request));
      reply.header("openai-poll-after-ms", POLL_AFTER_MS);
      return run;
    });

    app.post("/threads/:thread_id/runs/:run_id", { schema: { params: OneRun, body: ModifyRun } }, async (request) => {
      const scope = toScope(request);
      const { metadata } = request.body;
      if (metadata === undefined) return requireRun(scope);
      return (await updateRunMetadata(db, scope, metadata ?? {})) ?? missing(scope);
    });

    app.post("/threads/:thread_id/runs/:run_id/cancel", { schema: { params: OneRun } }, async (request) => {
      const scope = toScope(request);
      const result = await cancelRun(db, scope);
      if (result.kind === "missing") return missing(scope);
      if (result.kind === "refused") throw cannotCancel(result.status);
      workflows.cancel(scope.id);
      tellReaders(request.log, scope.id, result.seq);
      return result.run;
    });

    app.post(
      "/threads/:thread_id/runs/:run_id/submit_tool_outputs",
      { schema: { params: OneRun, body: SubmitToolOutputs } },
      async (request, reply) => {
        const scope = toScope(request);
        const outputs = toOutputs(request.body);
        const result = await submitToolOutputs(db, scope, outputs);
        if (result.kind === "missing") return missing(scope);
        if (result.kind === "refused") throw outputsNotAccepted(result.status);
        if (result.kind === "mismatch") {
          throw outputsMismatch(
            result.expected,
            outputs.map((output) => output.id),
          );
        }
        workflows.wake({ ...request.caller, ...result.run });
        tellReaders(request.log, scope.id, result.seq);
        return request.body.stream ? stream(reply, result.run, result.before) : result.run;
      },
    );

    app.get(
      "/threads/:thread_id/runs/:run_id/steps",
      { schema: { params: OneRun, querystring: PageQuery.extend(StepsQuery.shape) } },
      async (request) => {
        const scope = toScope(request);
        await requireRun(scope);
        return toList(await listRunSteps(db, { ...scope, run_id: scope.id }, request.query));
      },
    );

    app.get(
      "/threads/:thread_id/runs/:run_id/steps/:step_id",
      { schema: { params: OneStep, querystring: StepsQuery } },
      async (request) => {
        const scope = toScope(request);
        const step = await findRunStep(db, { ...scope, run_id: scope.id }, request.params.step_id);
        if (step !== undefined) return step;
        await requireRun(scope);
        throw runStepNotFound(request.params.step_id);
      },
    );

    // Extension: re-joins a run's events, from its beginning or behind a position. Ends where the run rests.
    app.get(
      "/threads/:thread_id/runs/:run_id/events",
      { schema: { params: OneRun, querystring: EventsQuery } },
      async (request, reply) => {
        const scope = toScope(request);
        const run = await requireRun(scope);
        const { status, position } = (await readStanding(db, scope)) ?? (await missing(scope));
        const last = Number(request.headers["last-event-id"] ?? Number.NaN);
        const after = request.query.after ?? (Number.isSafeInteger(last) ? Math.max(last, 0) : 0);
        await streamEvents(reply, events.subscribe(run.id, Math.min(after, position)), {
          run,
          withIds: true,
          isOver: after >= position && endsStream(`thread.run.${status}`),
          isLast: async ({ seq }) => (await readEvents(db, run.id, seq, 1)).length === 0,
        });
        return reply;
      },
    );

    async function stream(reply: FastifyReply, run: Run, after: number): Promise<FastifyReply> {
      await streamEvents(reply, events.subscribe(run.id, after), { run });
      return reply;
    }

    /** In the background: what is committed is accepted, and readers find it sooner or later without a notice. */
    function tellReaders(log: FastifyBaseLogger, runId: string, seq: number): void {
      notifyEvents(db, runId, seq).catch((error: unknown) =>
        log.warn({ err: error, runId }, "readers could not be told"),
      );
    }

    async function requireRun(scope: RunScope): Promise<Run> {
      return (await findRun(db, scope)) ?? missing(scope);
    }

    /** Throws (404) for whichever of the two is not there. */
    async function missing(scope: RunScope): Promise<never> {
      throw (await threadExists(db, scope)) ? runNotFound(scope.id) : threadNotFound(scope.thread_id);
    }
  };

function toScope(request: { caller: { project_id: string }; params: z.infer<typeof OneRun> }): RunScope {
  return { ...request.caller, thread_id: request.params.thread_id, id: request.params.run_id };
}

/** Throws (400) when the outputs are too large together. One without an id stays in the list, so that it is refused. */
function toOutputs({ tool_outputs }: SubmitToolOutputs): { id: string; output: string }[] {
  const outputs = tool_outputs.map(({ tool_call_id, output }) => ({ id: tool_call_id ?? "", output: output ?? "" }));
  const bytes = outputs.reduce((sum, { output }) => sum + Buffer.byteLength(output), 0);
  if (bytes >= MAX_TOOL_OUTPUTS_BYTES) throw outputsTooLarge();
  return outputs;
}
