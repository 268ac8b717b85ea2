// An embedding endpoint that is busy, fails, says garbage, gives too few or too many vectors, breaks off, falls silent, or
// is not there.
import { setTimeout as sleep } from "node:timers/promises";
import type { EmbeddingAnswer } from "../../support/embedding-server.ts";
import { lasting } from "../faults/blow.ts";
import type { Blow } from "../faults/blow.ts";
import type { Random } from "../faults/random.ts";

/** For a few seconds most requests go wrong, each in a way of its own. Not for long: a file has ten failures. */
export const badEmbeddings: Blow = {
  hits: ["embeddings"],
  strike: lasting([2000, 5000], ({ world, random }) => {
    const lots = random.fork();
    world.embeddings.always(() => chooseAnswer(lots));
    return () => world.embeddings.always(undefined);
  }),
};

function chooseAnswer(lots: Random): EmbeddingAnswer | undefined {
  return lots.pick<() => EmbeddingAnswer | undefined>([
    () => undefined,
    () => ({ status: 429, headers: { "retry-after-ms": String(lots.int(10, 800)) } }),
    () => ({ status: 429, headers: { "retry-after": "1" } }),
    () => ({ status: lots.pick([500, 502, 503, 529]) }),
    () => ({ body: "<html>Bad gateway</html>" }),
    () => ({ body: '{"object":"list"}' }),
    () => ({ surplus: lots.pick([-1, 1]) }),
    () => ({ cut: true }),
    () => ({ after: sleep(lots.int(100, 3000)) }),
  ])();
}

/** Nothing is answered for longer than a client waits for a search, and then everything that was asked meanwhile. */
export const slowEmbeddings: Blow = {
  hits: ["embeddings"],
  strike: lasting([11_000, 14_000], ({ world }) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    world.embeddings.always({ after: promise });
    return () => {
      world.embeddings.always(undefined);
      resolve();
    };
  }),
};

/** Connections are cut, and new ones refused for a while. */
export const noEmbeddings: Blow = {
  hits: ["embeddings"],
  strike: lasting([1000, 4000], ({ world }) => {
    world.network.embeddings.refuse();
    return world.network.embeddings.heal;
  }),
};

/** Connections that are open fall silent and are not closed. A call counts as hung after a minute. */
export const silentEmbeddings: Blow = {
  hits: ["embeddings"],
  load: { restMs: 400_000 },
  async strike(stage) {
    stage.struck();
    stage.world.network.embeddings.forget();
    stage.healed();
  },
};
