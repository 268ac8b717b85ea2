// What models say, at random: texts, refusals and calls in pieces that may end anywhere, as one endpoint or another
// sends them; and, said plainly, what has to become of it.
import fc from "fast-check";
import type { ScriptedTurn } from "../api/conversation.ts";

/** Names that endpoints accept. All of them are offered to the model. */
export const FUNCTION_NAMES = ["lookup", "get_weather", "do-it", "F", "_0"] as const;

export interface Said {
  type: "text" | "refusal";
  pieces: string[];
}

export interface PlannedCall {
  name: string;
  /** Of the arguments. */
  pieces: string[];
  form: "fragments" | "id in each" | "name with first fragment" | "at once";
}

export interface PlannedTurn {
  said: Said[];
  calls: PlannedCall[];
  /** Text behind the calls, which has no place in a history and is dropped. */
  behind: string[];
  /** How the endpoint tells parallel calls apart, and whether it sends them in one piece. */
  marks: "index" | "index and id" | "id" | "together";
}

/** How a run ends, or its last turn but one, which is made again when it broke. */
export type End = "completed" | "length" | "content filter" | "refused" | "broken once" | "cancelled" | "expired";

export interface PlannedRun {
  turns: PlannedTurn[];
  /** Pause between two pieces; with 0 many go into one delta. */
  chunkMs: number;
  parallel: boolean;
  /** The thread is made together with the run. */
  withThread: boolean;
  end: End;
  /** The turn in which the end comes, and, where it comes early, after how many pieces. */
  endsIn: number;
  endAfter: number;
  /** What the functions return, in turn. */
  outputs: string[];
}

/** Every kind of line end that some reader takes for one, and other characters that break parsers. */
const NASTY = [
  ...Array.from(
    "\n\r\t\v\f\b\u001C\u001D\u001E\u001F\u007F\u0085\u00A0\u200B\u2028\u2029\uFEFF\uFFFD\uFFFE\uFFFF\"'\\/<>&",
  ),
  "\r\n",
  "\n\n",
  "\r\n\r\n",
  "\n\ndata: [DONE]\n\n",
  "event: done\n",
  ": keep-alive\n\n",
  "\\u0000",
  "\\n",
  "</script>",
];
const ASTRAL = ["😀", "𝒳", "🏳️‍🌈", "👩‍👩‍👧‍👦", "𐍈", "\u{10FFFF}"];
/** Markers of citations, whole and in parts: in a run that has found nothing they are text like any other. */
export const MARKERS = ["【0:0†a.txt】", "【0:1†】", "【7:0†😀】", "【0:0", "†", "】", "【", "【title】"];
const HALVES = ["\uD83D", "\uDE00", "\uD800", "\uDFFF"];

const anyWord = fc.constantFrom("The ", "quick", "ü", "中文", " ", "fox.", "e\u0301", "0", "עברית");
const anyBit = fc.oneof(
  { weight: 8, arbitrary: anyWord },
  { weight: 4, arbitrary: fc.constantFrom(...NASTY) },
  { weight: 4, arbitrary: fc.constantFrom(...ASTRAL) },
  { weight: 1, arbitrary: fc.constantFrom(...MARKERS) },
  { weight: 1, arbitrary: fc.constantFrom(...HALVES, "\u0000") },
  { weight: 1, arbitrary: fc.nat({ max: 0xffff }).map((unit) => String.fromCharCode(unit)) },
);
const anyText = fc.oneof(
  { weight: 30, arbitrary: fc.array(anyBit, { maxLength: 14 }).map((bits) => bits.join("")) },
  { weight: 1, arbitrary: fc.integer({ min: 3_000, max: 40_000 }).map((length) => "long\u2028😀".repeat(length / 6)) },
);

/** Cuts a text anywhere between two code units, empty pieces included. */
export function inPieces(anyWhole: fc.Arbitrary<string>): fc.Arbitrary<string[]> {
  return fc.tuple(anyWhole, fc.array(fc.nat({ max: 60 }), { maxLength: 8 })).map(([text, places]) => {
    const cuts = places.filter((place) => place <= text.length).toSorted((a, b) => a - b);
    return [0, ...cuts].map((start, index) => text.slice(start, cuts[index] ?? text.length));
  });
}

