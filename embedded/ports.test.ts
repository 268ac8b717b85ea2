import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { CannotStart } from "./cannot-start.ts";
import { findPorts } from "./ports.ts";
import type { PortWish } from "./ports.ts";

const wish = (change: Partial<PortWish>): PortWish => ({
  part: "the API",
  variable: "PORT",
  host: "127.0.0.1",
  port: 0,
  ...change,
});

test("0 becomes a different free port for each part", async () => {
  const ports = await findPorts([wish({}), wish({}), wish({})]);
  assert.equal(new Set(ports).size, 3);
  assert.ok(ports.every((port) => port > 0));
});

test("a free port that was asked for is kept and is free again afterwards", async () => {
  const [port = 0] = await findPorts([wish({})]);
  assert.deepEqual(await findPorts([wish({ port })]), [port]);
});

test("every taken port is named together with the setting that changes it", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const temporal = { part: "Temporal", variable: "EMBEDDED_TEMPORAL_PORT", otherwise: "set TEMPORAL_ADDRESS" };
  await assert.rejects(findPorts([wish({ port })]), {
    name: "CannotStart",
    message: `Port ${port} on 127.0.0.1, for the API, is in use by another program. Stop that one, or set PORT to another port (0 = any free one).`,
  });
  await assert.rejects(
    findPorts([wish({}), wish({ ...temporal, port })]),
    /EMBEDDED_TEMPORAL_PORT .*set TEMPORAL_ADDRESS/,
  );
});

test("two parts that want the same port are told about each other", async () => {
  const [port = 0] = await findPorts([wish({})]);
  const twins = [wish({ port }), wish({ part: "Postgres", variable: "EMBEDDED_POSTGRES_PORT", port })];
  await assert.rejects(findPorts(twins), /for Postgres, is also wanted for the API\. Set EMBEDDED_POSTGRES_PORT/);
});

test("an address that this machine does not have is explained", async () => {
  await assert.rejects(findPorts([wish({ host: "192.0.2.1" })]), (error) => {
    return error instanceof CannotStart && error.message.includes("Correct HOST");
  });
});
