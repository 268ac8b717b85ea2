// Reads a stream of server-sent events without any SDK, so that a test sees every byte's worth.

export interface SentEvent {
  /** Position in the run, on streams that carry ids. */
  id: number | undefined;
  event: string;
  /** The parsed payload; `[DONE]` as text. */
  data: unknown;
}

/** Yields the events of a response until it ends or breaks off. Comments are left out. */
export async function* readEvents(response: Response): AsyncGenerator<SentEvent> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) {
    rest += decoder.decode(bytes as Uint8Array, { stream: true });
    const frames = rest.split("\n\n");
    rest = frames.pop() ?? "";
    for (const frame of frames) {
      if (!frame.startsWith(":")) yield parseFrame(frame);
    }
  }
}

function parseFrame(frame: string): SentEvent {
  const fields = new Map(
    frame.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
  );
  const id = fields.get("id");
  const data = fields.get("data") ?? "";
  return {
    id: id === undefined ? undefined : Number(id),
    event: fields.get("event") ?? "",
    data: data.startsWith("[DONE]") ? data : JSON.parse(data),
  };
}

/** The text that the deltas of one message add up to. */
export function textOf(events: readonly SentEvent[], messageId: string): string {
  return events
    .filter(({ event }) => event === "thread.message.delta")
    .map(({ data }) => data as { id: string; delta: { content: { text: { value: string } }[] } })
    .filter((delta) => delta.id === messageId)
    .map((delta) => delta.delta.content[0]?.text.value ?? "")
    .join("");
}