const anyArguments = fc.oneof(
  { weight: 6, arbitrary: fc.dictionary(anyWord, fc.jsonValue({ stringUnit: "binary" }), { maxKeys: 3 }) },
  { weight: 1, arbitrary: fc.dictionary(fc.constantFrom("q", "text"), anyText, { maxKeys: 2 }) },
);
const anyCall: fc.Arbitrary<PlannedCall> = fc.record({
  name: fc.constantFrom(...FUNCTION_NAMES),
  pieces: inPieces(
    fc.oneof(
      { weight: 6, arbitrary: anyArguments.map((value) => JSON.stringify(value)) },
      { weight: 1, arbitrary: anyText }, // no JSON: what a model says is handed on
      { weight: 1, arbitrary: fc.constant("") },
    ),
  ),
  form: fc.constantFrom("fragments", "id in each", "name with first fragment", "at once"),
});

const anySaid: fc.Arbitrary<Said> = fc.record({
  type: fc.constantFrom("text", "text", "text", "refusal"),
  pieces: inPieces(anyText),
});
const anyTurn = (calls: { minLength: number; maxLength: number }): fc.Arbitrary<PlannedTurn> =>
  fc.record({
    said: fc.oneof(
      { weight: 2, arbitrary: fc.constant<Said[]>([]) },
      { weight: 5, arbitrary: fc.array(anySaid, { minLength: 1, maxLength: 1 }) },
      { weight: 2, arbitrary: fc.array(anySaid, { minLength: 2, maxLength: 3 }).map(withWholeEnds) },
    ),
    calls: fc.array(anyCall, calls),
    behind: fc.oneof({ weight: 5, arbitrary: fc.constant<string[]>([]) }, { weight: 1, arbitrary: inPieces(anyText) }),
    marks: fc.constantFrom("index", "index and id", "index and id", "id", "together"),
  });
/** A text ends with a whole character where a refusal follows, and the other way round. */
function withWholeEnds(said: Said[]): Said[] {
  return said.map(({ type, pieces }) => ({
    type,
    pieces: [...pieces, /[\uD800-\uDBFF]$/.test(pieces.join("")) ? "." : ""],
  }));
}
const NO_CALLS = { minLength: 0, maxLength: 0 };

/** Runs of up to four turns that end by themselves. */
export const anyRun: fc.Arbitrary<PlannedRun> = runsThatEnd(fc.constant("completed"), NO_CALLS);

/** Runs that end in all other ways, in the middle of a text or of a call. */
export const anyRunCutShort: fc.Arbitrary<PlannedRun> = runsThatEnd(
  fc.constantFrom("length", "content filter", "refused", "broken once", "cancelled", "expired"),
  { minLength: 0, maxLength: 2 },
);

