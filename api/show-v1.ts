// Answers and streams for clients of version 1. The routes know version 2 only.
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Run } from "../contract/run.ts";
import { idsWithFiles, toV1, toV1EventName } from "../contract/v1/show.ts";
import type { FilesOf } from "../contract/v1/show.ts";
import type { Queryable } from "../db/pool.ts";
import { readV1FileIds } from "../db/v1-files.ts";
import type { ShowEvent } from "./sse.ts";

/** The files that version 1 lists, by the id of what they belong to. */
export type V1FileLists = Record<string, string[]>;

declare module "fastify" {
  interface FastifyRequest {
    /** What version 1 lists for the answer. Set by whoever has looked already; else it is looked up in the end. */
    v1Files?: V1FileLists;
  }
}

/** Shows every answer of the routes that are registered after this one as version 1 does. */
export function showAnswersAsV1(app: FastifyInstance, db: Queryable): void {
  app.addHook("preSerialization", async (request: FastifyRequest, reply: FastifyReply, answer: unknown) => {
    if (reply.statusCode !== 200) return answer; // an error is the same in both versions
    const files = request.v1Files ?? (await findV1Files(db, request, answer));
    return toV1(answer, readFrom(files));
  });
}

/** How the events of a run are shown. Files are listed for the run; the messages that it writes have none of their own. */
export async function showEventsAsV1(db: Queryable, request: FastifyRequest, run: Run): Promise<ShowEvent> {
  const filesOf = readFrom(request.v1Files ?? (await findV1Files(db, request, run)));
  return ({ event, data }) => ({
    event: toV1EventName(event),
    data: JSON.stringify(toV1(JSON.parse(data), filesOf)),
  });
}

/** The lists of everything in an answer. */
export async function findV1Files(db: Queryable, { caller }: FastifyRequest, answer: unknown): Promise<V1FileLists> {
  return Object.fromEntries(await readV1FileIds(db, caller.project_id, idsWithFiles(answer)));
}

function readFrom(files: V1FileLists): FilesOf {
  return (id) => files[id] ?? [];
}
