// Answers and streams for clients of version 1. The routes know version 2 only.
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { idsWithFiles, toV1, toV1EventName } from "../contract/v1/show.ts";
import type { Run } from "../contract/run.ts";
import type { Queryable } from "../db/pool.ts";
import { readV1FileIds } from "../db/v1-files.ts";
import type { ShowEvent } from "./sse.ts";

/** Shows every answer of the routes that are registered after this one as version 1 does. */
export function showAnswersAsV1(app: FastifyInstance, db: Queryable): void {
  app.addHook("preSerialization", async (request: FastifyRequest, reply: FastifyReply, answer: unknown) => {
    if (reply.statusCode !== 200) return answer; // an error is the same in both versions
    const files = await readV1FileIds(db, request.caller.project_id, idsWithFiles(answer));
    return toV1(answer, (id) => files.get(id) ?? []);
  });
}

/** How the events of a run are shown. Files are listed for the run; the messages that it writes have none of their own. */
export async function showEventsAsV1(db: Queryable, project_id: string, run: Run): Promise<ShowEvent> {
  const files = await readV1FileIds(db, project_id, [run.id]);
  return ({ event, data }) => ({
    event: toV1EventName(event),
    data: JSON.stringify(toV1(JSON.parse(data), (id) => files.get(id) ?? [])),
  });
}
