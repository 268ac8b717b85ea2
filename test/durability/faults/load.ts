// The load: many clients, each with one conversation after the other, of kinds that a seed has chosen.
import type { ScriptedTurn } from "../../support/scripts.ts";
import type { Talk } from "./conversations.ts";
import { CONVERSATIONS, RUN_KINDS } from "./kinds.ts";
import type { Kind } from "./kinds.ts";
import type { Random } from "./random.ts";

export interface LoadMix {
  /** Conversations in all; some have more than one run. */
  conversations: number;
  /** How many are held at a time. */
  atATime: number;
  /** Only these kinds; all that are about runs unless told. */
  kinds?: readonly Kind[];
  /** Makes the model's turns worse ones. */
  spoil?: (turn: ScriptedTurn, random: Random) => ScriptedTurn;
  /** How long a run may take to come to rest, whatever happens meanwhile. */
  restMs?: number;
  /** How long code may go on when its run has ended, whatever happens meanwhile. */
  stopMs?: number;
}

export const REST_MS = 150_000;
/** Longer than a worker stands still. */
export const STOP_MS = 30_000;

export interface Load {
  /** Conversations that are over. */
  readonly held: number;
  readonly isOver: boolean;
  /** Resolves when all are over. */
  over: Promise<void>;
}

/** What clients complain of is among what they were told. */
export function startLoad(mix: LoadMix, with_: Pick<Talk, "client" | "random" | "assistantId" | "inside">): Load {
  const { client, assistantId, inside } = with_;
  const { conversations, atATime, spoil = (turn) => turn, restMs = REST_MS, stopMs = STOP_MS } = mix;
  const plan = Array.from({ length: conversations }, () => ({
    kind: chooseKind(mix.kinds ?? RUN_KINDS, with_.random),
    random: with_.random.fork(),
  }));
  let next = 0;
  let held = 0;

  async function lane(): Promise<void> {
    for (let talk = plan[next++]; talk !== undefined; talk = plan[next++]) {
      const { kind, random } = talk;
      const worse = (turn: ScriptedTurn) => spoil(turn, random);
      await CONVERSATIONS[kind]
        .hold({ client: client.with(random.fork()), random, assistantId, restMs, stopMs, spoil: worse, inside })
        .catch((error: unknown) => client.told.complain(`${kind}: ${String(error)}`));
      held += 1;
    }
  }

  const over = Promise.all(Array.from({ length: atATime }, lane)).then(() => undefined);
  return {
    over,
    get held() {
      return held;
    },
    get isOver() {
      return held === conversations;
    },
  };
}

function chooseKind(kinds: readonly Kind[], random: Random): Kind {
  const total = kinds.reduce((sum, kind) => sum + CONVERSATIONS[kind].weight, 0);
  let left = random.next() * total;
  return kinds.find((kind) => (left -= CONVERSATIONS[kind].weight) < 0) ?? (kinds[0] as Kind);
}
