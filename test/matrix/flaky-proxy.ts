// An HTTP proxy in front of the server that refuses at first, for SDKs to show that they try again. A request with the
// header `x-matrix-key` is counted under that key, and the first two of a key get a 429. With `x-matrix-pass: yes` it is
// counted and passed at once. `GET <url>/matrix/count/<key>` says how many have come.
import { once } from "node:events";
import { createServer, request as requestUpstream } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";

export interface FlakyProxy {
  /** Base URL, with /v1. */
  url: string;
  stop(): Promise<void>;
}

/** As many as the official SDKs try again unless told otherwise. */
const REFUSALS = 2;
const RETRY_AFTER_MS = 10;
const COUNT = /^\/v1\/matrix\/count\/([^/]+)$/;

/** Starts a proxy in front of a server on this machine. */
export async function startFlakyProxy(target: URL): Promise<FlakyProxy> {
  const counts = new Map<string, number>();
  const server = createServer((request, response) => {
    const [, counted] = COUNT.exec(request.url ?? "") ?? [];
    if (counted !== undefined) return sendJson(response, 200, { count: counts.get(decodeURIComponent(counted)) ?? 0 });
    const key = request.headers["x-matrix-key"];
    if (typeof key !== "string") return forward(target, request, response);
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    const isRefused = count <= REFUSALS && request.headers["x-matrix-pass"] !== "yes";
    return isRefused ? refuse(request, response) : forward(target, request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

function refuse(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  response.setHeader("retry-after-ms", String(RETRY_AFTER_MS));
  const message = "You've exceeded the rate limit, please slow down and try again later.";
  const error = { message, type: "invalid_request_error", param: null, code: "rate_limit_exceeded" };
  sendJson(response, 429, { error });
}

function forward(target: URL, request: IncomingMessage, response: ServerResponse): void {
  const { method, headers } = request;
  const upstream = requestUpstream(new URL(request.url ?? "/", target), { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    pipeline(answer, response, () => undefined);
  });
  pipeline(request, upstream, (error) => {
    if (error) response.destroy();
  });
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.statusCode = status;
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(body));
}
