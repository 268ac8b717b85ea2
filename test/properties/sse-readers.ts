// Readers of server-sent events, as clients have them: the SDK for Python, in this language, and any bytes in any chunks.
import type { StreamedEvent } from "../support/event-grammar.ts";

/** Cuts bytes at the given places, in whatever order they are; a character or a line end may be cut apart. */
export function inChunks(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...places].map((start, index) => bytes.slice(start, places[index] ?? bytes.length));
}

/** An answer that brings these bytes, each chunk in a read of its own. */
export function toResponse(chunks: readonly Uint8Array[]): Response {
  const body = new ReadableStream({
    start(controller) {
      for (const chunk of chunks) if (chunk.length > 0) controller.enqueue(chunk);
      controller.close();
    },
  });
  const headers = {
    "content-type": "text/event-stream; charset=utf-8",
    "x-request-id": `req_${"0".repeat(32)}`,
  };
  return new Response(body, { headers });
}

/** Reads like `openai` for Python from 1.14 on: bytes up to an empty line, then lines, then fields. */
export function readAsPython(chunks: readonly Uint8Array[]): StreamedEvent[] {
  const events: StreamedEvent[] = [];
  for (const block of splitAtEmptyLines(chunks)) {
    let event = "";
    const data: string[] = [];
    for (const line of splitLines(block)) {
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(line).replace(/[\r\n]+$/, "");
      const [, field, value = ""] = /^([^:]*):? ?([^]*)$/.exec(text) ?? [];
      if (field === "event") event = value;
      if (field === "data") data.push(value);
    }
    const text = data.join("\n");
    if (text.startsWith("[DONE]")) return events;
    if (event !== "" || data.length > 0) events.push({ event, data: JSON.parse(text) as unknown });
  }
  return events;
}

function splitAtEmptyLines(chunks: readonly Uint8Array[]): Buffer[] {
  const blocks: Buffer[] = [];
  let block = Buffer.alloc(0);
  for (const line of chunks.flatMap(splitLines)) {
    block = Buffer.concat([block, line]);
    const end = block.subarray(-4).toString("latin1");
    if (!/(?:\n\n|\r\r|\r\n\r\n)$/.test(end)) continue;
    blocks.push(block);
    block = Buffer.alloc(0);
  }
  return block.length > 0 ? [...blocks, block] : blocks;
}

/** Python's `bytes.splitlines(keepends=True)`. */
function splitLines(bytes: Uint8Array): Buffer[] {
  const lines = Buffer.from(bytes)
    .toString("latin1")
    .match(/[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$/g);
  return (lines ?? []).map((line) => Buffer.from(line, "latin1"));
}
