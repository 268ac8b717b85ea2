// A TCP proxy that makes a network bad: it cuts connections, lets them hang, delays them, or cuts them at any byte.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

export interface TcpProxy {
  host: string;
  port: number;
  /** host:port */
  address: string;
  /** Closes every connection. New ones pass. */
  cutAll(): void;
  /** Closes every connection and takes no new one, until `heal`. */
  refuse(): void;
  /** Takes connections and bytes, and passes nothing on, until `heal` lets it all through. */
  hang(): void;
  /** The connections that are open now never pass anything again, and are not closed either. New ones pass. */
  forget(): void;
  /** Every byte comes so much later, in both directions, until `heal`. */
  delay(ms: number): void;
  /** Closes each new connection when so many bytes have come from the server, until `heal`. */
  cutAnswersAfter(bytes: () => number): void;
  /** Closes every connection and answers on each new one with these bytes, whatever is asked, until `heal`. */
  answer(bytes: string): void;
  heal(): void;
  /** Open connections. */
  open(): number;
  close(): void;
}

type Mode =
  | { kind: "answer"; bytes: string }
  | { kind: "pass" }
  | { kind: "refuse" }
  | { kind: "hang" }
  | { kind: "delay"; ms: number };

/** @param target host:port of the server */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port: targetPort } = new URL(`tcp://${target}`);
  const lines = new Set<Line>();
  let mode: Mode = { kind: "pass" };
  let budget: (() => number) | undefined;

  const server = createServer((client) => {
    if (mode.kind === "refuse") return void client.destroy();
    if (mode.kind === "answer") return answerAll(client, mode.bytes);
    const upstream = connect({ host: hostname, port: Number(targetPort) });
    const line = new Line(client, upstream, () => mode, budget?.());
    lines.add(line);
    line.closed.finally(() => lines.delete(line)).catch(() => undefined);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  const cutAll = () => {
    for (const line of lines) line.cut();
  };
  return {
    host: "127.0.0.1",
    port,
    address: `127.0.0.1:${port}`,
    cutAll,
    refuse() {
      mode = { kind: "refuse" };
      cutAll();
    },
    hang() {
      mode = { kind: "hang" };
    },
    forget() {
      for (const line of lines) line.isForgotten = true;
    },
    delay(ms) {
      mode = { kind: "delay", ms };
    },
    answer(bytes) {
      mode = { kind: "answer", bytes };
      cutAll();
    },
    cutAnswersAfter(bytes) {
      budget = bytes;
      cutAll();
    },
    heal() {
      mode = { kind: "pass" };
      budget = undefined;
      for (const line of lines) line.release();
    },
    open: () => lines.size,
    close() {
      server.close();
      cutAll();
    },
  };
}

/** The client may still be sending: it is heard to its end, so that it sees the answer and not a reset. */
function answerAll(client: Socket, bytes: string): void {
  client.on("error", () => undefined);
  client.resume();
  client.once("data", () => void client.end(bytes));
}

/** One connection: two directions, each of which keeps its order. */
class Line {
  isForgotten = false;
  readonly closed: Promise<void>;
  readonly #sockets: readonly Socket[];
  readonly #held: (() => void)[] = [];
  readonly #mode: () => Mode;
  #budget: number;
  /** Pieces that are being delayed, and for how long: those behind them have to be, too. */
  #delayed = 0;
  #delayMs = 0;

  constructor(client: Socket, upstream: Socket, mode: () => Mode, budget = Number.POSITIVE_INFINITY) {
    this.#sockets = [client, upstream];
    this.#mode = mode;
    this.#budget = budget;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    for (const [from, to] of [[client, upstream] as const, [upstream, client] as const]) {
      from.setNoDelay(true);
      from.on("error", () => undefined);
      from.on("data", (bytes: Buffer) => this.#pass(() => this.#forward(from === upstream, to, bytes)));
      from.on("end", () => this.#pass(() => void to.end()));
      from.once("close", () => {
        // Behind what is still on its way.
        this.#pass(() => this.cut());
        resolve();
      });
    }
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Lets through what was held back. */
  release(): void {
    if (!this.isForgotten) for (const pass of this.#held.splice(0)) pass();
  }

  #pass(work: () => void): void {
    if (this.isForgotten) return;
    const mode = this.#mode();
    if (mode.kind === "hang" || this.#held.length > 0) this.#held.push(work);
    else if (mode.kind === "delay" || this.#delayed > 0) this.#passLater(mode.kind === "delay" ? mode.ms : 0, work);
    else work();
  }

  #passLater(ms: number, work: () => void): void {
    this.#delayMs = Math.max(this.#delayed === 0 ? 0 : this.#delayMs, ms);
    this.#delayed += 1;
    setTimeout(() => {
      this.#delayed -= 1;
      work();
    }, this.#delayMs);
  }

  #forward(isAnswer: boolean, to: Socket, bytes: Buffer): void {
    if (to.destroyed) return;
    if (!isAnswer) return void to.write(bytes);
    const allowed = bytes.subarray(0, this.#budget);
    this.#budget -= allowed.length;
    to.write(allowed);
    if (this.#budget <= 0) {
      for (const socket of this.#sockets) socket.destroySoon();
    }
  }
}
