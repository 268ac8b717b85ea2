// How the events of a run are streamed to a client of either version.
import type { FastifyRequest } from "fastify";
import type { Run } from "../../contract/run.ts";
import { asksForContent, showStep } from "../../contract/run-step.ts";
import type { IncludeQuery, RunStep } from "../../contract/run-step.ts";
import type { ApiVersion } from "../../contract/version.ts";
import { checkEvents } from "../check-answers.ts";
import type { Deps } from "../deps.ts";
import { showEventsAsV1 } from "../show-v1.ts";
import type { ShowEvent, StreamOptions } from "../sse.ts";

export async function eventsOf(
  { db, checkAnswers }: Deps,
  request: FastifyRequest,
  version: ApiVersion,
  run: Run,
): Promise<Pick<StreamOptions, "run" | "show">> {
  const show = version.name === "v1" ? await showEventsAsV1(db, request, run) : showContent(request.query);
  return { run, show: checkAnswers ? checkEvents(version, show) : show };
}

/** As steps that are read: what searches have found is shown to those who ask for it. */
function showContent(query: unknown): ShowEvent | undefined {
  if (asksForContent(query as IncludeQuery)) return undefined;
  return ({ event, data }) => {
    if (!event.startsWith("thread.run.step.") || !data.includes('"file_search"')) return { event, data };
    if (event === "thread.run.step.delta") return { event, data };
    return { event, data: JSON.stringify(showStep(JSON.parse(data) as RunStep, {})) };
  };
}
