// The socket at which sessions call before they are locked in. Each says by a token which one it is.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { Socket } from "node:net";
import { join } from "node:path";
import { Hello } from "./frames.ts";
import { readLines } from "./lines.ts";

export interface Arrival {
  socket: Socket;
  /** What follows the token. */
  lines: AsyncGenerator<string, undefined>;
}

export interface Arrivals {
  /** Path of the socket. */
  readonly path: string;
  /** A new token, and whoever comes with it. `forget` it when nobody shall come any more. */
  expect(): { token: string; arrival: Promise<Arrival>; forget: () => void };
  close(): Promise<void>;
}

/** @param parent the path of a socket may be some 100 characters long: not every folder will do */
export async function openArrivals(parent: string): Promise<Arrivals> {
  const folder = join(parent, "calls");
  await mkdir(folder, { mode: 0o700 }); // only we may open it
  const expected = new Map<string, (arrival: Arrival) => void>();
  const server = createServer((socket) => {
    socket.on("error", () => {}); // seen as the end of its lines
    const lines = readLines(socket);
    const greet = ({ value }: IteratorResult<string, undefined>) => {
      const token = Hello.safeParse(parseJson(value)).data?.token ?? "";
      const welcome = expected.get(token);
      expected.delete(token);
      if (welcome === undefined) socket.destroy();
      else welcome({ socket, lines });
    };
    lines.next().then(greet, () => socket.destroy());
  });
  const path = join(folder, "s");
  server.listen(path);
  await once(server, "listening");
  return {
    path,
    expect() {
      const token = randomBytes(16).toString("hex");
      const arrival = new Promise<Arrival>((resolve) => expected.set(token, resolve));
      return { token, arrival, forget: () => void expected.delete(token) };
    },
    async close() {
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function parseJson(text = ""): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
