// The scripted model: an HTTP server that speaks OpenAI's chat-completions protocol and answers by script, and makes
// embeddings that follow the spelling of words. It is the demo where there is no real model, and the upstream of tests and
// benchmarks. It knows nothing of the rest of this project.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { ApiError, badRequest, errorOfStatus } from "./api-error.ts";
import { buildAnswer } from "./chunks.ts";
import type { Identity } from "./chunks.ts";
import { answerAsDemo } from "./demo.ts";
import { isObject, parseJson } from "./json.ts";
import { createMemory } from "./memory.ts";
import type { Memory, RecordedRequest } from "./memory.ts";
import { sendCompletion, sendJson, sendScriptedError, sendStream } from "./reply.ts";
import type { FaultKind, Faults, Line } from "./reply.ts";
import type { ChatMessage, ChatRequest } from "./request.ts";
import { embed, rerank } from "./retrieval.ts";
import { findScript, turnIndex } from "./script.ts";
import type { Script, Turn } from "./script.ts";
import { validateRequest } from "./validate.ts";
import { createWire } from "./wire.ts";

const MAX_BODY_BYTES = 50 * 1024 * 1024;
const KEEP_ALIVE_MS = 120_000; // longer than clients keep idle connections, so that none is closed under a request
const MODELS = ["scripted-demo", "gpt-4o", "gpt-4o-mini"];

export type ScriptedModel = {
  /** Base URL for an OpenAI client; ends in /v1. */
  url: string;
  port: number;
  /** The newest requests, oldest first; a live array. */
  requests: RecordedRequest[];
  /** Open TCP connections, idle ones included. */
  openConnections(): number;
  /** Breaks off whatever is still being answered. */
  stop(): Promise<void>;
};

export type ScriptedModelOptions = {
  host: string;
  /** 0 takes any free port. */
  port: number;
  /** Told of failures inside the server, of which there should be none. */
  log?: (entry: Record<string, unknown>) => void;
};

/** Starts the server. Rejects when the address cannot be listened on. */
export async function startScriptedModel({ host, port, log }: ScriptedModelOptions): Promise<ScriptedModel> {
  const memory = createMemory();
  const sockets = new Set<Socket>();
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    response.setHeader("x-request-id", `req_${compactId()}`);
    route(memory, request, response).catch((error: unknown) => {
      if (!(error instanceof ApiError))
        log?.({ level: "error", msg: "the scripted model failed", error: String(error) });
      sendError(response, error);
    });
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, host, resolve));
  const address = server.address() as AddressInfo;
  return {
    url: `http://${reachable(host)}:${address.port}/v1`,
    port: address.port,
    requests: memory.requests,
    openConnections: () => sockets.size,
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function route(memory: Memory, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = "GET" } = request;
  const [path = "/", query] = (request.url ?? "/").split("?", 2);
  if (path === "/scripted/requests") {
    const recorded = inspect(memory, request, new URLSearchParams(query).get("key"));
    return sendJson(response, 200, { data: recorded });
  }
  requireKey(request);
  if (path === "/v1/chat/completions" && method === "POST") return complete(memory, request, response);
  if (path === "/v1/embeddings" && method === "POST") return retrieve(embed, memory, request, response);
  if (path === "/v1/rerank" && method === "POST") return retrieve(rerank, memory, request, response);
  if (path === "/v1/models" && method === "GET") {
    return sendJson(response, 200, { object: "list", data: MODELS.map(modelObject) });
  }
  if (path.startsWith("/v1/models/") && method === "GET") return sendJson(response, 200, modelObject(findModel(path)));
  const problem = `Unknown request URL: ${method} ${path}. Please check the URL for typos.`;
  throw new ApiError(404, problem, { code: "unknown_url" });
}

async function complete(memory: Memory, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { line, record, body } = await receive(memory, request, response);
  const script = findScript(messagesOf(body));
  record.key = script?.key ?? null;
  const chat = validateRequest(body);
  record.turn = script ? turnIndex(script, chat.messages) : null;
  await answer(line, chat, { memory, script, turnIndex: record.turn ?? 0 });
}

async function retrieve(
  serve: typeof embed,
  memory: Memory,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { line, record, body } = await receive(memory, request, response);
  await serve(line, { memory, record, body });
}

