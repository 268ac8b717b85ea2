// Serves the metrics at an address of their own: they are about all projects, so no API key opens them, and whoever can
// reach the address can read them.
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { Metrics } from "./metrics.ts";

export interface MetricsAddress {
  host: string;
  port: number;
}

/** Listens until the server is closed. */
export async function serveMetrics(metrics: Pick<Metrics, "read">, { host, port }: MetricsAddress): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.method !== "GET" || request.url?.split("?", 1)[0] !== "/metrics") {
      response.writeHead(404).end();
      return;
    }
    metrics.read().then(
      ({ text, contentType }) => response.writeHead(200, { "content-type": contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return server;
}
