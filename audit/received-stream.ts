// One stream that a client has read, held against the stored events of its run.
import type { Message } from "../contract/message.ts";
import type { Queryable } from "../db/pool.ts";

/** An event as a client gets it. `done` and `error` are among them; comments are not. */
export interface ReceivedEvent {
  /** Its position, where the stream says so. */
  id?: number | undefined;
  event: string;
  /** The parsed data. */
  data: unknown;
}

interface StoredHead {
  seq: number;
  event: string;
  /** Id of the step or message that it is about; null for the run. */
  id: string | null;
}

export interface StoredStream {
  heads: StoredHead[];
  /** A crash of Postgres has taken deltas, so only what is durable can be compared. */
  hasLostDeltas: boolean;
  /** Text of each of the run's messages that has ended and is still there. */
  texts: Map<string, string>;
}

/** Undefined when the run, or its events, are not there any more. */
export async function readStoredStream(tx: Queryable, runId: string): Promise<StoredStream | undefined> {
  const { rows: heads } = await tx.query<StoredHead>(
    `select seq, event, data ->> 'id' as id from run_events where run_id = $1
     union all select seq, event, data ->> 'id' from run_deltas where run_id = $1 order by seq`,
    [runId],
  );
  if (heads.length === 0) return undefined;
  const cursor = await tx.query("select 1 from run_cursors where run_id = $1", [runId]);
  const messages = await tx.query<Pick<Message, "id" | "content">>(
    "select id, content from messages where run_id = $1 and status <> 'in_progress'",
    [runId],
  );
  return {
    heads,
    hasLostDeltas: cursor.rows.length === 0 || heads.at(-1)?.seq !== heads.length,
    texts: new Map(messages.rows.map(({ id, content }) => [id, textOf(content)])),
  };
}

export interface StreamProblems {
  order: string | undefined;
  text: string[];
}

/** @param isRest whether an event is one at which a stream may end */
export function compareStream(
  stored: StoredStream,
  received: readonly ReceivedEvent[],
  isRest: (event: string) => boolean,
): StreamProblems {
  const events = received.filter(({ event }) => event !== "done" && event !== "error");
  const isDone = received.some(({ event }) => event === "done");
  const last = events.at(-1)?.event;
  const order = isDone && last !== undefined && !isRest(last) ? `is done behind ${last}` : compareOrder(stored, events);
  return { order, text: stored.hasLostDeltas ? [] : compareTexts(stored, events) };
}

/** The stream must be a piece of what is stored, without holes and without anything twice. */
function compareOrder({ heads, hasLostDeltas }: StoredStream, received: readonly ReceivedEvent[]): string | undefined {
  const isCompared = ({ event }: { event: string }) => !hasLostDeltas || !event.endsWith(".delta");
  const expected = heads.filter(isCompared);
  const events = received.filter(isCompared);
  const [first] = events;
  if (first === undefined) return undefined;
  const start = expected.findIndex((head) => isSame(head, first));
  if (start === -1) return `begins with ${describe(first)}, which is not stored`;
  for (const [index, event] of events.entries()) {
    const head = expected[start + index];
    if (head === undefined) return `has ${describe(event)} behind the newest stored event`;
    if (!isSame(head, event)) return `has ${describe(event)} in place of ${head.event} at ${head.seq}`;
  }
  return undefined;
}

function isSame(head: StoredHead, { id, event, data }: ReceivedEvent): boolean {
  if (event !== head.event || (id !== undefined && id !== head.seq)) return false;
  return head.id === null || (data as { id?: unknown }).id === head.id;
}

function describe({ id, event }: ReceivedEvent): string {
  return id === undefined ? event : `${event} at ${id}`;
}

/** Messages of which the stream has both ends. */
function compareTexts({ texts }: StoredStream, received: readonly ReceivedEvent[]): string[] {
  const said = new Map<string, string>();
  const problems: string[] = [];
  for (const { event, data } of received) {
    if (event === "thread.message.created") said.set((data as Message).id, "");
    if (event === "thread.message.delta") {
      const { id, delta } = data as { id: string; delta: Pick<Message, "content"> };
      const before = said.get(id);
      if (before !== undefined) said.set(id, before + textOf(delta.content));
    }
    if (event !== "thread.message.completed" && event !== "thread.message.incomplete") continue;
    const { id, content } = data as Message;
    const text = textOf(content);
    if ((said.get(id) ?? text) !== text) problems.push(`the deltas of ${id} are not its text`);
    if ((texts.get(id) ?? text) !== text) problems.push(`${id} was shown with another text than it has`);
  }
  return problems;
}

/** Text and refusals, one behind the other, in the order of the parts. */
function textOf(content: Message["content"]): string {
  return content
    .map((part) => (part.type === "text" ? part.text.value : part.type === "refusal" ? part.refusal : ""))
    .join("");
}
