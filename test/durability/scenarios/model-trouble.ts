// An endpoint of the model that is busy, fails, says garbage, breaks off, or falls silent.
import { badTurns, cutAnswers, silence } from "../blows/model-trouble.ts";
import { scenarioOf } from "./scenario-of-blows.ts";

export const modelTrouble = scenarioOf({
  name: "model in trouble",
  fault: "429 storms with Retry-After, 5xx storms, garbage and cut streams, one to nine times for each turn",
  load: { taste: 15, bounded: 90, long: 300 },
  mix: { atATime: 20 },
  rhythms: () => [{ blow: badTurns, betweenMs: [0, 0], times: 1 }],
});

export const modelCut = scenarioOf({
  name: "model cut at any byte",
  fault: "for 1 to 3 s every second connection is cut after some bytes of answer, by the model's endpoint",
  load: { taste: 15, bounded: 90, long: 250 },
  rhythms: (extent) => [
    { blow: cutAnswers, betweenMs: [500, 2000], times: { taste: 1, bounded: 4, long: 10 }[extent] },
  ],
});

export const modelHangs = scenarioOf({
  name: "model hangs",
  fault: "connections fall silent and are not closed, by the model's endpoint",
  load: { taste: 10, bounded: 40, long: 100 },
  rhythms: () => [{ blow: silence, firstMs: [500, 1500], betweenMs: [0, 0], times: 1 }],
});
