// How the events of a run are streamed to a client of either version.
import type { FastifyRequest } from "fastify";
import type { Run } from "../../contract/run.ts";
import type { ApiVersion } from "../../contract/version.ts";
import { checkEvents } from "../check-answers.ts";
import type { Deps } from "../deps.ts";
import { showEventsAsV1 } from "../show-v1.ts";
import type { StreamOptions } from "../sse.ts";

export async function eventsOf(
  { db, checkAnswers }: Deps,
  request: FastifyRequest,
  version: ApiVersion,
  run: Run,
): Promise<Pick<StreamOptions, "run" | "show">> {
  const show = version.name === "v1" ? await showEventsAsV1(db, request, run) : undefined;
  return { run, show: checkAnswers ? checkEvents(version, show) : show };
}
