// Embeddings from any endpoint that speaks OpenAI's protocol.
import OpenAI from "openai";
import {
  EMBEDDING_TIMEOUT_MS,
  MAX_EMBEDDED_TOKENS,
  MAX_EMBEDDING_BATCH,
  MAX_EMBEDDING_BATCH_TOKENS,
} from "../contract/limits.ts";
import { toEndpointError } from "./endpoint-error.ts";
import { ModelFailed, ModelRefused } from "./model.ts";
import { countTokens } from "./tokens.ts";

export interface Embedder {
  readonly model: string;
  readonly dimensions: number;
  /**
   * Unit vectors, in the order of the texts. Throws `ModelRefused` when asking again cannot help, `ModelBusy` when the
   * endpoint wants us to come later, `ModelFailed` for everything else; the signal's reason when it was aborted.
   */
  embed(texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]>;
}

export interface EmbedderOptions {
  /** With /v1. */
  base_url: string;
  api_key: string;
  model: string;
  dimensions: number;
  /** False for endpoints that refuse the parameter: their model must have that many dimensions by itself. */
  send_dimensions: boolean;
}

const ENDPOINT = "The embedding endpoint";

/** Makes the port to an endpoint. Retries are the caller's: each request is sent once. */
export function createEmbedder(options: EmbedderOptions): Embedder {
  const { base_url: baseURL, api_key: apiKey, model, dimensions } = options;
  const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: EMBEDDING_TIMEOUT_MS });
  const body = { model, encoding_format: "float" as const, ...(options.send_dimensions ? { dimensions } : {}) };
  async function embedBatch(input: string[], signal: AbortSignal): Promise<Float32Array[]> {
    try {
      const answer = await client.embeddings.create({ ...body, input }, { signal });
      return toVectors(answer, { texts: input.length, dimensions });
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof ModelRefused || error instanceof ModelFailed ? error : toEndpointError(error, ENDPOINT);
    }
  }
  return {
    model,
    dimensions,
    async embed(texts, signal) {
      const vectors: Float32Array[] = [];
      for (const batch of toBatches(texts)) vectors.push(...(await embedBatch(batch, signal)));
      return vectors;
    },
  };
}

/** Cuts what is too long, and divides the texts so that each request stays within what endpoints take. */
export function toBatches(texts: readonly string[]): string[][] {
  const batches: string[][] = [];
  let room = 0;
  for (const text of texts) {
    const { text: taken, tokens } = fit(text);
    const batch = batches.at(-1);
    if (batch === undefined || batch.length === MAX_EMBEDDING_BATCH || tokens > room) {
      batches.push([taken]);
      room = MAX_EMBEDDING_BATCH_TOKENS - tokens;
    } else {
      batch.push(taken);
      room -= tokens;
    }
  }
  return batches;
}

/** Endpoints refuse an empty text, and one that is longer than their model takes. */
function fit(text: string): { text: string; tokens: number } {
  let taken = text.trim() === "" ? " " : text;
  let tokens = countTokens(taken);
  while (tokens > MAX_EMBEDDED_TOKENS) {
    const share = (0.95 * MAX_EMBEDDED_TOKENS) / tokens;
    taken = taken.slice(0, Math.floor(taken.length * share)).toWellFormed();
    tokens = countTokens(taken);
  }
  return { text: taken, tokens };
}

/** Throws `ModelFailed` when the answer is garbled, and `ModelRefused` when it would be as useless the next time. */
function toVectors(answer: unknown, wanted: { texts: number; dimensions: number }): Float32Array[] {
  const data = (answer as { data?: unknown } | null)?.data;
  if (!Array.isArray(data) || data.length !== wanted.texts) {
    const got = Array.isArray(data) ? `${data.length} embeddings` : "no list of embeddings";
    throw new ModelFailed(`${ENDPOINT} answered with ${got} for ${wanted.texts} texts.`);
  }
  const vectors: Float32Array[] = [];
  for (const [position, item] of data.entries()) {
    const { index = position, embedding } = (item ?? {}) as { index?: number; embedding?: unknown };
    if (!Array.isArray(embedding))
      throw new ModelFailed(`${ENDPOINT} answered with an embedding that is not a list of numbers.`);
    if (embedding.length !== wanted.dimensions) {
      throw refused(
        `answered with ${embedding.length} dimensions, but EMBEDDINGS_DIMENSIONS is ${wanted.dimensions}. Set it to what the model has.`,
      );
    }
    vectors[index] = normalise(embedding);
  }
  if (Object.keys(vectors).length !== wanted.texts || vectors.length !== wanted.texts) {
    throw new ModelFailed(`${ENDPOINT} numbered its embeddings wrongly.`);
  }
  return vectors;
}

function normalise(embedding: readonly unknown[]): Float32Array {
  let sum = 0;
  for (const value of embedding) {
    if (typeof value !== "number" || !Number.isFinite(value)) {
      throw refused("answered with an embedding that has something else than numbers in it.");
    }
    sum += value * value;
  }
  if (sum === 0 || !Number.isFinite(sum)) throw refused("answered with an embedding that has no direction.");
  const length = Math.sqrt(sum);
  return Float32Array.from(embedding as readonly number[], (value) => value / length);
}

function refused(what: string): ModelRefused {
  return new ModelRefused("server_error", `${ENDPOINT} ${what}`);
}
