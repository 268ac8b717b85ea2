// What streams are compared with: a proxy that does nothing but hand a model's stream on.
import { Agent, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { loadConfig } from "../../config.ts";

const { OPENAI_BASE_URL = "", OPENAI_API_KEY = "none" } = loadConfig();
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

const server = createServer((incoming, outgoing) => {
  const options = {
    agent,
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${OPENAI_API_KEY}` },
  };
  const upstream = request(`${OPENAI_BASE_URL}/chat/completions`, options, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  upstream.once("error", () => outgoing.destroy());
  incoming.pipe(upstream);
});
server.listen(0, "127.0.0.1", () => {
  process.send?.({ type: "ready", url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` });
});
process.once("disconnect", () => process.exit());
process.once("SIGTERM", () => process.exit());
