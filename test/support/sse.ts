// Reads server-sent events as they come over the wire, which the SDKs hide: ids, framing, and where a stream breaks off.
import assert from "node:assert/strict";

export interface Frame {
  id: number | undefined;
  event: string;
  /** The text behind `data:`. */
  data: string;
}

/** Reads the frames of a response until it ends or the reader stops. Checks that the framing is the documented one. */
export async function* readFrames(response: Response): AsyncGenerator<Frame, void, void> {
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "text/event-stream; charset=utf-8");
  assert.match(response.headers.get("x-request-id") ?? "", /^req_[0-9a-f]{32}$/);
  assert.ok(response.body);
  let text = "";
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n")) {
      const block = text.slice(0, end);
      text = text.slice(end + 2);
      if (!block.startsWith(":")) yield parseFrame(block);
    }
  }
  assert.equal(text, "", "the stream ends with a whole frame");
}

function parseFrame(block: string): Frame {
  const found = /^(?:id: (\d+)\n)?event: ([a-z_.]+)\ndata: ([^\r\n]*)$/.exec(block);
  assert.ok(found, `not a frame: ${block}`);
  const [, id, event = "", data = ""] = found;
  return { id: id === undefined ? undefined : Number(id), event, data };
}

export interface SentEvent {
  id: number | undefined;
  event: string;
  /** The parsed payload; `[DONE]` as text. */
  data: unknown;
}

/** The same, with payloads parsed. */
export async function* readEvents(response: Response): AsyncGenerator<SentEvent, void, void> {
  for await (const { id, event, data } of readFrames(response)) {
    yield { id, event, data: event === "done" ? data : (JSON.parse(data) as unknown) };
  }
}

/** The text that the deltas of one message add up to. */
export function textOf(events: readonly SentEvent[], messageId: string): string {
  return events
    .filter(({ event }) => event === "thread.message.delta")
    .map(({ data }) => data as { id: string; delta: { content: { text: { value: string } }[] } })
    .filter((delta) => delta.id === messageId)
    .map((delta) => delta.delta.content[0]?.text.value ?? "")
    .join("");
}
