// /v1/threads/{thread_id}/runs/{run_id}/events: an extension. Joins a run's events again, from its beginning or behind a
// position. Ends where the run rests.
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { eventOf } from "../../contract/event-stream.ts";
import { endsStream } from "../../contract/events.ts";
import { EventsQuery } from "../../contract/run.ts";
import type { ApiVersion } from "../../contract/version.ts";
import { readEvents, readStanding } from "../../db/run-events.ts";
import type { Deps } from "../deps.ts";
import { streamEvents } from "../sse.ts";
import { OneRun, requireRun, missingRun, toRunScope } from "./run-scope.ts";
import { eventsOf } from "./run-stream.ts";

export const runEventRoutes =
  (deps: Deps, version: ApiVersion): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      "/threads/:thread_id/runs/:run_id/events",
      {
        schema: {
          tags: ["Extensions"],
          summary: "Join the events of a run again",
          params: OneRun,
          querystring: EventsQuery,
          response: {
            200: {
              description: "Server-sent events",
              content: { "text/event-stream": { schema: eventOf(version.events) } },
            },
          },
        },
      },
      async (request, reply) => {
        const { db, events } = deps;
        const scope = toRunScope(request);
        const run = await requireRun(db, scope);
        const { status, position } = (await readStanding(db, scope)) ?? (await missingRun(db, scope));
        const last = Number(request.headers["last-event-id"] ?? Number.NaN);
        const after = request.query.after ?? (Number.isSafeInteger(last) ? Math.max(last, 0) : 0);
        const options = await eventsOf(deps, request, version, run);
        await streamEvents(reply, events.subscribe(run.id, Math.min(after, position)), {
          ...options,
          withIds: true,
          isOver: after >= position && endsStream(`thread.run.${status}`),
          isLast: async ({ seq }) => (await readEvents(db, run.id, seq, 1)).length === 0,
        });
        return reply;
      },
    );
  };
