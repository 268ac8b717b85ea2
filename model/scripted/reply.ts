// Sends one turn to the client: at the pace and with the faults that the turn asks for.
import type { ServerResponse } from "node:http";
import type { ChatCompletionChunk } from "openai/resources/chat/completions";
import { errorOfStatus } from "./api-error.ts";
import { completion, streamChunks } from "./chunks.ts";
import type { Answer, Identity } from "./chunks.ts";
import type { Turn } from "./script.ts";
import type { Wire } from "./wire.ts";

const MAX_BATCH_CHARS = 16 * 1024;
const GARBAGE = '{"this is": not JSON';

export type FaultKind = "cut" | "hang" | "garbage";
/** After how many chunks of content each fault of a turn strikes. */
export type Faults = Map<FaultKind, number>;

export type Line = { response: ServerResponse; wire: Wire };

/** Answers with the error of a turn. */
export function sendScriptedError({ response }: Line, error: NonNullable<Turn["error"]>): void {
  if (error.retry_after !== undefined) response.setHeader("retry-after", String(error.retry_after));
  if (error.retry_after_ms !== undefined) response.setHeader("retry-after-ms", String(error.retry_after_ms));
  sendJson(response, error.status, error.body ?? errorOfStatus(error.status).body);
}

/** Answers a request without `stream`. A fault strikes in place of the whole answer. */
export async function sendCompletion(
  { response, wire }: Line,
  answer: Answer,
  reply: { identity: Identity; faults: Faults },
): Promise<void> {
  if (reply.faults.has("cut")) return wire.cut();
  if (reply.faults.has("hang")) return wire.hang();
  sendJson(response, 200, reply.faults.has("garbage") ? GARBAGE : completion(answer, reply.identity));
}

/**
 * Answers a request with `stream`. Without `chunkMs` everything leaves in as few writes as possible; with it, chunk n
 * leaves n times `chunkMs` after the first, however late a timer was.
 */
export async function sendStream(
  { response, wire }: Line,
  answer: Answer,
  reply: { identity: Identity; faults: Faults; includeUsage: boolean; chunkMs: number; stamp: boolean },
): Promise<void> {
  const faults = new Map(reply.faults);
  if (faults.get("cut") === 0) return wire.cut();
  if (faults.get("hang") === 0) return wire.hang();
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  let batch = "";
  let sent = 0;
  const startedAt = performance.now();
  for (const { chunk, isContent } of streamChunks(answer, reply.identity, reply.includeUsage)) {
    if (faults.get("garbage") === sent) {
      faults.delete("garbage");
      batch += `data: ${GARBAGE}\n\n`;
    }
    const fault = faults.get("cut") === sent ? "cut" : faults.get("hang") === sent ? "hang" : null;
    const isPaced = isContent && sent > 0 && reply.chunkMs > 0;
    if (fault || isPaced || batch.length > MAX_BATCH_CHARS) {
      await wire.write(batch);
      batch = "";
    }
    if (fault) return wire[fault]();
    const waitMs = startedAt + sent * reply.chunkMs - performance.now();
    if (isPaced && waitMs > 0) await wire.pause(waitMs);
    if (wire.isClosed()) return;
    if (reply.stamp) stampText(chunk);
    batch += `data: ${JSON.stringify(chunk)}\n\n`;
    if (isContent) sent++;
  }
  response.end(`${batch}data: [DONE]\n\n`);
}

function stampText(chunk: ChatCompletionChunk): void {
  const delta = chunk.choices[0]?.delta;
  if (delta?.content) delta.content = `${Date.now()} `;
}

/** Sends JSON; a string is taken to be the finished body. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  response.end(text);
}
