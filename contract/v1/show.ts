// Any answer or event of version 2, as clients of version 1 read it. Objects say themselves what they are.
import type { Assistant } from "../assistant.ts";
import type { MessageDelta, RunStepDelta } from "../events.ts";
import type { Message } from "../message.ts";
import type { Run } from "../run.ts";
import type { RunStep } from "../run-step.ts";
import type { Thread } from "../thread.ts";
import { toV1MessageDelta, toV1RunStepDelta } from "./events.ts";
import { toV1Assistant, toV1Message, toV1Run, toV1RunStep, toV1Thread } from "./objects.ts";

type Shown = Assistant | Thread | Message | Run | RunStep | MessageDelta | RunStepDelta;

/** What version 1 shows and version 2 does not. */
export interface V1Extras {
  /** The files that are listed for an assistant, a message or a run. */
  filesOf: (id: string) => string[];
  /** What the marker of a citation quotes, given the run that wrote it; that of a piece of a message is not known. */
  quoteOf: (runId: string | null, marker: string) => string;
}

/** Lists are shown item by item; what version 1 shares with version 2 is given back as it is. */
export function toV1(answer: unknown, extras: V1Extras): unknown {
  if (typeof answer !== "object" || answer === null) return answer;
  if (isList(answer)) return { ...answer, data: answer.data.map((item) => toV1(item, extras)) };
  const { filesOf, quoteOf } = extras;
  const shown = answer as Shown;
  switch (shown.object) {
    case "assistant":
      return toV1Assistant(shown, filesOf(shown.id));
    case "thread":
      return toV1Thread(shown);
    case "thread.message":
      return toV1Message(shown, filesOf(shown.id), (marker) => quoteOf(shown.run_id, marker));
    case "thread.run":
      return toV1Run(shown, filesOf(shown.id));
    case "thread.run.step":
      return toV1RunStep(shown);
    case "thread.message.delta":
      return toV1MessageDelta(shown, (marker) => quoteOf(null, marker));
    case "thread.run.step.delta":
      return toV1RunStepDelta(shown);
    default:
      return answer;
  }
}

/** A run that version 1 does not call incomplete must not end with an event of that name. */
export function toV1EventName(event: string): string {
  return event === "thread.run.incomplete" ? "thread.run.completed" : event;
}

/** The runs whose messages in an answer cite something. */
export function runsThatCite(answer: unknown): string[] {
  if (typeof answer !== "object" || answer === null) return [];
  if (isList(answer)) return answer.data.flatMap(runsThatCite);
  const shown = answer as Shown;
  if (shown.object !== "thread.message" || shown.run_id === null) return [];
  const cites = shown.content.some((part) => part.type === "text" && part.text.annotations.length > 0);
  return cites ? [shown.run_id] : [];
}

/** The ids of everything in an answer that has a list of files in version 1. Routes may hold the run of their answer beside other things. */
export function idsWithFiles(answer: unknown): string[] {
  if (typeof answer !== "object" || answer === null) return [];
  if (isList(answer)) return answer.data.flatMap(idsWithFiles);
  if ("run" in answer) return idsWithFiles(answer.run);
  const { object, id } = answer as Shown;
  return object === "assistant" || object === "thread.message" || object === "thread.run" ? [id] : [];
}

function isList(answer: object): answer is { object: "list"; data: unknown[] } {
  return "data" in answer && Array.isArray(answer.data);
}
