// A bucket whose server is killed and started again, is slow, answers 503, cuts connections in the middle, or falls silent.
import { setTimeout as sleep } from "node:timers/promises";
import { lasting } from "../faults/blow.ts";
import type { Blow } from "../faults/blow.ts";
import type { TcpProxy } from "../faults/tcp-proxy.ts";
import type { World } from "../faults/world.ts";

const SLOW_DOWN =
  "<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your rate.</Message></Error>";
const ANSWER_503 = `HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nContent-Length: ${SLOW_DOWN.length}\r\nConnection: close\r\n\r\n${SLOW_DOWN}`;

const bucketWorld = { bucket: true } as const;

/** Killed with -9, and started again on its data. */
export const bucketKill: Blow = {
  hits: ["blobs"],
  world: bucketWorld,
  async strike(stage) {
    const server = stage.world.s3;
    stage.struck();
    await server?.kill();
    await sleep(stage.random.int(0, 3000));
    await server?.start();
    stage.healed();
  },
};

export const bucketBusy: Blow = {
  hits: ["blobs"],
  world: bucketWorld,
  strike: lasting([2000, 5000], ({ world }) => {
    networkOf(world).answer(ANSWER_503);
    return networkOf(world).heal;
  }),
};

export const bucketSlow: Blow = {
  hits: ["blobs"],
  world: bucketWorld,
  strike: lasting([3000, 8000], ({ world, random }) => {
    networkOf(world).delay(random.int(20, 200));
    return networkOf(world).heal;
  }),
};

/** Every second connection is cut after some bytes of answer. */
export const bucketCuts: Blow = {
  hits: ["blobs"],
  world: bucketWorld,
  strike: lasting([1000, 4000], ({ world, random }) => {
    const lots = random.fork();
    networkOf(world).cutAnswersAfter(() => (lots.chance(0.5) ? lots.int(1, 20_000) : Number.POSITIVE_INFINITY));
    return networkOf(world).heal;
  }),
};

/** Connections that are open fall silent and are not closed, and new ones pass. */
export const bucketSilent: Blow = {
  hits: ["blobs"],
  world: bucketWorld,
  load: { restMs: 400_000 },
  async strike(stage) {
    stage.struck();
    networkOf(stage.world).forget();
    stage.healed();
  },
};

function networkOf({ network }: World): TcpProxy {
  if (network.bucket === undefined) throw new Error("the scenario has no bucket");
  return network.bucket;
}
