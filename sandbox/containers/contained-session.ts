// A session in a container, as a RunnerSession needs it. What the container says about itself is heard, and what its session says
// is passed on: neither is trusted.
import { z } from "zod";
import { SANDBOX_START_MS, SANDBOX_STOP_MS } from "../../contract/limits.ts";
import type { Loss } from "../driver.ts";
import { Beginning } from "../frames.ts";
import { readLines } from "../lines.ts";
import type { RunnerProcess } from "../runner-session.ts";
import { SandboxCrashed, wasShot } from "../sandbox-error.ts";
import { within } from "../within.ts";
import type { Container } from "./container-engine.ts";

const Walls = z.object({
  kernel: z.enum(["gvisor", "linux"]),
  root: z.boolean(),
  capabilities: z.boolean(),
  newPrivileges: z.boolean(),
  network: z.array(z.string()),
  writable: z.array(z.string()),
});
export type Walls = z.infer<typeof Walls>;

const Report = z.union([
  z.object({ walls: Walls }),
  z.object({ ended: z.enum(["memory", "cpu", "disk", "files", "threads", "forbidden", "exited"]) }),
]);

const MAX_NOISE_LENGTH = 2000;

/** Waits until the session is ready. Throws when that does not come about, or when `judge` does; the container has ended then. */
export async function beginContained(container: Container, judge: (walls: Walls) => void): Promise<RunnerProcess> {
  const walls = Promise.withResolvers<Walls>();
  const heard: { loss?: Loss; noise: string } = { noise: "" };
  let isKilled = false;
  const kill = () => {
    isKilled = true;
    container.kill();
  };
  const hearing = hear(container, (report) => {
    if (typeof report === "string") heard.noise = (heard.noise + report).slice(-MAX_NOISE_LENGTH);
    else if ("walls" in report) walls.resolve(report.walls);
    else {
      heard.loss ??= report.ended;
      setTimeout(container.kill, SANDBOX_STOP_MS).unref(); // it should end by itself
    }
  });
  const ended = Promise.all([container.ended, hearing]).then(([{ wasKilled }]): Loss => {
    if (heard.loss !== undefined) return heard.loss;
    if (isKilled) return "killed";
    return wasKilled ? "memory" : "exited";
  });
  // Whoever reads what it said last does so now.
  void ended.then(() => setTimeout(() => container.output.destroy(), SANDBOX_STOP_MS).unref());
  const lines = readLines(container.output);
  container.input.on("error", () => {}); // seen as its end
  const order = (what: string) => () => {
    if (container.input.writable) container.input.write(`!${what}\n`);
  };
  try {
    const early = ended.then((loss) => Promise.reject(toStartError(loss, heard.noise.trim())));
    const [{ value = "{}" }] = await within(
      SANDBOX_START_MS,
      Promise.race([Promise.all([nextOrNever(lines), walls.promise.then(judge)]), early]),
    );
    const beginning = Beginning.parse(JSON.parse(value));
    if (beginning.type === "broken") throw new Error(`A session cannot be locked in: ${beginning.message}`);
    return {
      lines,
      input: container.input,
      go: order("go"),
      rest: order("rest"),
      interrupt: order("interrupt"),
      kill,
      ended,
    };
  } catch (error) {
    kill();
    await ended;
    throw error;
  }
}

function toStartError(loss: Loss, noise: string): Error {
  const what = `A container has ended at once (${loss}): ${noise}`;
  return wasShot(loss) ? new SandboxCrashed(what) : new Error(what);
}

/** Why there are none is known when the container has ended. */
async function nextOrNever(lines: AsyncGenerator<string, undefined>): Promise<IteratorResult<string, undefined>> {
  const first = await lines.next().catch(() => undefined);
  return first === undefined || first.done === true ? new Promise(() => {}) : first;
}

/** Never fails. What cannot be read as a report is passed on as it is. */
async function hear(container: Container, tell: (report: z.infer<typeof Report> | string) => void): Promise<void> {
  try {
    for await (const line of readLines(container.reports)) {
      const report = parseReport(line);
      tell(report ?? `${line}\n`);
    }
  } catch {
    container.kill(); // lines without end
    container.reports.resume();
  }
}

function parseReport(line: string): z.infer<typeof Report> | undefined {
  try {
    return Report.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