/** Reads a request and keeps it for tests to look at. */
async function receive(memory: Memory, request: IncomingMessage, response: ServerResponse) {
  const text = await readBody(request);
  const json = parseJson(text);
  const record = memory.record(json?.value ?? null, text.length);
  const wire = createWire(response, (aborted) => {
    Object.assign(record, { aborted, ended_at: Date.now(), status: response.headersSent ? response.statusCode : null });
  });
  if (!json) throw badRequest(NOT_JSON, null);
  return { line: { response, wire }, record, body: json.value };
}

async function answer(
  line: Line,
  request: ChatRequest,
  from: { memory: Memory; script: Script | null; turnIndex: number },
): Promise<void> {
  const { memory, script } = from;
  const turn = script?.turns[from.turnIndex] ?? answerAsDemo(request);
  const strikes = (kind: FaultKind | "error", times: number | undefined) =>
    memory.claimFault({ key: script?.key, turn: from.turnIndex, kind, times });

  if (turn.delay_ms) await line.wire.pause(turn.delay_ms);
  if (line.wire.isClosed()) return;
  if (turn.error && strikes("error", turn.error.times)) return sendScriptedError(line, turn.error);

  const identity: Identity = {
    id: `chatcmpl-${compactId()}`,
    created: Math.floor(Date.now() / 1000),
    model: request.model,
  };
  const said = buildAnswer(turn, request, identity);
  const faults = faultsOf(turn, (kind) => strikes(kind, turn.times));
  if (!request.stream) return sendCompletion(line, said, { identity, faults });
  const includeUsage = request.stream_options?.include_usage === true;
  await sendStream(line, said, {
    identity,
    faults,
    includeUsage,
    chunkMs: turn.chunk_ms ?? 0,
    stamp: turn.stamp ?? false,
  });
}

function faultsOf(turn: Turn, strikes: (kind: FaultKind) => boolean): Faults {
  const planned = { cut: turn.cut_after_chunks, hang: turn.hang_after_chunks, garbage: turn.garbage_after_chunks };
  const faults: Faults = new Map();
  for (const [kind, after] of Object.entries(planned) as [FaultKind, number | undefined][]) {
    if (after !== undefined && strikes(kind)) faults.set(kind, after);
  }
  return faults;
}

/** Requests hold what users wrote, so only this machine may read them, even when the model serves others. */
function inspect(memory: Memory, { method, socket }: IncomingMessage, key: string | null): RecordedRequest[] {
  const isLocal = /^(::1$|(::ffff:)?127\.)/.test(socket.remoteAddress ?? "");
  if (!isLocal) throw new ApiError(403, "The requests can only be read on the machine of the scripted model.");
  if (method === "DELETE") memory.clear(key ?? undefined);
  return memory.requests.filter((recorded) => key === null || recorded.key === key);
}

function requireKey({ headers }: IncomingMessage): void {
  if (/^Bearer\s+\S/.test(headers.authorization ?? "")) return;
  throw new ApiError(401, "You didn't provide an API key. The scripted model takes any: Authorization: Bearer ANY_KEY");
}

async function readBody(request: IncomingMessage): Promise<string> {
  if (Number(request.headers["content-length"]) > MAX_BODY_BYTES) throw bodyTooLarge();
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) throw bodyTooLarge();
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

function bodyTooLarge(): ApiError {
  return new ApiError(413, `The request is larger than ${MAX_BODY_BYTES} bytes.`);
}

const NOT_JSON =
  "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library " +
  "correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)";

/** The messages of a body that nobody has checked yet, so that a refused request is found under its key, too. */
function messagesOf(body: unknown): ChatMessage[] {
  const messages = isObject(body) ? body.messages : null;
  return Array.isArray(messages) ? (messages.filter(isObject) as ChatMessage[]) : [];
}

function findModel(path: string): string {
  const id = path.slice("/v1/models/".length);
  if (MODELS.includes(id)) return id;
  throw new ApiError(404, `The model '${id}' does not exist`, { param: "model", code: "model_not_found" });
}

function modelObject(id: string) {
  return { id, object: "model", created: 0, owned_by: "scripted-demo" };
}

function sendError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) response.destroy();
  else if (!response.destroyed) {
    const { status, body } = error instanceof ApiError ? error : errorOfStatus(500);
    sendJson(response, status, body);
  }
}

/** A host that a client on this machine can connect to. */
function reachable(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

function compactId(): string {
  return randomUUID().replaceAll("-", "");
}
