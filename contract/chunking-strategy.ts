// How the text of a file is cut into chunks: what a client may ask for, and what it is shown.
import { z } from "zod";
import { DEFAULT_CHUNK_OVERLAP_TOKENS, DEFAULT_CHUNK_TOKENS, MAX_CHUNK_TOKENS, MIN_CHUNK_TOKENS } from "./limits.ts";

export const ChunkingStrategyInput = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("auto") }),
  z.strictObject({
    type: z.literal("static"),
    static: z
      .strictObject({
        max_chunk_size_tokens: z.int().min(MIN_CHUNK_TOKENS).max(MAX_CHUNK_TOKENS),
        chunk_overlap_tokens: z.int().min(0),
      })
      .refine((chunk) => chunk.chunk_overlap_tokens <= chunk.max_chunk_size_tokens / 2, {
        path: ["chunk_overlap_tokens"],
        message: "Invalid '{path}': the overlap must not exceed half of max_chunk_size_tokens.",
      }),
  }),
]);
export type ChunkingStrategyInput = z.infer<typeof ChunkingStrategyInput>;

/** What was asked for as `auto` is shown as what it stands for. */
export const ChunkingStrategy = z.strictObject({
  type: z.literal("static"),
  static: z.strictObject({ max_chunk_size_tokens: z.int(), chunk_overlap_tokens: z.int() }),
});

export interface ChunkSizes {
  max_chunk_size_tokens: number;
  chunk_overlap_tokens: number;
}

/** What `auto` stands for. */
export const DEFAULT_SIZES: ChunkSizes = {
  max_chunk_size_tokens: DEFAULT_CHUNK_TOKENS,
  chunk_overlap_tokens: DEFAULT_CHUNK_OVERLAP_TOKENS,
};

/** The sizes that a strategy stands for. */
export function toChunkSizes(strategy: ChunkingStrategyInput): ChunkSizes {
  return strategy.type === "static" ? strategy.static : DEFAULT_SIZES;
}
