import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { watchSpareConnections } from "./spare-connections.ts";

test("a server that stops does not wait for connections without a request, and lets open requests end", async () => {
  const server = createServer((_request, response) => void response.flushHeaders());
  const closeSpare = watchSpareConnections(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const spare = connect(port, "127.0.0.1").on("error", () => undefined);
  const used = connect(port, "127.0.0.1");
  const asked = once(server, "request") as Promise<[unknown, { end: (text: string) => void }]>;
  used.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const [, response] = await asked;
  const closed = once(server, "close");
  server.close();
  closeSpare();
  await once(spare, "close");
  response.end("done");
  assert.match(String(await once(used, "data")), /200 OK/);
  used.end();
  await closed;
});