function runsThatEnd(
  end: fc.Arbitrary<End>,
  callsOfLast: { minLength: number; maxLength: number },
): fc.Arbitrary<PlannedRun> {
  return fc
    .record({
      rounds: fc.oneof(
        { weight: 3, arbitrary: fc.constant<PlannedTurn[]>([]) },
        { weight: 3, arbitrary: fc.array(anyTurn({ minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 }) },
      ),
      last: anyTurn(callsOfLast),
      chunkMs: fc.constantFrom(0, 0, 2, 12),
      parallel: fc.constantFrom(true, true, true, true, false),
      withThread: fc.boolean(),
      end,
      endAfter: fc.nat({ max: 6 }),
      outputs: fc.array(
        anyText.map((text) => text.replaceAll("\u0000", "0")),
        { minLength: 1, maxLength: 3 },
      ),
    })
    .map(({ rounds, last, ...run }) => {
      // Outputs for the rounds before might come when the time is over.
      if (run.end === "expired") return { turns: [last], endsIn: 0, ...run };
      const goesOn = run.end === "broken once" && last.calls.length > 0;
      const turns = goesOn ? [...rounds, { ...last, said: [] }, SILENT] : [...rounds, last];
      return { turns, endsIn: rounds.length, ...run };
    });
}

const SILENT: PlannedTurn = { said: [], calls: [], behind: [], marks: "index" };

// --- what the scripted model is told -----------------------------------------------------------

type Delta = NonNullable<ScriptedTurn["deltas"]>[number];
type CallDelta = NonNullable<Delta["tool_calls"]>[number];

/** The script of a run. Pieces that a turn says nothing with are sent, too. */
export function toScript(run: PlannedRun, callId: (turn: number, call: number) => string): ScriptedTurn[] {
  return run.turns.map((turn, index) => {
    const deltas = toDeltas(turn, (call) => callId(index, call));
    const paced = { deltas, chunk_ms: run.chunkMs };
    return index === run.endsIn ? { ...paced, ...endOf(run, deltas.length) } : paced;
  });
}

function endOf({ end, endAfter }: PlannedRun, pieces: number): Partial<ScriptedTurn> {
  const after = Math.min(endAfter, pieces);
  switch (end) {
    case "completed":
      return {};
    case "length":
      return { finish_reason: "length" };
    case "content filter":
      return { finish_reason: "content_filter" };
    case "refused":
      return { error: { status: 400 } };
    case "broken once":
      return { cut_after_chunks: after, times: 1 };
    case "cancelled":
    case "expired":
      return { hang_after_chunks: after };
  }
}

function toDeltas({ said, calls, behind, marks }: PlannedTurn, callId: (call: number) => string): Delta[] {
  const spoken = said.flatMap(({ type, pieces }) =>
    pieces.map((piece) => (type === "text" ? { content: piece } : { refusal: piece, content: null })),
  );
  const called = calls.flatMap((call, index) => {
    const id = marks === "index" ? {} : { id: callId(index) };
    return toCallDeltas(call, { index: marks === "id" ? 0 : index, ...id });
  });
  const deltas = marks === "together" ? joinFirst(spoken, called) : [...spoken, ...inTurn(called)];
  const rest = calls.length > 0 ? behind.map((content) => ({ content })) : [];
  const all: Delta[] = [...deltas, ...rest];
  return all.length > 0 ? all : [{ content: "" }];
}

/** One delta brings the last piece of text and all calls. */
function joinFirst(spoken: Delta[], called: CallDelta[]): Delta[] {
  if (called.length === 0) return spoken;
  return [...spoken.slice(0, -1), { ...spoken.at(-1), tool_calls: called }];
}

function inTurn(called: CallDelta[]): Delta[] {
  return called.map((call) => ({ tool_calls: [call] }));
}

function toCallDeltas({ name, pieces, form }: PlannedCall, mark: { index: number; id?: string }): CallDelta[] {
  const { index } = mark;
  const type = "function";
  const fragments = (texts: string[], of: object) =>
    texts.map((text): CallDelta => ({ ...of, index, function: { arguments: text } }));
  switch (form) {
    case "fragments":
      return [{ ...mark, type, function: { name, arguments: "" } }, ...fragments(pieces, {})];
    case "id in each":
      return [{ ...mark, type, function: { name, arguments: "" } }, ...fragments(pieces, mark)];
    case "name with first fragment":
      return [{ ...mark, type, function: { name, arguments: pieces[0] ?? "" } }, ...fragments(pieces.slice(1), {})];
    case "at once":
      return [{ ...mark, type, function: { name, arguments: pieces.join("") } }];
  }
}

/** Whether the turn that stops early has said anything by then, so that readers see a delta of it. */
export function speaksBeforeEnd({ turns, endsIn, endAfter }: PlannedRun): boolean {
  return toDeltas(turns[endsIn] ?? SILENT, () => "call_00000000")
    .slice(0, endAfter)
    .some(({ content, refusal, tool_calls }) => Boolean(content) || Boolean(refusal) || Boolean(tool_calls));
}

// --- what has to become of it ------------------------------------------------------------------

export type Content = (
  | { type: "text"; text: { value: string; annotations: [] } }
  | { type: "refusal"; refusal: string }
)[];

/** What Postgres stores of a text: half characters and NUL are replaced. */
export function storable(text: string): string {
  return text.replaceAll("\u0000", "\uFFFD").toWellFormed();
}

/** The content of the turn's message: one part for each type, in the order in which they began. Undefined without one. */
export function contentOf({ said, calls }: PlannedTurn): Content | undefined {
  const texts = new Map<Said["type"], string>();
  for (const { type, text } of inSpells(said)) texts.set(type, (texts.get(type) ?? "") + storable(text));
  if (texts.size === 0 && calls.length > 0) return undefined;
  if (texts.size === 0) texts.set("text", "");
  return [...texts].map(([type, value]) =>
    type === "text" ? { type, text: { value, annotations: [] } } : { type, refusal: value },
  );
}

/** What is said without a change of type belongs together: half a character waits for its other half. */
function inSpells(said: readonly Said[]): { type: Said["type"]; text: string }[] {
  const spells: { type: Said["type"]; text: string }[] = [];
  for (const { type, pieces } of said) {
    const text = pieces.join("");
    if (text === "") continue;
    const last = spells.at(-1);
    if (last?.type === type) last.text += text;
    else spells.push({ type, text });
  }
  return spells;
}

/** The function calls of the turn; without parallel calls the first one only. */
export function callsOf({ calls }: PlannedTurn, parallel: boolean): { name: string; arguments: string }[] {
  return calls
    .slice(0, parallel ? undefined : 1)
    .map(({ name, pieces }) => ({ name, arguments: storable(pieces.join("")) }));
}
