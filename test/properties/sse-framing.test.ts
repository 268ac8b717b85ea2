// The frames of a stream on the wire: however nasty the text and however the bytes are cut on their way, every reader
// finds the same events in them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { collect, GENERATIONS } from "../api/sdk.ts";
import { checkOrder } from "../support/event-grammar.ts";
import { holdsForAll } from "../support/property.ts";
import { readEvents } from "../support/sse.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { anyRun } from "./model-outputs.ts";
import { replay } from "./replay.ts";
import { inChunks, readAsPython, toResponse } from "./sse-readers.ts";
import { makeAssistant, play } from "./streamed-run.ts";
import type { Recording } from "./streamed-run.ts";

let stack: Stack;
let assistant: string;
before(async () => {
  stack = await startStack();
  assistant = await makeAssistant(stack);
});
after(() => stack.stop());

/** Places at which bytes are cut: a few far from each other, or many. */
const anyCuts = fc.oneof(
  fc.array(fc.nat(), { minLength: 1, maxLength: 20 }),
  fc.array(fc.nat(), { minLength: 200, maxLength: 400 }),
);

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Holds the bytes themselves against the documented frame, without any reader. */
function checkFrames({ bytes, events }: Recording): void {
  assert.ok(!bytes.includes(CARRIAGE_RETURN), "lines end with \\n only");
  assert.deepEqual(bytes.slice(-2), Uint8Array.of(NEWLINE, NEWLINE));
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  const frames = text.split("\n\n").filter((frame) => !frame.startsWith(":"));
  assert.equal(frames.pop(), "");
  assert.equal(frames.length, events.length);
  for (const frame of frames) {
    const lines = frame.split("\n");
    assert.equal(lines.length, 2, `an event line and a data line: ${frame}`);
    const [event = "", data = ""] = lines;
    assert.match(event, /^event: (?:thread\.[a-z_.]+|done)$/);
    assert.ok(data.startsWith("data: "));
    if (event === "event: done") assert.equal(data, "data: [DONE]");
    else checkJson(data.slice("data: ".length));
  }
}

/** Compact: no white space but inside of strings. */
function checkJson(json: string): void {
  assert.ok(typeof JSON.parse(json) === "object");
  assert.doesNotMatch(json.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""'), /\s/);
}

/** Each reader, given the same bytes in the same chunks, against the events. */
async function checkReaders(recording: Recording, chunks: readonly Uint8Array[]): Promise<void> {
  const shown = recording.events.filter(({ event }) => event !== "done");
  const strictly = await collect(readEvents(toResponse(chunks)));
  assert.deepEqual(
    strictly.map(({ event, data }) => ({ event, data })),
    recording.events,
  );
  assert.deepEqual(readAsPython(chunks), shown);
  for (const generation of GENERATIONS) {
    assert.deepEqual((await replay(recording, chunks, generation)).events, shown);
  }
}

test("whatever a model says and wherever the bytes are cut, frames are whole and all readers find the same in them", async (t) => {
  const cases = fc.record({ plan: anyRun, cuts: fc.array(anyCuts, { minLength: 2, maxLength: 2 }) });
  await holdsForAll({ test: t, cases: 96, atATime: 12 }, cases, async ({ plan, cuts }) => {
    for (const recording of (await play(stack, assistant, plan)).recordings) {
      checkOrder(recording.events, { kind: recording.kind });
      checkFrames(recording);
      for (const places of cuts) await checkReaders(recording, inChunks(recording.bytes, places));
    }
  });
});
