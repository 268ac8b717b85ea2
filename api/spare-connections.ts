// Connections that clients open ahead and have not used yet. Node does not count them as idle, so that a server that
// stops would wait for each of them until its time is up.
import type { Server } from "node:http";
import type { Socket } from "node:net";

/** Returns the function that closes the connections on which no request has come, now and from then on. */
export function watchSpareConnections(server: Server): () => void {
  const spare = new Set<Socket>();
  let closing = false;
  server.on("connection", (socket: Socket) => {
    if (closing) {
      socket.destroy();
      return;
    }
    spare.add(socket);
    socket.once("close", () => spare.delete(socket));
  });
  server.on("request", ({ socket }) => spare.delete(socket));
  return () => {
    closing = true;
    for (const socket of spare) socket.destroy();
  };
}
