// The endpoints /embeddings and /rerank of the scripted model. A line `#embeddings {…}` in any text, or `#rerank {…}` in
// the query, makes the request fail as it says.
import { z } from "zod";
import { badRequest } from "./api-error.ts";
import { isObject, parseJson } from "./json.ts";
import { meaningOf, relevanceOf } from "./meaning.ts";
import type { Memory, RecordedRequest } from "./memory.ts";
import { sendJson, sendScriptedError } from "./reply.ts";
import type { Line } from "./reply.ts";
import { ErrorTurn } from "./script.ts";

const MAX_INPUTS = 2048;
const MAX_DIMENSIONS = 8192;
const MAX_WAIT_MS = 3_600_000;
/** What OpenAI's models have without being told. */
const LENGTHS: Record<string, number> = { "text-embedding-3-large": 3072 };
const USUAL_LENGTH = 1536;
const CHARS_PER_TOKEN = 4;

/** Faults on demand. Without `times` they strike always; `times` needs a key. */
const Directive = z
  .strictObject({
    key: z.string().min(1).max(200).optional(),
    delay_ms: z.number().min(0).max(MAX_WAIT_MS).optional(),
    error: ErrorTurn.optional(),
    fault: z
      .enum([
        /** Drops the connection, or says nothing until the client gives up. */
        "cut",
        "hang",
        /** Answers with something that is no JSON. */
        "garbage",
        /** One vector, or result, too few. */
        "missing",
        /** Vectors that are one number longer. */
        "length",
        /** Vectors with null in place of a number, as NaN is written in JSON. */
        "nan",
        /** Vectors of nothing but zeros. */
        "zero",
      ])
      .optional(),
    times: z.number().int().min(1).optional(),
  })
  .refine(
    ({ key, times, error }) => key !== undefined || (times === undefined && error?.times === undefined),
    "times needs a key, under which the requests are counted",
  );
type Directive = z.infer<typeof Directive>;
type Fault = NonNullable<Directive["fault"]>;

const EmbeddingRequest = z.looseObject({
  model: z.string().min(1),
  input: z.union([
    z
      .string()
      .min(1)
      .transform((text) => [text]),
    z.array(z.string().min(1)).min(1).max(MAX_INPUTS),
  ]),
  dimensions: z.number().int().min(1).max(MAX_DIMENSIONS).optional(),
  encoding_format: z.enum(["float", "base64"]).optional(),
});

const RerankRequest = z.looseObject({
  model: z.string().min(1),
  query: z.string().min(1),
  documents: z.array(z.union([z.string(), z.looseObject({ text: z.string() }).transform(({ text }) => text)])).min(1),
  top_n: z.number().int().min(1).optional(),
});

interface Asked {
  memory: Memory;
  record: RecordedRequest;
  body: unknown;
}

export async function embed(line: Line, asked: Asked): Promise<void> {
  const { model, input, dimensions, encoding_format } = check(EmbeddingRequest, asked.body);
  const directive = findDirective("embeddings", input);
  const fault = await strike(line, asked, directive);
  if (fault === "answered") return;
  const length = (dimensions ?? LENGTHS[model] ?? USUAL_LENGTH) + (fault === "length" ? 1 : 0);
  const data = input.map((text, index) => {
    const embedding = damage(meaningOf(withoutDirectives(text), length), fault);
    return { object: "embedding", index, embedding: encoding_format === "base64" ? toBase64(embedding) : embedding };
  });
  const tokens = Math.ceil(input.join("").length / CHARS_PER_TOKEN);
  const usage = { prompt_tokens: tokens, total_tokens: tokens };
  sendJson(line.response, 200, { object: "list", model, usage, data: fault === "missing" ? data.slice(1) : data });
}

export async function rerank(line: Line, asked: Asked): Promise<void> {
  const { query, documents, top_n } = check(RerankRequest, asked.body);
  const fault = await strike(line, asked, findDirective("rerank", [query]));
  if (fault === "answered") return;
  const results = documents
    .map((text, index) => ({ index, relevance_score: relevanceOf(withoutDirectives(query), text) }))
    .toSorted((a, b) => b.relevance_score - a.relevance_score)
    .slice(0, top_n);
  sendJson(line.response, 200, { results: fault === "missing" ? undefined : results });
}

/** Waits and fails as told. Resolves to what is left to be done wrong in the answer. */
async function strike(line: Line, { memory, record }: Asked, directive: Directive): Promise<Fault | "answered" | null> {
  const { key, delay_ms, error, fault, times } = directive;
  record.key = key ?? null;
  if (delay_ms) await line.wire.pause(delay_ms);
  if (line.wire.isClosed()) return "answered";
  const strikes = (kind: string, limit: number | undefined) => memory.claimFault({ key, turn: 0, kind, times: limit });
  if (error && strikes("error", error.times)) {
    sendScriptedError(line, error);
    return "answered";
  }
  if (fault === undefined || !strikes(fault, times)) return null;
  if (fault === "cut") line.wire.cut();
  else if (fault === "hang") await line.wire.hang();
  else if (fault === "garbage") sendJson(line.response, 200, '{"this is": not JSON');
  else return fault;
  return "answered";
}

function damage(vector: (number | null)[], fault: Fault | null): (number | null)[] {
  if (fault === "nan") return [null, ...vector.slice(1)];
  return fault === "zero" ? vector.map(() => 0) : vector;
}

function toBase64(vector: readonly (number | null)[]): string {
  const floats = Float32Array.from(vector, (value) => value ?? Number.NaN);
  return Buffer.from(floats.buffer).toString("base64");
}

const DIRECTIVE = /^[ \t]*#(embeddings|rerank)\s+(\{.*)$/m;

function findDirective(kind: "embeddings" | "rerank", texts: readonly string[]): Directive {
  for (const text of texts) {
    const [, found, source = ""] = DIRECTIVE.exec(text) ?? [];
    if (found !== kind) continue;
    const directive = Directive.safeParse(parseJson(source)?.value);
    if (directive.success) return directive.data;
    throw badRequest(`#${kind} cannot be followed: ${z.prettifyError(directive.error)}`, "input", "invalid_script");
  }
  return {};
}

function withoutDirectives(text: string): string {
  return text.replace(new RegExp(DIRECTIVE, "gm"), "");
}

function check<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(isObject(body) ? body : {});
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw badRequest(`'$.${issue?.path.join(".")}' is invalid: ${issue?.message}`, String(issue?.path[0] ?? ""));
}
