// A TCP proxy in front of a server, which can lose an answer: the server has done its work and the client never hears.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

export interface Proxy {
  /** The server's URL with the proxy's address in it. */
  url: string;
  /** The next request passes; its answer is thrown away and the connection cut. */
  loseNextAnswer(): void;
  /** Resolves when that has happened. */
  lost(): Promise<void>;
  /** Cuts every connection and takes no more. */
  refuse(): void;
  /** Takes connections again. */
  accept(): void;
  close(): void;
}

export async function startProxy(target: URL): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let losing = false;
  let refusing = false;
  let lost = Promise.withResolvers<void>();
  const server = createServer((client) => {
    if (refusing) {
      client.destroy();
      return;
    }
    const upstream = connect({ host: target.hostname, port: Number(target.port) });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.once("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream);
    upstream.on("data", (answer: Buffer) => {
      if (!losing) {
        client.write(answer);
        return;
      }
      losing = false;
      client.destroy();
      lost.resolve();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(target);
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    loseNextAnswer() {
      losing = true;
      lost = Promise.withResolvers();
    },
    lost: () => lost.promise,
    refuse() {
      refusing = true;
      for (const socket of sockets) socket.destroy();
    },
    accept() {
      refusing = false;
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
