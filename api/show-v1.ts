// Answers and streams for clients of version 1. The routes know version 2 only.
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Run } from "../contract/run.ts";
import { idsWithFiles, runsThatCite, toV1, toV1EventName } from "../contract/v1/show.ts";
import type { V1Extras } from "../contract/v1/show.ts";
import type { Queryable } from "../db/pool.ts";
import { readV1FileIds } from "../db/v1-files.ts";
import { Quotes } from "./quotes.ts";
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
    const quotes = new Quotes(db, request.caller.project_id);
    await quotes.load(runsThatCite(answer));
    return toV1(answer, { filesOf: readFrom(files), quoteOf: (runId, marker) => quotes.find(runId, marker) });
  });
}

/** How the events of a run are shown. Files are listed for the run; the messages that it writes have none of their own. */
export async function showEventsAsV1(db: Queryable, request: FastifyRequest, run: Run): Promise<ShowEvent> {
  const filesOf = readFrom(request.v1Files ?? (await findV1Files(db, request, run)));
  const quotes = new Quotes(db, request.caller.project_id);
  const extras: V1Extras = { filesOf, quoteOf: (_, marker) => quotes.find(run.id, marker) };
  return async ({ event, data }) => {
    // Between two citations the run may have searched again.
    if (event.startsWith("thread.message.") && data.includes('"file_citation"')) await quotes.load([run.id]);
    return { event: toV1EventName(event), data: JSON.stringify(toV1(JSON.parse(data), extras)) };
  };
}

/** The lists of everything in an answer. */
export async function findV1Files(db: Queryable, { caller }: FastifyRequest, answer: unknown): Promise<V1FileLists> {
  return Object.fromEntries(await readV1FileIds(db, caller.project_id, idsWithFiles(answer)));
}

function readFrom(files: V1FileLists): V1Extras["filesOf"] {
  return (id) => files[id] ?? [];
}
