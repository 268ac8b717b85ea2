// Looks at every port before anything is started, so that a taken one is one clear message and nothing half started.
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { CannotStart } from "./cannot-start.ts";

export interface PortWish {
  /** What listens there, for the message. */
  part: string;
  /** The setting that chooses it. */
  variable: string;
  host: string;
  /** 0 means any free port. */
  port: number;
  /** What else can be done when it is taken. */
  otherwise?: string;
}

/** Resolves to the ports to use, in the order of the wishes. Throws `CannotStart` that names every port that cannot be had. */
export async function findPorts(wishes: PortWish[]): Promise<number[]> {
  const ports: number[] = [];
  const problems: string[] = [];
  const held: Server[] = [];
  // Each port is held until all were looked at: so two wishes for the same one are noticed, and no free one is given twice.
  for (const wish of wishes) {
    try {
      const server = await listen(wish);
      held.push(server);
      ports.push((server.address() as AddressInfo).port);
    } catch (error) {
      problems.push(describe(wish, error as NodeJS.ErrnoException, wishes));
    }
  }
  await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
  if (problems.length > 0) throw new CannotStart(problems.join("\n"));
  return ports;
}

function listen({ host, port }: PortWish): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ host, port, exclusive: true }, () => resolve(server));
  });
}

function describe(wish: PortWish, error: NodeJS.ErrnoException, wishes: PortWish[]): string {
  const { part, variable, host, port, otherwise } = wish;
  const where = `Port ${port} on ${host}, for ${part},`;
  const twin = wishes.find((other) => other !== wish && other.port === port);
  if (error.code === "EADDRINUSE" && twin)
    return `${where} is also wanted for ${twin.part}. Set ${variable} to another port than ${twin.variable}.`;
  if (error.code === "EADDRINUSE") {
    const hint = otherwise ? `, or ${otherwise}` : "";
    return `${where} is in use by another program. Stop that one, or set ${variable} to another port (0 = any free one)${hint}.`;
  }
  if (error.code === "EACCES")
    return `${where} may not be used by a normal user. Set ${variable} to a port above 1023.`;
  if (error.code === "EADDRNOTAVAIL" || error.code === "ENOTFOUND")
    return `${where} cannot be had: ${host} is not an address of this machine. Correct HOST.`;
  return `${where} cannot be had (${error.message}). Set ${variable} to another port.`;
}
